import { checkCounts, ValueError } from '../errors.js';
import { Parameter } from '../graph/parameter.js';
import { add } from '../ops/arithmetic.js';
import { toF16 } from '../ops/casts.js';
import { zeros } from '../ops/create.js';
import { checkDtype } from '../ops/elementwise.js';
import { matmul } from '../ops/matmul.js';
import type { Generator } from '../ops/random.js';
import { type Initialiser, kaimingUniform } from './initialise.js';
import { type Module, module } from './module.js';
import { checkLastAxis } from './sizes.js';

export interface LinearOptions {
  /** Default true. It starts at 0. */
  readonly bias?: boolean;
  /** Default kaimingUniform. */
  readonly initialise?: Initialiser;
  /**
   * What the product's operands are rounded to and read as. 'f16': the product reads half the bytes where the adapter has
   * `shader-f16`, and may go by its small matrices; but the weight, and an input that is f32, are written as f16 first, in
   * each step. The parameters, sums, result and gradients stay f32, so that no loss needs scaling. It pays where products
   * are large; measure. Default 'f32'.
   */
  readonly dtype?: 'f32' | 'f16';
  /** Where the draw comes from. Default: the default generator (`random.seed`). */
  readonly generator?: Generator;
}

/**
 * `x W + b` over the last axis: `[...batch, inputs]` to `[...batch, outputs]`. `weight` is
 * `[inputs, outputs]`, `bias` `[outputs]`.
 * @throws ShapeError when the last axis is not `inputs`.
 */
export function linear(inputs: number, outputs: number, options: LinearOptions = {}): Module {
  checkCounts('nn.linear', { inputs, outputs });
  const { bias: biased = true, initialise = kaimingUniform, dtype = 'f32', generator } = options;
  if (dtype !== 'f32' && dtype !== 'f16')
    throw new ValueError('nn.linear', `dtype is '${String(dtype)}'; it must be 'f32' or 'f16'.`);
  const weight = new Parameter(initialise([inputs, outputs], generator), { name: 'weight' });
  const bias = biased ? new Parameter(zeros([outputs]), { name: 'bias' }) : undefined;
  return module({
    description: `linear(${inputs}, ${outputs}${dtype === 'f16' ? ', f16' : ''})`,
    parameters: bias === undefined ? { weight } : { weight, bias },
    forward: (x) => {
      checkDtype('nn.linear', x.dtype, dtype === 'f16' ? ['f32', 'f16'] : ['f32']);
      checkLastAxis('nn.linear', x, inputs, x.rank > 2 ? 'flatten it first: nn.flatten().' : undefined);
      const product = dtype === 'f16' ? matmul(toF16(x), toF16(weight)) : matmul(x, weight);
      return bias === undefined ? product : add(product, bias);
    },
  });
}
