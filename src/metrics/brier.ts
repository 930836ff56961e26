import { add, square } from '../ops/arithmetic.js';
import { where } from '../ops/logical.js';
import { sum } from '../ops/reduce.js';
import type { Metric } from './metric.js';
import { meanOf } from './rowMean.js';

/**
 * The Brier score: the mean of the squared distance between `softmax(logits)` and the one-hot label, summed over the
 * classes, from 0 to 2. For two classes it is twice what scikit-learn's `brier_score_loss` gives for labels 0 and 1.
 * A row with NaN or +infinity makes it NaN; so do no rows.
 *
 * @source Brier 1950.
 * @example const score = await metrics.brier().of(logits, labels);
 */
export function brier(): Metric<number> {
  return meanOf('metrics.brier', ({ probabilities, isLabel }) => {
    const others = where(isLabel, 0, probabilities);
    // 1 - p of the label is the sum of the others, where nothing cancels.
    return add(square(sum(others, { axes: -1 })), sum(square(others), { axes: -1 }));
  });
}
