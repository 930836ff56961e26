import { specialCase } from '../custom/defineLoss.js';
import { constant } from '../graph/source.js';
import { compSum } from './compSum.js';

/**
 * Softmax cross-entropy (the logistic loss), `-log softmax(logits)[label]`: comp-sum at tau = 1.
 *
 * @param logits `[...batch, classes]`, f32.
 * @param target as for compSum: labels `[...batch]` in `[0, classes)`, or soft targets `[...batch, classes]`.
 * @returns 0-d (mean), in nats; `[...batch]` with `reduction: 'none'`.
 * @throws ShapeError if the batch shapes differ.
 * @source Mao, Mohri, Zhong 2023, section 3.
 * @example losses.crossEntropy(model(images), labels)
 */
export const crossEntropy = specialCase(
  compSum,
  { name: 'crossEntropy', source: 'Mao, Mohri, Zhong 2023, section 3: tau = 1' },
  () => ({ tau: constant(1) }),
);
