import { checkNames, ValueError } from '../errors.js';

/** Which comp-sum loss: 0 sum-exponential, 1 cross-entropy, in (1, 2) generalized cross-entropy, 2 `1 - p`. */
export interface TauOptions {
  /** At least 0. It has no default: a bound for another tau than the one trained with means nothing. */
  readonly tau: number;
}

export function tauOf(op: string, options: TauOptions, names: readonly string[] = ['tau']): number {
  checkNames(op, options, names);
  const { tau } = options;
  if (!(Number.isFinite(tau) && tau >= 0)) {
    throw new ValueError(op, `tau is ${tau}; it must be a finite number, at least 0.`);
  }
  return tau;
}

/**
 * Phi_tau as a function of `c = -log p_y`: `(e^((1 - tau) c) - 1) / (1 - tau)`, and `c` at tau = 1.
 * Within an ulp or two on both sides of tau = 1, where `1 - tau` is exact. `c` may be infinite or, in regrets,
 * negative.
 */
export function phi(c: number, tau: number): number {
  return tau === 1 ? c : Math.expm1((1 - tau) * c) / (1 - tau);
}

/**
 * `-log softmax(scores)` of every class. The first of the greatest scores stays out of the sum, so that the
 * cross-entropy of a class next to certain keeps its relative accuracy.
 */
export function crossEntropies(scores: ArrayLike<number>): Float64Array {
  const z = Float64Array.from(scores);
  const top = firstOfGreatest(z);
  const greatest = z[top] as number;
  const rest = Math.log1p(z.reduce((sum, score, y) => (y === top ? sum : sum + Math.exp(score - greatest)), 0));
  return z.map((score) => greatest - score + rest);
}

/** The place of the greatest number, the first of several. */
export function firstOfGreatest(numbers: ArrayLike<number>): number {
  let place = 0;
  for (let i = 1; i < numbers.length; i++) if ((numbers[i] as number) > (numbers[place] as number)) place = i;
  return place;
}
