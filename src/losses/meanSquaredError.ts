import { formatShape, ShapeError, ValueError } from '../errors.js';
import { sameShape } from '../graph/shape.js';
import { asTensor, type TensorData } from '../graph/source.js';
import type { Tensor, TensorLike } from '../graph/tensor.js';
import { square, subtract } from '../ops/arithmetic.js';
import { mean, sum } from '../ops/reduce.js';

export interface MeanSquaredErrorOptions {
  /** 'mean' (default) over all elements; 'sum'; or 'none': the shape of the predictions. */
  readonly reduction?: 'mean' | 'sum' | 'none';
}

/**
 * The squared difference. The planner computes it inside the reduction, and its gradient inside what reads
 * that, so neither the difference nor its square is stored.
 *
 * @param predictions any shape, f32. @param targets the same shape.
 * @throws ShapeError when the shapes differ: a silent broadcast would average the wrong thing.
 */
export function meanSquaredError(
  predictions: Tensor,
  targets: TensorLike | TensorData,
  { reduction = 'mean' }: MeanSquaredErrorOptions = {},
): Tensor {
  const wanted = asTensor('losses.meanSquaredError', targets);
  if (!sameShape(predictions.shape, wanted.shape)) {
    throw new ShapeError(
      'losses.meanSquaredError',
      `predictions are ${formatShape(predictions.shape)}, targets ${formatShape(wanted.shape)}; they must be equal.`,
      { mend: 'reshape one of them.' },
    );
  }
  const squares = square(subtract(predictions, wanted));
  if (reduction === 'none') return squares;
  if (reduction === 'sum') return sum(squares);
  if (reduction === 'mean') return mean(squares);
  throw new ValueError('losses.meanSquaredError', `reduction is '${String(reduction)}'; it must be 'mean', 'sum' or 'none'.`);
}
