import { checkLogits } from '../custom/lossArguments.js';
import { labelsOf } from '../custom/targets.js';
import { checkNames } from '../errors.js';
import type { TensorData } from '../graph/source.js';
import type { Tensor, TensorLike } from '../graph/tensor.js';
import { multiply, subtract } from '../ops/arithmetic.js';
import { toF32 } from '../ops/casts.js';
import { greater } from '../ops/comparison.js';
import { sum } from '../ops/reduce.js';
import { HOLD } from './compSumOf.js';
import { crossEntropy } from './crossEntropy.js';

export interface HeldRowsOptions {
  /** As given to the loss. */
  readonly tau: TensorLike;
  readonly temperature?: TensorLike;
  readonly ignoreIndex?: number;
}

const OP = 'losses.heldRows';

/**
 * How many rows of a comp-sum loss lie on its linear continuation: for tau < 1 the loss and its gradient would leave
 * float32 on hopeless rows, so beyond `(1 - tau) c = 40` both go on as a straight line, with the gradient of that point.
 * More than a few such rows say that tau is too small for this model, or the learning rate too large.
 *
 * @param labels `[...batch]`.
 * @throws DtypeError for soft targets.
 * @returns 0-d f32. Always 0 for tau >= 1.
 * @example const held = losses.heldRows(logits, labels, { tau: 0 });
 */
export function heldRows(logits: Tensor, labels: TensorLike | TensorData, options: HeldRowsOptions): Tensor {
  checkNames(OP, options, ['tau', 'temperature', 'ignoreIndex']);
  const target = labelsOf(OP, labels, checkLogits(OP, logits).shape);
  const { tau, ...rest } = options;
  const c = crossEntropy(logits, target, { ...rest, reduction: 'none' });
  return sum(toF32(greater(multiply(subtract(1, tau), c), HOLD)));
}
