import { crossEntropies, firstOfGreatest, phi, type TauOptions, tauOf } from './phi.js';
import { checkProbabilities, checkScores } from './rows.js';

/**
 * The expected comp-sum loss at one input, `C_tau(p, z) = sum_y p_y Phi_tau(u_y)`, `u_y = sum_{y' != y} e^(z_y' - z_y)`.
 * Infinite where a class with p_y > 0 is masked and tau <= 1.
 *
 * @param probabilities the probability of each class at this input, summing to 1. Any number of classes.
 * @param scores the logit of each class; -Infinity masks one.
 * @returns the mean of `losses.compSum` over labels drawn from `probabilities`, in float64 (and, for tau < 1, without
 *   that loss's linear continuation at `(1 - tau) c > 40`).
 * @throws ShapeError when the lengths differ; ValueError for tau < 0, NaN, or probabilities that do not sum to 1.
 * @source Mao, Mohri, Zhong 2023, section 3.
 */
export function conditionalRisk(
  probabilities: ArrayLike<number>,
  scores: ArrayLike<number>,
  options: TauOptions,
): number {
  const tau = tauOf('theory.conditionalRisk', options);
  check('theory.conditionalRisk', probabilities, scores);
  return risk(probabilities, scores, tau);
}

/**
 * The least conditional risk of any scores,
 * `([sum_y p_y^(1 / (2 - tau))]^(2 - tau) - 1) / (1 - tau)` for tau < 2 (Shannon's entropy at tau = 1) and
 * `(1 - max p) / (tau - 1)` from 2 on. Evaluated as the risk of `bestScores`: a sum of terms >= 0, so it keeps its
 * relative accuracy at every tau, next to 1 and 2 too.
 *
 * @source the minimiser is derived in `bestScores`; the setting is Mao, Mohri, Zhong 2023, section 3.
 */
export function bestConditionalRisk(probabilities: ArrayLike<number>, options: TauOptions): number {
  const tau = tauOf('theory.bestConditionalRisk', options);
  checkProbabilities('theory.bestConditionalRisk', 'probabilities', probabilities);
  return bestRisk(probabilities, tau);
}

/**
 * Scores of least conditional risk. For tau < 2, `log(p) / (2 - tau)`: the risk's derivative by z_j,
 * `s_j sum_y p_y s_y^(tau - 1) - p_j s_j^(tau - 1)` with `s = softmax(z)`, is 0 where `s_j^(2 - tau)` is proportional to
 * `p_j`. From 2 on the risk only tends to its infimum: the limit is one class of greatest probability (the first),
 * the others at -Infinity.
 */
export function bestScores(probabilities: ArrayLike<number>, options: TauOptions): number[] {
  const tau = tauOf('theory.bestScores', options);
  checkProbabilities('theory.bestScores', 'probabilities', probabilities);
  return optimum(probabilities, tau);
}

/**
 * `C_tau(p, z) - C*_tau(p) >= 0`: what these scores cost above the best ones. Not computed as this difference, which
 * would cancel: with `s = softmax(z)` and the best `s*` it is, for tau < 2,
 * `[sum p^(1 / (2 - tau))]^(2 - tau) sum_y s_y f(s*_y / s_y)`, `f(r) = (r^(2 - tau) - 1 - (2 - tau)(r - 1)) / (1 - tau)`,
 * Tsallis' relative entropy of s* to s (Kullback and Leibler's at tau = 1). Every term is >= 0.
 */
export function conditionalRegret(
  probabilities: ArrayLike<number>,
  scores: ArrayLike<number>,
  options: TauOptions,
): number {
  const tau = tauOf('theory.conditionalRegret', options);
  check('theory.conditionalRegret', probabilities, scores);
  return regret(probabilities, scores, tau);
}

function check(op: string, probabilities: ArrayLike<number>, scores: ArrayLike<number>): void {
  checkProbabilities(op, 'probabilities', probabilities);
  checkScores(op, 'scores', scores, probabilities.length);
}

/** `conditionalRisk` of arguments that have been checked. */
export function risk(p: ArrayLike<number>, scores: ArrayLike<number>, tau: number): number {
  // A class that never occurs costs nothing, be its loss infinite.
  return crossEntropies(scores).reduce((sum, c, y) => (p[y] === 0 ? sum : sum + (p[y] as number) * phi(c, tau)), 0);
}

/** `bestConditionalRisk` of arguments that have been checked. */
export function bestRisk(p: ArrayLike<number>, tau: number): number {
  return risk(p, optimum(p, tau), tau);
}

function optimum(p: ArrayLike<number>, tau: number): number[] {
  if (tau < 2) return Array.from(p, (one) => Math.log(one) / (2 - tau));
  const top = firstOfGreatest(p);
  return Array.from(p, (_, y) => (y === top ? 0 : Number.NEGATIVE_INFINITY));
}

/** `conditionalRegret` of arguments that have been checked. */
export function regret(p: ArrayLike<number>, scores: ArrayLike<number>, tau: number): number {
  const c = crossEntropies(scores);
  if (tau >= 2) return regretFromTwo(p, c, tau);
  const best = crossEntropies(optimum(p, tau));
  const top = firstOfGreatest(p);
  // s*_y = p_y^(1 / (2 - tau)) / Z, so at any y, at the greatest too, Z^(2 - tau) = p_y / s*_y^(2 - tau).
  const scale = (p[top] as number) * Math.exp((2 - tau) * (best[top] as number));
  return scale * c.reduce((sum, one, y) => sum + divergence(-(best[y] as number), one, tau), 0);
}

/** The same from tau = 2 on, where the infimum is `(1 - max p) / (tau - 1)`: all terms are >= 0 again. */
function regretFromTwo(p: ArrayLike<number>, c: Float64Array, tau: number): number {
  const greatest = p[firstOfGreatest(p)] as number;
  return (
    c.reduce((sum, one, y) => {
      const s = Math.exp(-one);
      const py = p[y] as number;
      // s = 0 has no part in either; (tau - 2) * Infinity would be NaN at 2.
      return s === 0 ? sum : sum + s * (greatest - py) - py * s * Math.expm1((2 - tau) * one);
    }, 0) /
    (tau - 1)
  );
}

/** Below this |log(s* / s)| the closed form cancels and the series takes over; at it 17 terms leave 1e-17. */
const NEAR = 0.5;

/**
 * One class's part of Tsallis' relative entropy of order 2 - tau, `s f(s* / s)` with
 * `f(r) = (r^(2 - tau) - 1 - (2 - tau)(r - 1)) / (1 - tau) >= 0`, for tau < 2.
 *
 * @param logBest `log s*`, -Infinity allowed. @param c `-log s`, Infinity allowed.
 */
export function divergence(logBest: number, c: number, tau: number): number {
  const order = 2 - tau;
  const best = Math.exp(logBest);
  const s = Math.exp(-c);
  if (logBest === Number.NEGATIVE_INFINITY) return s;
  if (c === Number.POSITIVE_INFINITY) return tau <= 1 ? c : (best * order) / (tau - 1);
  const x = logBest + c;
  if (Math.abs(x) < NEAR) return best * order * series(x, tau);
  // s^(1 - order) s*^order may be finite where its factors are not.
  const power = Math.exp(order * logBest + (1 - tau) * c);
  if (tau > 1.5) {
    // Next to 2 all is of the size of `order`, so 1 is taken off before anything else.
    const rise = order * x > 1 ? power - s : s * Math.expm1(order * x);
    return (rise - order * (best - s)) / (1 - tau);
  }
  const gain = (1 - tau) * x > 1 ? (power - best) / (1 - tau) : best * phi(x, tau);
  return gain - best + s;
}

/**
 * `(Phi_tau(x) + e^-x - 1) / (2 - tau)` for small x: `sum_{k >= 2} q_k x^k / k!` with
 * `q_k = ((1 - tau)^(k - 1) - (-1)^(k - 1)) / (2 - tau)`, a polynomial in 1 - tau by its recurrence.
 */
function series(x: number, tau: number): number {
  let sum = 0;
  let q = 1;
  let power = (x * x) / 2;
  for (let k = 2; k <= 18; k++) {
    sum += q * power;
    q = (1 - tau) * q + (k % 2 === 0 ? -1 : 1);
    power *= x / (k + 1);
  }
  return sum;
}
