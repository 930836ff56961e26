import { checkCounts, ValueError } from '../errors.js';
import { Parameter } from '../graph/parameter.js';
import type { Tensor } from '../graph/tensor.js';
import { add, multiply } from '../ops/arithmetic.js';
import { ones, zeros } from '../ops/create.js';
import { batchNorm as normalize, normalizeBatch } from '../ops/normalize.js';
import { type Module, module } from './module.js';
import { checkLastAxis } from './sizes.js';

export interface BatchNormLayerOptions {
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
  /** The share of a batch in the running statistics, as in PyTorch. Default 0.1. */
  readonly momentum?: number;
}

/**
 * Ioffe and Szegedy 2015: each channel (the last axis) normalized over all else. In training by the batch's own mean and
 * variance, which also move `runningMean` and `runningVariance` by their momentum, at the end of the step; in evaluation
 * by these. They are parameters that no optimizer changes (`trainable: false`) and checkpoints keep. The running variance
 * is by the count less one, as in PyTorch. Called twice in one step, the later call's batch moves them.
 */
export function batchNorm(channels: number, { epsilon = 1e-5, momentum = 0.1 }: BatchNormLayerOptions = {}): Module {
  checkCounts('nn.batchNorm', { channels });
  if (!(momentum >= 0 && momentum <= 1)) {
    throw new ValueError('nn.batchNorm', `momentum is ${momentum}; it must be in [0, 1].`);
  }
  const weight = new Parameter(ones([channels]), { name: 'weight' });
  const bias = new Parameter(zeros([channels]), { name: 'bias' });
  const runningMean = new Parameter(zeros([channels]), { name: 'runningMean', trainable: false });
  const runningVariance = new Parameter(ones([channels]), { name: 'runningVariance', trainable: false });
  const move = (running: Parameter, batch: Tensor) =>
    running.assign(add(multiply(running, 1 - momentum), multiply(batch, momentum)));
  return module({
    description: `batchNorm(${channels})`,
    parameters: { weight, bias, runningMean, runningVariance },
    forward: (x, training) => {
      checkLastAxis('nn.batchNorm', x, channels);
      if (!training()) {
        return normalize(x, weight, bias, { epsilon, statistics: { mean: runningMean, variance: runningVariance } });
      }
      const { value, mean, variance } = normalizeBatch(x, weight, bias, epsilon);
      const count = x.size / channels;
      // A batch of nothing says nothing.
      if (count > 0) {
        move(runningMean, mean);
        move(runningVariance, multiply(variance, count / (count - 1)));
      }
      return value;
    },
  });
}
