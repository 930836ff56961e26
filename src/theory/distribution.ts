import { ShapeError } from '../errors.js';
import { checkProbabilities, checkScores, type Rows, rowsOf } from './rows.js';

/** A distribution over finitely many inputs and classes. */
export interface Distribution {
  /** The probability of each input; they sum to 1. */
  readonly inputs: ArrayLike<number>;
  /** For each input, the probability of each class: `[inputs, classes]`, each row sums to 1. */
  readonly conditionals: Rows;
}

/** A distribution that has been checked. */
export interface KnownDistribution {
  readonly inputs: ArrayLike<number>;
  readonly conditionals: readonly ArrayLike<number>[];
  readonly classes: number;
}

export function checkDistribution(op: string, { inputs, conditionals }: Distribution): KnownDistribution {
  checkProbabilities(op, 'inputs', inputs);
  const rows = rowsOf(op, 'conditionals', conditionals);
  checkCount(op, 'conditionals', rows.length, inputs.length);
  rows.forEach((row, i) => {
    checkProbabilities(op, `conditionals[${i}]`, row);
  });
  return { inputs, conditionals: rows, classes: rows[0]?.length ?? 0 };
}

/** A model's scores at every input of a distribution. */
export function checkModel(op: string, name: string, scores: Rows, distribution: KnownDistribution): Model {
  const rows = rowsOf(op, name, scores);
  checkCount(op, name, rows.length, distribution.inputs.length);
  rows.forEach((row, i) => {
    checkScores(op, `${name}[${i}]`, row, distribution.classes);
  });
  return rows;
}

export type Model = readonly ArrayLike<number>[];

function checkCount(op: string, name: string, rows: number, inputs: number): void {
  if (rows !== inputs) {
    throw new ShapeError(op, `${name} are for ${rows} inputs, but inputs holds ${inputs} probabilities.`);
  }
}

/** `E_x[f(p(. | x), x)]`; an input of probability 0 counts for nothing, be its term infinite. */
export function expectation(
  { inputs, conditionals }: KnownDistribution,
  term: (p: ArrayLike<number>, input: number) => number,
): number {
  return conditionals.reduce((sum, p, x) => {
    const weight = inputs[x] as number;
    return weight === 0 ? sum : sum + weight * term(p, x);
  }, 0);
}
