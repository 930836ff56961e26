import { sizeOf } from '../../src/graph/shape.js';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { type Random, random } from './random.js';

/** A tensor of numbers drawn one by one: the same for the same seed. */
export function drawTensor(shape: readonly number[], seed: number, pick: (r: Random) => number): Tensor {
  return tensor(random(seed).floats(sizeOf(shape), pick), { shape });
}
