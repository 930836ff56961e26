import { specialCase } from '../custom/defineLoss.js';
import { add } from '../ops/arithmetic.js';
import { compSum } from './compSum.js';

/**
 * Generalized cross-entropy, `(1 - p^q) / q` with `p = softmax(logits)[label]`: comp-sum at tau = 1 + q. Between
 * cross-entropy (q = 0, the limit) and mean absolute error (q = 1): the larger q, the less do wrong labels weigh.
 *
 * @param logits `[...batch, classes]`, f32.
 * @param target as for compSum: labels `[...batch]` in `[0, classes)`, or soft targets `[...batch, classes]`.
 * @returns 0-d (mean), from 0 to 1 / q; `[...batch]` with `reduction: 'none'`.
 * @throws ShapeError if the batch shapes differ; ValueError if q is not in [0, 1].
 * @source Zhang, Sabuncu 2018; Mao, Mohri, Zhong 2023, section 3.
 * @example losses.generalizedCrossEntropy(model(images), labels, { q: 0.7 })
 */
export const generalizedCrossEntropy = specialCase(
  compSum,
  {
    name: 'generalizedCrossEntropy',
    source: 'Zhang, Sabuncu 2018; Mao, Mohri, Zhong 2023, section 3: tau = 1 + q',
    parameters: { q: { default: 0.7, min: 0, max: 1 } },
  },
  ({ q }) => ({ tau: add(q, 1) }),
);
