import { specialCase } from '../custom/defineLoss.js';
import { constant } from '../graph/source.js';
import { compSum } from './compSum.js';

/**
 * Mean absolute error of classification, `1 - p` with `p = softmax(logits)[label]`: half of the L1 distance between the
 * probabilities and the one-hot label, comp-sum at tau = 2. Bounded, hence robust to wrong labels; and its gradient
 * carries the factor p, so rows that start out hopeless (many classes) hardly learn.
 *
 * @param logits `[...batch, classes]`, f32.
 * @param target as for compSum: labels `[...batch]` in `[0, classes)`, or soft targets `[...batch, classes]`.
 * @returns 0-d (mean), from 0 to 1; `[...batch]` with `reduction: 'none'`.
 * @throws ShapeError if the batch shapes differ.
 * @source Mao, Mohri, Zhong 2023, section 3.
 * @example losses.meanAbsoluteError(model(images), labels)
 */
export const meanAbsoluteError = specialCase(
  compSum,
  { name: 'meanAbsoluteError', source: 'Mao, Mohri, Zhong 2023, section 3: tau = 2' },
  () => ({ tau: constant(2) }),
);
