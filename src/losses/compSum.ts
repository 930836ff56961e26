import compSumWgsl from '../../shaders/losses/compSum.wgsl';
import { defineLoss } from '../custom/defineLoss.js';
import { compSumOf } from './compSumOf.js';

/**
 * Comp-sum loss `c * expm1Over((1 - tau) c)`, where `c = -log softmax(logits)[label]`.
 * tau 0 is sum-exponential, 1 cross-entropy, in (1, 2) generalized cross-entropy with q = tau - 1, 2 is `1 - p`.
 *
 * tau may be a tensor or a `scalar` (a slider changes it without a new plan), and has a gradient. Do not minimise the
 * training loss over it: the loss falls as tau grows, whatever the model does, so tau runs away and the gradients of all
 * hard rows fade with it. Learn it on validation data.
 *
 * For tau < 1 value and gradient go on linearly together where `(1 - tau) c > 40`; `losses.heldRows` counts such rows.
 *
 * @param logits `[...batch, classes]`, f32, any real values.
 * @param target `[...batch]`, i32 or u32 or an array of integers, in `[0, classes)`; others give NaN. Or soft targets
 * `[...batch, classes]`, f32 (mixup, distillation): the sum over k of `target_k` times the loss of label k.
 * @returns 0-d (mean), in nats at tau = 1; `[...batch]` with `reduction: 'none'`.
 * @throws ShapeError if the batch shapes differ; ValueError if tau is negative.
 * @source Mao, Mohri, Zhong 2023, section 3.
 * @example losses.compSum(model(images), labels, { tau: 1.5 })
 */
export const compSum = defineLoss({
  name: 'compSum',
  source: 'Mao, Mohri, Zhong 2023, section 3',
  parameters: { tau: { default: 1, min: 0 } },
  wgsl: compSumWgsl,
  curve: (c, { tau }) => compSumOf(c, tau),
});
