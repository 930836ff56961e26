import type { Tensor, TensorLike } from '../graph/tensor.js';
import { abs, add, divide, multiply, subtract } from '../ops/arithmetic.js';
import { equal, less } from '../ops/comparison.js';
import { expm1 } from '../ops/exponential.js';
import { where } from '../ops/logical.js';

/** expm1(x) / x: 1 / (k + 1)! for each power k. */
const SERIES = [1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720];

/** Phi_tau(u) in public ops, from `c = log(1 + u)`: `c expm1Over((1 - tau) c)`. */
export function compSumOf(c: Tensor, tau: TensorLike): Tensor {
  const x = multiply(subtract(1, tau), c);
  // expm1(x) / x, by its series near 0, where the quotient has no derivative and its second one cancels: at the
  // seam the series' second derivative is 2e-6 short, the quotient's about as far off.
  const near = less(abs(x), 0.125);
  const series = SERIES.reduceRight<Tensor | number>((sum, term) => add(multiply(sum, x), term), 0);
  const quotient = divide(expm1(x), where(equal(x, 0), 1, x));
  return multiply(c, where(near, series, quotient));
}
