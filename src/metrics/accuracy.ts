import { toI32 } from '../ops/casts.js';
import { equal } from '../ops/comparison.js';
import { sum } from '../ops/reduce.js';
import { type Metric, metricOf } from './metric.js';
import { shareOf } from './shareOf.js';

/**
 * The part of the rows whose largest logit is their label's; of equal logits the first is the prediction, as for argmax.
 * A row with NaN has no prediction and counts as wrong. NaN over no rows.
 *
 * @example const accuracy = await metrics.accuracy().of(model(images), labels);
 */
export function accuracy(): Metric<number> {
  return metricOf('metrics.accuracy', ({ outcome }) => [sum(toI32(equal(outcome, 1)))], shareOf);
}
