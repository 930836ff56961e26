import { formatShape, ShapeError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';

/** Refuses an input of another width than the layer's. */
export function checkLastAxis(
  layer: string,
  x: Tensor,
  size: number,
  mend = 'check the sizes of the layers before it.',
): void {
  if (x.shape.at(-1) === size) return;
  throw new ShapeError(layer, `the input is ${formatShape(x.shape)}; its last axis must be ${size}.`, { mend });
}
