import { checkNames, formatShape, ShapeError, ValueError } from '../errors.js';
import { sameShape } from '../graph/shape.js';
import { asTensor, type TensorData } from '../graph/source.js';
import type { Tensor, TensorLike } from '../graph/tensor.js';
import { divide, square, subtract } from '../ops/arithmetic.js';
import { reshapeExactly } from '../ops/broadcast.js';
import { checkDtype } from '../ops/elementwise.js';
import { sum } from '../ops/reduce.js';
import { squaredErrorRows } from './squaredError.js';

export interface MeanSquaredErrorOptions {
  /** 'mean' (default) over all elements; 'sum'; or 'none': the shape of the predictions. */
  readonly reduction?: 'mean' | 'sum' | 'none';
}

/**
 * The squared difference. One kernel reads predictions and targets once and gives the sum of each row with the
 * gradient; neither the differences nor their squares are stored.
 *
 * @param predictions any shape, f32. @param targets the same shape.
 * @throws ShapeError when the shapes differ: a silent broadcast would average the wrong thing.
 */
export function meanSquaredError(
  predictions: Tensor,
  targets: TensorLike | TensorData,
  options: MeanSquaredErrorOptions = {},
): Tensor {
  checkNames('losses.meanSquaredError', options, ['reduction']);
  const { reduction = 'mean' } = options;
  const wanted = asTensor('losses.meanSquaredError', targets);
  if (!sameShape(predictions.shape, wanted.shape)) {
    throw new ShapeError(
      'losses.meanSquaredError',
      `predictions are ${formatShape(predictions.shape)}, targets ${formatShape(wanted.shape)}; they must be equal.`,
      { mend: 'reshape one of them.' },
    );
  }
  checkDtype('losses.meanSquaredError', predictions.dtype, ['f32']);
  checkDtype('losses.meanSquaredError', wanted.dtype, ['f32']);
  if (reduction === 'none') return square(subtract(predictions, wanted));
  if (reduction !== 'mean' && reduction !== 'sum') {
    throw new ValueError(
      'losses.meanSquaredError',
      `reduction is '${String(reduction)}'; it must be 'mean', 'sum' or 'none'.`,
    );
  }
  const { size } = predictions;
  const columns = predictions.rank < 2 ? 1 : (predictions.shape.at(-1) ?? 1);
  const shape = [columns === 0 ? 0 : size / columns, columns];
  const total = sum(squaredErrorRows(reshapeExactly(predictions, shape), reshapeExactly(wanted, shape)));
  if (reduction === 'sum') return total;
  if (size === 0) console.warn('losses.meanSquaredError: there are no elements: the mean is NaN.');
  return divide(total, size);
}
