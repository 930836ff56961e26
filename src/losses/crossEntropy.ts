import type { LossOptions } from '../custom/defineLoss.js';
import type { TensorData } from '../graph/source.js';
import type { Tensor, TensorLike } from '../graph/tensor.js';
import { compSum } from './compSum.js';

/**
 * Softmax cross-entropy (the logistic loss), `-log softmax(logits)[label]`: comp-sum at tau = 1.
 *
 * @param logits `[...batch, classes]`, f32.
 * @param labels `[...batch]`, i32 or u32 or an array of integers, in `[0, classes)`.
 * @returns 0-d (mean), in nats; `[...batch]` with `reduction: 'none'`.
 * @source Mao, Mohri, Zhong 2023, section 3.
 */
export function crossEntropy(logits: Tensor, labels: TensorLike | TensorData, options: LossOptions = {}): Tensor {
  return compSum(logits, labels, options);
}
