import { specialCase } from '../custom/defineLoss.js';
import { constant } from '../graph/source.js';
import { compSum } from './compSum.js';

/**
 * Sum-exponential loss, `sum over j != label of e^(z_j - z_label)`, which is `1 / p - 1`: comp-sum at tau = 0. Its
 * gradient grows with the value itself, so a few hard rows outweigh all others; beyond e^40 both go on linearly.
 *
 * @param logits `[...batch, classes]`, f32.
 * @param target as for compSum: labels `[...batch]` in `[0, classes)`, or soft targets `[...batch, classes]`.
 * @returns 0-d (mean), at least 0; `[...batch]` with `reduction: 'none'`.
 * @throws ShapeError if the batch shapes differ.
 * @source Mao, Mohri, Zhong 2023, section 3.
 * @example losses.sumExponential(model(images), labels)
 */
export const sumExponential = specialCase(
  compSum,
  { name: 'sumExponential', source: 'Mao, Mohri, Zhong 2023, section 3: tau = 0' },
  () => ({ tau: constant(0) }),
);
