import { softplus } from '../ops/activation.js';
import { subtract } from '../ops/arithmetic.js';
import { takeByLabel } from '../ops/gather.js';
import { where } from '../ops/logical.js';
import { max } from '../ops/reduce.js';
import { logsumexp } from '../ops/softmax.js';
import type { Metric } from './metric.js';
import { meanOf } from './rowMean.js';

/**
 * The mean of `-log softmax(logits)[label]`, in nats: scikit-learn's `log_loss`, without its clipping. A row with NaN or
 * +infinity makes it NaN; so do no rows.
 *
 * @example const nll = await metrics.negativeLogLikelihood().of(logits, labels, { temperature: 1.7 });
 */
export function negativeLogLikelihood(): Metric<number> {
  return meanOf('metrics.negativeLogLikelihood', ({ logits, labels, isLabel }) => {
    // From the largest logit on, and with the label apart: its log-odds lose nothing, be p next to 0 or to 1.
    const shifted = subtract(logits, max(logits, { axes: -1, keepDims: true }));
    const others = logsumexp(where(isLabel, Number.NEGATIVE_INFINITY, shifted), { axes: -1 });
    return softplus(subtract(others, takeByLabel(shifted, labels)));
  });
}
