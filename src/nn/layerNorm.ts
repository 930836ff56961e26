import { checkCounts } from '../errors.js';
import { Parameter } from '../graph/parameter.js';
import { ones, zeros } from '../ops/create.js';
import { layerNorm as normalize } from '../ops/normalize.js';
import { type Module, module } from './module.js';
import { checkLastAxis } from './sizes.js';

/**
 * Ba, Kiros and Hinton 2016: each row of the last axis normalized by its own mean and variance, then scaled and
 * shifted: `weight` starts at 1, `bias` at 0, `[size]` both.
 */
export function layerNorm(size: number, { epsilon = 1e-5 }: { readonly epsilon?: number } = {}): Module {
  checkCounts('nn.layerNorm', { size });
  const weight = new Parameter(ones([size]), { name: 'weight' });
  const bias = new Parameter(zeros([size]), { name: 'bias' });
  return module({
    description: `layerNorm(${size})`,
    parameters: { weight, bias },
    forward: (x) => {
      checkLastAxis('nn.layerNorm', x, size);
      return normalize(x, weight, bias, { epsilon });
    },
  });
}
