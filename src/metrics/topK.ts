import { checkCounts } from '../errors.js';
import { toI32 } from '../ops/casts.js';
import { equal, greater, less } from '../ops/comparison.js';
import { indices } from '../ops/create.js';
import { takeByLabel } from '../ops/gather.js';
import { and, not, or } from '../ops/logical.js';
import { sum } from '../ops/reduce.js';
import { expandDims } from '../ops/shaping.js';
import { type Metric, metricOf } from './metric.js';
import { shareOf } from './shareOf.js';

/**
 * The part of the rows whose label is among the `k` largest logits; of equal logits the first come first, so that
 * `topK(1)` is `accuracy()`. With `k` classes or fewer every row counts, but for one with NaN. NaN over no rows.
 *
 * @throws ValueError unless k is an integer of at least 1.
 * @example const top5 = await metrics.topK(5).of(logits, labels);
 */
export function topK(k: number): Metric<number> {
  const op = 'metrics.topK';
  checkCounts(op, { k });
  return metricOf(
    op,
    ({ logits, labels, counted, classes, hasNan }) => {
      const own = expandDims(takeByLabel(logits, labels), -1);
      const isBefore = and(equal(logits, own), less(indices(classes), expandDims(labels, -1)));
      const ahead = sum(toI32(or(greater(logits, own), isBefore)), { axes: -1 });
      // Comparisons with NaN are false: such a row would have nobody ahead.
      return [sum(toI32(and(and(counted, not(hasNan)), less(ahead, k))))];
    },
    shareOf,
  );
}
