import { formatShape, ShapeError, ValueError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';

/** Refuses a layer of a size that is no integer of at least 1. */
export function checkSizes(layer: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (Number.isInteger(size) && size >= 1) continue;
    throw new ValueError(layer, `${name} is ${size}; it must be an integer of at least 1.`);
  }
}

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
