import { ValueError } from '../errors.js';
import type { Shape } from '../graph/shape.js';
import { sizeOf } from '../graph/shape.js';
import type { Tensor } from '../graph/tensor.js';
import { defaultGenerator, type Generator } from '../ops/random.js';

/** A rule that draws a weight's first value. Weights are `[inputs, outputs]`. */
export type Initialiser = (shape: Shape, generator?: Generator) => Tensor;

function fans(shape: Shape): { inputs: number; outputs: number } {
  if (shape.length < 2)
    throw new ValueError('initialise', `a weight needs two axes; the shape is [${shape.join(', ')}].`);
  const field = sizeOf(shape.slice(2));
  return { inputs: (shape[0] ?? 1) * field, outputs: (shape[1] ?? 1) * field };
}

/** He et al. 2015: uniform with variance `2 / inputs`, for layers followed by relu. */
export const kaimingUniform: Initialiser = (shape, generator = defaultGenerator()) => {
  const bound = Math.sqrt(6 / fans(shape).inputs);
  return generator.uniform(shape, -bound, bound);
};

/** He et al. 2015: normal with variance `2 / inputs`. */
export const kaimingNormal: Initialiser = (shape, generator = defaultGenerator()) =>
  generator.normal(shape, { standardDeviation: Math.sqrt(2 / fans(shape).inputs) });

/** Glorot and Bengio 2010: uniform with variance `2 / (inputs + outputs)`. */
export const xavierUniform: Initialiser = (shape, generator = defaultGenerator()) => {
  const { inputs, outputs } = fans(shape);
  const bound = Math.sqrt(6 / (inputs + outputs));
  return generator.uniform(shape, -bound, bound);
};

/** Glorot and Bengio 2010: normal with variance `2 / (inputs + outputs)`. */
export const xavierNormal: Initialiser = (shape, generator = defaultGenerator()) => {
  const { inputs, outputs } = fans(shape);
  return generator.normal(shape, { standardDeviation: Math.sqrt(2 / (inputs + outputs)) });
};

/** PyTorch's default for linear layers: uniform within `1 / sqrt(inputs)`. */
export const torchUniform: Initialiser = (shape, generator = defaultGenerator()) => {
  const bound = 1 / Math.sqrt(fans(shape).inputs);
  return generator.uniform(shape, -bound, bound);
};
