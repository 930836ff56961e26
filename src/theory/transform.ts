import { ValueError } from '../errors.js';
import { divergence } from './conditional.js';
import { type TauOptions, tauOf } from './phi.js';

export interface TransformOptions extends TauOptions {
  /** The number n of classes. It plays a part for tau > 1 only: from there on the bound grows by `n^(tau - 1)`. */
  readonly classes: number;
}

/**
 * T_tau, the transform of the H-consistency bound: a zero-one regret of beta costs a comp-sum regret of T_tau(beta)
 * or more. Convex and increasing on [0, 1], 0 at 0. With `a = 1 / (2 - tau)` and
 * `A = [((1 + beta)^a + (1 - beta)^a) / 2]^(2 - tau)`:
 *
 * - tau < 1: `2^(1 - tau) (1 - A) / (1 - tau)`, so `1 - sqrt(1 - beta^2)` at tau = 0;
 * - tau = 1: `((1 + beta) log(1 + beta) + (1 - beta) log(1 - beta)) / 2`;
 * - 1 < tau < 2: `(A - 1) / ((tau - 1) n^(tau - 1))`;
 * - tau >= 2: `beta / ((tau - 1) n^(tau - 1))`.
 *
 * For two classes and tau <= 2 it is the least regret there is: that of equal scores where the classes have
 * probabilities `(1 +- beta) / 2`. So it is evaluated, to a few ulps at every beta and tau, next to 0, 1 and 2 too.
 *
 * @source the H-consistency bounds of Mao, Mohri, Zhong 2023, as recalled; test/theory holds them on random pairs.
 */
export function transform(beta: number, options: TransformOptions): number {
  const { tau, classes } = check('theory.transform', options);
  if (!(beta >= 0 && beta <= 1)) {
    throw new ValueError('theory.transform', `beta is ${beta}; it must be in [0, 1]: a difference of probabilities.`);
  }
  return least(beta, tau, classes);
}

/**
 * Gamma_tau, the inverse of T_tau: the largest zero-one regret that a comp-sum regret of `t` allows. 1 from T_tau(1)
 * on. By bisection down to neighbouring float64 numbers; from tau = 2 on by its formula.
 *
 * @param t at least 0, Infinity allowed. @returns in [0, 1].
 */
export function inverseTransform(t: number, options: TransformOptions): number {
  const { tau, classes } = check('theory.inverseTransform', options);
  checkRegret('theory.inverseTransform', t);
  return inverse(t, tau, classes);
}

/**
 * An upper bound of Gamma_tau in closed form: `sqrt(2^tau (2 - tau) t)` for tau < 1, `sqrt(2 t)` at 1,
 * `sqrt(2 n^(tau - 1) t)` between 1 and 2, `(tau - 1) n^(tau - 1) t` (Gamma_tau itself, until 1) from 2 on. Not cut off
 * at 1, beyond which it says nothing.
 *
 * @source Mao, Mohri, Zhong 2023, as recalled; test/theory compares it with Gamma_tau.
 */
export function explicitInverse(t: number, options: TransformOptions): number {
  const { tau, classes } = check('theory.explicitInverse', options);
  checkRegret('theory.explicitInverse', t);
  return explicit(t, tau, classes);
}

function check(op: string, options: TransformOptions): TransformOptions {
  const tau = tauOf(op, options, ['tau', 'classes']);
  const { classes } = options;
  if (!(Number.isInteger(classes) && classes >= 1)) {
    throw new ValueError(op, `classes is ${classes}; it must be a positive integer.`);
  }
  return { tau, classes };
}

function checkRegret(op: string, t: number): void {
  if (!(t >= 0)) throw new ValueError(op, `t is ${t}; a regret is at least 0.`);
}

function least(beta: number, tau: number, classes: number): number {
  const scale = (tau > 1 ? classes : 2) ** (1 - tau);
  if (tau >= 2) return (beta * scale) / (tau - 1);
  const order = 2 - tau;
  // The best probabilities e^upper / 2 and e^lower / 2 of the two classes: (1 +- beta)^a up to a common factor.
  const spread = (Math.log1p(beta) - Math.log1p(-beta)) / order;
  const upper = -Math.log1p(Math.expm1(-spread) / 2);
  const lower = upper - spread;
  const a = (1 + beta) * Math.exp(-order * upper);
  return (scale * a * (divergence(upper, 0, tau) + divergence(lower, 0, tau))) / 2;
}

/** `inverseTransform` of arguments that have been checked. */
export function inverse(t: number, tau: number, classes: number): number {
  // T of anything else is above 0, though it may be too small for float64.
  if (t === 0) return 0;
  if (t >= least(1, tau, classes)) return 1;
  if (tau >= 2) return explicit(t, tau, classes);
  let low = 0;
  let high = 1;
  while (true) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) return middle;
    if (least(middle, tau, classes) < t) low = middle;
    else high = middle;
  }
}

/** `explicitInverse` of arguments that have been checked. */
export function explicit(t: number, tau: number, classes: number): number {
  if (t === 0) return 0;
  if (tau >= 2) return (tau - 1) * classes ** (tau - 1) * t;
  return Math.sqrt((tau <= 1 ? 2 ** tau * (2 - tau) : 2 * classes ** (tau - 1)) * t);
}
