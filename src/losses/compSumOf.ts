import type { Tensor, TensorLike } from '../graph/tensor.js';
import { abs, add, divide, multiply, subtract } from '../ops/arithmetic.js';
import { equal, greater, less } from '../ops/comparison.js';
import { expm1 } from '../ops/exponential.js';
import { where } from '../ops/logical.js';

/** As in compSum.wgsl: where `(1 - tau) c` is beyond it, the loss is a straight line in c. */
export const HOLD = 40;

/** expm1(x) / x: 1 / (k + 1)! for each power k. */
const SERIES = [1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720];

/** Phi_tau(u) in public ops, from `c = log(1 + u)`: `c expm1Over((1 - tau) c)`, and its line beyond HOLD. */
export function compSumOf(c: Tensor, tau: TensorLike): Tensor {
  const slope = subtract(1, tau);
  const given = multiply(slope, c);
  const isHeld = greater(given, HOLD);
  const held = where(isHeld, divide(HOLD, where(isHeld, slope, 1)), c);
  const value = multiply(held, expm1Over(where(isHeld, HOLD, given)));
  return where(isHeld, add(value, multiply(Math.exp(HOLD), subtract(c, held))), value);
}

/**
 * expm1(x) / x, by its series near 0, where the quotient has no derivative and its second one cancels: at the seam the
 * series' second derivative is 2e-6 short, the quotient's about as far off.
 */
function expm1Over(x: Tensor): Tensor {
  const series = SERIES.reduceRight<Tensor | number>((sum, term) => add(multiply(sum, x), term), 0);
  return where(less(abs(x), 0.125), series, divide(expm1(x), where(equal(x, 0), 1, x)));
}
