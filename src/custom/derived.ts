import { vjp } from '../autograd/grad.js';
import type { VjpContext } from '../graph/op.js';
import type { Tensor } from '../graph/tensor.js';

/** The gradients of a loss's values by some of its inputs, named by their places: each in its place. */
export function gradientsBy(
  values: Tensor,
  inputs: readonly Tensor[],
  places: readonly number[],
  cotangent: Tensor,
): (Tensor | undefined)[] {
  const found = vjp(
    values,
    places.map((i) => inputs[i] as Tensor),
    cotangent,
  );
  return inputs.map((_, i) => found[places.indexOf(i)]);
}

/**
 * The derivatives of a gradient kernel, d(sum(upstream * values)) / d(input `at`), by its inputs, of which the upstream
 * cotangent is the last: from the values in public ops.
 */
export function secondGradients(
  values: Tensor,
  at: number,
  { inputs, cotangent, needs }: VjpContext,
): (Tensor | undefined)[] {
  const slope = vjp(values, inputs[at] as Tensor, inputs.at(-1) as Tensor);
  const wanted = inputs.flatMap((_, i) => (needs[i] === true ? [i] : []));
  return gradientsBy(slope, inputs, wanted, cotangent);
}
