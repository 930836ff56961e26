import { formatShape, ShapeError } from '../errors.js';
import { sameShape } from '../graph/shape.js';
import type { Tensor } from '../graph/tensor.js';
import { where } from '../ops/logical.js';
import { sum } from '../ops/reduce.js';
import { type Metric, metricOf } from './metric.js';
import type { Rows } from './rows.js';
import { shareOf } from './shareOf.js';

/**
 * The mean over the rows of what a function of tensors gives for each, such as a loss. A batch is summed in float32 on
 * the GPU, the batches in float64. NaN over no rows.
 *
 * @param values of logits `[rows, classes]` and labels `[rows]` (i32): `[rows]`, f32.
 * @throws ShapeError when it gives another shape.
 * @example metrics.rowMean((logits, labels) => losses.compSum(logits, labels, { tau: 0.5, reduction: 'none' }))
 */
export function rowMean(values: (logits: Tensor, labels: Tensor) => Tensor): Metric<number> {
  return meanOf('metrics.rowMean', ({ logits, given }) => values(logits, given));
}

/** @param op, what how an error begins: 'metrics.rowMean: the values are'. */
export function meanOf(op: string, values: (rows: Rows) => Tensor, what = 'the values are'): Metric<number> {
  return metricOf(
    op,
    (rows) => {
      const result = values(rows);
      if (!sameShape(result.shape, rows.labels.shape)) {
        throw new ShapeError(op, `${what} ${formatShape(result.shape)} for labels ${formatShape(rows.labels.shape)}.`, {
          mend: "give the value of each row: { reduction: 'none' }.",
        });
      }
      return [sum(where(rows.counted, result, 0))];
    },
    shareOf,
  );
}
