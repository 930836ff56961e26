import type { Tensor } from '../../src/graph/tensor.js';
import { type Bindings, evaluate } from './evaluate.js';
import { at, type Value } from './value.js';

/**
 * The derivative of `sum(cotangents . outputs)` along a direction of one input, by central differences of the
 * reference, extrapolated (Richardson) from steps h and h / 2.
 *
 * With h = 2^-11 of the input's size the truncation is h^4 f^(5) / 480 ~ 1e-16 f^(5), and cancellation about
 * 2^-52 / h ~ 5e-13 of f: together some 1e-11 for functions of order 1 on scales of order 1.
 */
export function directionalDerivative(
  outputs: readonly Tensor[],
  cotangents: readonly ArrayLike<number>[],
  input: Tensor,
  direction: ArrayLike<number>,
  bindings: Bindings,
): number {
  const center = bindings.get(input) ?? evaluate(input, bindings).data;
  let scale = 0;
  for (let i = 0; i < direction.length; i++) {
    if (at(direction, i) !== 0) scale = Math.max(scale, Math.abs(at(center, i)));
  }
  // Near 0 the functions vary on a scale of 1; close to a singularity callers keep away by design.
  const step = STEP * Math.max(scale, MINIMUM_SCALE);
  const slope = (h: number) => {
    const ahead = weighted(outputs, cotangents, moved(input, center, direction, h, bindings));
    const behind = weighted(outputs, cotangents, moved(input, center, direction, -h, bindings));
    return (ahead - behind) / (2 * h);
  };
  return (4 * slope(step / 2) - slope(step)) / 3;
}

const STEP = 2 ** -11;
const MINIMUM_SCALE = 0.25;

function moved(
  input: Tensor,
  center: ArrayLike<number>,
  direction: ArrayLike<number>,
  h: number,
  bindings: Bindings,
): Bindings {
  const data = Float64Array.from({ length: center.length }, (_, i) => at(center, i) + h * at(direction, i));
  return new Map([...bindings, [input, data]]);
}

function weighted(outputs: readonly Tensor[], cotangents: readonly ArrayLike<number>[], bindings: Bindings): number {
  let total = 0;
  evaluate(outputs, bindings).forEach(({ data }: Value, k) => {
    const weights = cotangents[k] as ArrayLike<number>;
    for (let i = 0; i < data.length; i++) if (at(weights, i) !== 0) total += at(weights, i) * at(data, i);
  });
  return total;
}
