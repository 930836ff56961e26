import { ValueError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import * as activations from '../ops/activation.js';
import { divide, multiply } from '../ops/arithmetic.js';
import { toF32 } from '../ops/casts.js';
import { defaultGenerator, type Generator } from '../ops/random.js';
import { flatten as flattenTensor } from '../ops/shaping.js';
import { softmax as softmaxOp } from '../ops/softmax.js';
import { tanh as tanhOp } from '../ops/trigonometric.js';
import { type Module, module } from './module.js';

const activation = (description: string, forward: (x: Tensor) => Tensor) => (): Module =>
  module({ description, forward });

/** `max(x, 0)`. */
export const relu = activation('relu', activations.relu);
/** `x Phi(x)`, exact. */
export const gelu = activation('gelu', activations.gelu);
/** gelu by its tanh approximation. */
export const geluTanh = activation('geluTanh', activations.geluTanh);
/** `x sigmoid(x)`. */
export const silu = activation('silu', activations.silu);
export const sigmoid = activation('sigmoid', activations.sigmoid);
export const softplus = activation('softplus', activations.softplus);
export const tanh = activation('tanh', tanhOp);
/** Over the last axis. */
export const softmax = activation('softmax', (x) => softmaxOp(x));

/** All axes but the first become one. */
export function flatten(): Module {
  return module({ description: 'flatten', forward: (x) => flattenTensor(x, 1) });
}

/**
 * Srivastava et al. 2014: in training each element is dropped with `probability` and the others are scaled by
 * `1 / (1 - probability)`; in evaluation nothing happens. The mask is drawn anew in the backward pass from the
 * same counter, so it is never stored.
 */
export function dropout(probability = 0.5, { generator }: { generator?: Generator } = {}): Module {
  if (!(probability >= 0 && probability < 1)) {
    throw new ValueError('nn.dropout', `probability is ${probability}; it must be in [0, 1).`);
  }
  return module({
    description: `dropout(${probability})`,
    forward: (x, training) => {
      if (!training() || probability === 0) return x;
      const kept = (generator ?? defaultGenerator()).bernoulli(x.shape, 1 - probability);
      return divide(multiply(x, toF32(kept)), 1 - probability);
    },
  });
}
