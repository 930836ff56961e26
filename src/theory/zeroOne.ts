import { ValueError } from '../errors.js';
import { firstOfGreatest } from './phi.js';
import { checkProbabilities, checkScores } from './rows.js';

export interface ZeroOneOptions {
  /**
   * Which of several greatest scores is the prediction: 'first' (default), as in `argmax`; or 'worst', the least
   * probable of them. The bounds hold for either.
   */
  readonly ties?: 'first' | 'worst';
}

/**
 * The probability that the class of greatest score is wrong at one input: `1 - p_h`.
 *
 * @param probabilities the probability of each class, summing to 1. @param scores finite or -Infinity.
 */
export function conditionalZeroOneRisk(
  probabilities: ArrayLike<number>,
  scores: ArrayLike<number>,
  options: ZeroOneOptions = {},
): number {
  check('theory.conditionalZeroOneRisk', probabilities, scores, options);
  return zeroOneRisk(probabilities, scores, options);
}

/** The zero-one risk above the least one: `max p - p_h`. Exact: one subtraction. */
export function conditionalZeroOneRegret(
  probabilities: ArrayLike<number>,
  scores: ArrayLike<number>,
  options: ZeroOneOptions = {},
): number {
  check('theory.conditionalZeroOneRegret', probabilities, scores, options);
  return zeroOneRegret(probabilities, scores, options);
}

function check(
  op: string,
  probabilities: ArrayLike<number>,
  scores: ArrayLike<number>,
  { ties = 'first' }: ZeroOneOptions,
): void {
  if (ties !== 'first' && ties !== 'worst') {
    throw new ValueError(op, `ties is '${String(ties)}'; it must be 'first' or 'worst'.`);
  }
  checkProbabilities(op, 'probabilities', probabilities);
  checkScores(op, 'scores', scores, probabilities.length);
}

/** `conditionalZeroOneRisk` of arguments that have been checked. */
export function zeroOneRisk(p: ArrayLike<number>, scores: ArrayLike<number>, options: ZeroOneOptions = {}): number {
  return allBut(p, prediction(p, scores, options));
}

/** `1 - max p`: the least zero-one risk of any scores. */
export function bestZeroOneRisk(p: ArrayLike<number>): number {
  return allBut(p, firstOfGreatest(p));
}

/** `conditionalZeroOneRegret` of arguments that have been checked. */
export function zeroOneRegret(p: ArrayLike<number>, scores: ArrayLike<number>, options: ZeroOneOptions = {}): number {
  return (p[firstOfGreatest(p)] as number) - (p[prediction(p, scores, options)] as number);
}

/** The others' sum, not `1 - p_y`: a rare error keeps its digits. */
function allBut(p: ArrayLike<number>, y: number): number {
  return Array.from(p).reduce((sum, one, j) => (j === y ? sum : sum + one), 0);
}

function prediction(p: ArrayLike<number>, scores: ArrayLike<number>, { ties = 'first' }: ZeroOneOptions): number {
  const top = firstOfGreatest(scores);
  if (ties === 'first') return top;
  const tied = Array.from(scores, (_, y) => y).filter((y) => scores[y] === scores[top]);
  return tied.reduce((least, y) => ((p[y] as number) < (p[least] as number) ? y : least), top);
}
