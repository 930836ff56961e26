import type { Loss, Scores } from '../custom/defineLoss.js';
import { linearRows } from '../custom/linearRows.js';
import type { LossOptions, LossParameter } from '../custom/lossArguments.js';
import { DtypeError, formatShape, ShapeError } from '../errors.js';
import { sizeOf } from '../graph/shape.js';
import type { TensorData } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { add } from '../ops/arithmetic.js';
import { reshapeExactly } from '../ops/broadcast.js';
import { matmul } from '../ops/matmul.js';

const OP = 'losses.linear';

/**
 * `loss(hidden weight + bias, target, options)`, its logits made chunk by chunk of rows and never stored whole: for a
 * language model's vocabulary, where the logits and their gradient would take more memory than all else. Value and
 * gradients come from one pass over the chunks, with 16 MiB of logits and as many of gradients at a time.
 *
 * A gradient by a parameter of the loss (tau) or by soft targets, and second derivatives, do store the logits.
 *
 * @param loss any loss of `defineLoss`: `losses.compSum`, `losses.crossEntropy`, your own.
 * @param hidden `[...batch, inputs]`, f32.
 * @param weight `[inputs, classes]`, f32; `transpose(embedding)` is a view and costs nothing.
 * @param bias `[classes]`, or undefined.
 * @param target as the loss takes it, for logits `[...batch, classes]`.
 * @param options those of the loss.
 * @returns what the loss returns.
 * @throws ShapeError when sizes do not fit; and what the loss throws, in its own name.
 * @example losses.linear(losses.crossEntropy, hidden, head.weight, head.bias, nextTokens)
 */
export function linear<Parameters extends Record<string, LossParameter>>(
  loss: Loss<Parameters>,
  hidden: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  target: TensorLike | TensorData,
  options: LossOptions & { readonly [Name in keyof Parameters]?: TensorLike } = {},
): Tensor {
  check('hidden', hidden);
  check('weight', weight);
  if (bias !== undefined) check('bias', bias);
  const inputs = hidden.shape.at(-1);
  const [given, classes = 0] = weight.shape;
  if (hidden.rank === 0 || weight.rank !== 2 || inputs !== given) {
    const turned = weight.rank === 2 && inputs === classes;
    throw new ShapeError(
      OP,
      `hidden is ${formatShape(hidden.shape)}, weight ${formatShape(weight.shape)}; weight must be [inputs, classes], inputs the last axis of hidden.`,
      turned ? { mend: 'give the transpose of the weight: transpose(weight).' } : {},
    );
  }
  if (bias !== undefined && !(bias.rank === 1 && bias.size === classes)) {
    throw new ShapeError(OP, `bias is ${formatShape(bias.shape)}; it must be [${classes}].`);
  }
  const batch = hidden.shape.slice(0, -1);
  const rows = reshapeExactly(hidden, [sizeOf(batch), inputs ?? 0]);
  const scores: Scores = {
    shape: [...batch, classes],
    values: (kernels, rest, attributes, cool) => {
      // Cooled before the product: there are fewer hidden states than logits.
      const layer = [cool(rows, true), weight, ...(bias === undefined ? [] : [cool(bias, false)])];
      // Without rows, or without inputs, there is no chunk to begin with.
      if (rows.size === 0) return kernels.values([plainLogits(layer), ...rest], attributes);
      return linearRows(kernels, bias !== undefined)([...layer, ...rest], attributes);
    },
  };
  return loss.over(scores, target, options);
}

function plainLogits([hidden, weight, bias]: readonly Tensor[]): Tensor {
  const product = matmul(hidden as Tensor, weight as Tensor);
  return bias === undefined ? product : add(product, bias);
}

function check(what: string, given: Tensor): void {
  if (!(given instanceof Tensor)) throw new DtypeError(OP, `${what} is not a Tensor.`);
  given.assertNotFreed(OP);
  if (given.dtype === 'f32') return;
  throw new DtypeError(OP, `${what} is ${given.dtype}; it must be f32.`, { mend: `cast it: toF32(${what}).` });
}
