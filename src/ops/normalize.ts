import { formatShape, ShapeError, ValueError } from '../errors.js';
import type { ViewOp } from '../graph/op.js';
import { resolveAxes, type Shape, sameShape } from '../graph/shape.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { add, divide, multiply, subtract } from './arithmetic.js';
import { reshapeExactly, sumTo } from './broadcast.js';
import { checkDtype, operands } from './elementwise.js';
import { rsqrt } from './exponential.js';
import { type Moments, moments } from './moments.js';

interface NormalizeOptions {
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
}

export interface LayerNormOptions extends NormalizeOptions {
  /** Which axes; negative ones count from the end. Default: the last. */
  readonly axes?: number | readonly number[];
}

export interface BatchNormOptions extends NormalizeOptions {
  /** Normalizes by these, `[channels]` each, instead of by the batch: what evaluation does. */
  readonly statistics?: Moments;
}

/** A tensor normalized by its own moments, which come along. */
export interface Normalized extends Moments {
  readonly value: Tensor;
}

/** The identity on the finished value; its further inputs (x, weight, bias) are for the way back. */
const normalizeOp = (backward: (cotangent: Tensor) => readonly Tensor[]): ViewOp => ({
  name: 'normalize',
  kind: 'view',
  view: (input) => input,
  vjp: ({ cotangent }) => [undefined, ...backward(cotangent)],
});

/**
 * `(x - mean) / sqrt(variance + epsilon) * weight + bias` by x's own moments over `axes`; weight and bias have x's rank
 * and broadcast.
 *
 * Its derivative is written by hand: two sums over the normalized axes where following the value's steps takes four.
 * With h the normalized x, s = g weight and means over the axes: dx = (s - mean(s) - h mean(s h)) / deviation.
 */
function normalizeByOwn(x: Tensor, axes: readonly number[], weight: Tensor, bias: Tensor, epsilon: number): Normalized {
  const { mean, variance } = moments(x, { axes, keepDims: true });
  const count = axes.reduce((size, axis) => size * (x.shape[axis] ?? 1), 1);
  const inverse = rsqrt(add(variance, epsilon));
  const normal = multiply(subtract(x, mean), inverse);
  const backward = (cotangent: Tensor) => {
    const byWeight = sumTo(multiply(cotangent, normal), weight.shape);
    const byBias = sumTo(cotangent, bias.shape);
    // A weight for each mean (a channel's, in a batch) comes out of the means: its own two sums serve.
    const shared = sameShape(weight.shape, mean.shape);
    const slope = shared ? cotangent : multiply(cotangent, weight);
    const level = divide(shared ? byBias : sumTo(slope, mean.shape), count);
    const tilt = divide(shared ? byWeight : sumTo(multiply(slope, normal), mean.shape), count);
    const scale = shared ? multiply(weight, inverse) : inverse;
    return [multiply(subtract(subtract(slope, level), multiply(normal, tilt)), scale), byWeight, byBias];
  };
  const value = add(multiply(normal, weight), bias);
  const result = new Tensor(normalizeOp(backward), [value, x, weight, bias], x.shape, 'f32');
  return { value: result, mean, variance };
}

function checkEpsilon(op: string, epsilon: number): void {
  if (epsilon >= 0) return;
  throw new ValueError(op, `epsilon is ${epsilon}; it must be at least 0.`);
}

function checkShape(op: string, name: string, given: Tensor, wanted: Shape, x: Tensor, what: string): void {
  if (sameShape(given.shape, wanted)) return;
  const [is, must] = [formatShape(given.shape), formatShape(wanted)];
  throw new ShapeError(op, `${name} is ${is}, x is ${formatShape(x.shape)}; ${name} must be ${must}, ${what}.`);
}

/**
 * Ba, Kiros and Hinton 2016: each example normalized over its own axes, by the variance of the population:
 * `(x - mean) / sqrt(variance + epsilon) * weight + bias`.
 *
 * @param weight of the shape of the normalized axes, f32.
 * @param bias the same.
 * @throws ShapeError when weight or bias have another shape.
 */
export function layerNorm(
  x: TensorLike,
  weight: TensorLike,
  bias: TensorLike,
  { axes = -1, epsilon = 1e-5 }: LayerNormOptions = {},
): Tensor {
  const [input, scale, shift] = operands('layerNorm', ['f32'], x, weight, bias) as [Tensor, Tensor, Tensor];
  checkDtype('layerNorm', input.dtype, ['f32']);
  checkEpsilon('layerNorm', epsilon);
  const chosen = resolveAxes('layerNorm', axes, input.rank);
  const wanted = chosen.map((axis) => input.shape[axis] ?? 1);
  checkShape('layerNorm', 'weight', scale, wanted, input, 'as its normalized axes');
  checkShape('layerNorm', 'bias', shift, wanted, input, 'as its normalized axes');
  const along = input.shape.map((length, axis) => (chosen.includes(axis) ? length : 1));
  return normalizeByOwn(input, chosen, reshapeExactly(scale, along), reshapeExactly(shift, along), epsilon).value;
}

/**
 * Ioffe and Szegedy 2015: each channel (the last axis) normalized over all else, by the batch's own moments or by
 * given `statistics`: `(x - mean) / sqrt(variance + epsilon) * weight + bias`. `nn.batchNorm` keeps the statistics.
 *
 * @param x `[...batch, channels]`, f32.
 * @param weight `[channels]`, f32.
 * @param bias `[channels]`, f32.
 * @throws ShapeError when weight, bias or statistics have another shape; ValueError for one value a channel without
 * statistics, for it has no variance.
 */
export function batchNorm(
  x: TensorLike,
  weight: TensorLike,
  bias: TensorLike,
  { epsilon = 1e-5, statistics }: BatchNormOptions = {},
): Tensor {
  const [input, scale, shift] = operands('batchNorm', ['f32'], x, weight, bias) as [Tensor, Tensor, Tensor];
  if (statistics === undefined) return normalizeBatch(input, scale, shift, epsilon).value;
  checkBatch(input, { weight: scale, bias: shift, ...statistics }, epsilon);
  const factor = multiply(rsqrt(add(statistics.variance, epsilon)), scale);
  return add(multiply(subtract(input, statistics.mean), factor), shift);
}

/** `batchNorm` by the batch's moments, with these, `[channels]` each. */
export function normalizeBatch(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Normalized {
  checkBatch(x, { weight, bias }, epsilon);
  const channels = x.shape.at(-1) ?? 1;
  if (x.size === channels && channels > 0) {
    throw new ValueError('batchNorm', `x is ${formatShape(x.shape)}: one value for each channel has no variance.`, {
      mend: 'train on more than one example at once, or evaluate: model.eval().',
    });
  }
  const axes = Array.from({ length: x.rank - 1 }, (_, axis) => axis);
  const along = [...axes.map(() => 1), channels];
  const found = normalizeByOwn(x, axes, reshapeExactly(weight, along), reshapeExactly(bias, along), epsilon);
  const flat = (moment: Tensor) => reshapeExactly(moment, [channels]);
  return { value: found.value, mean: flat(found.mean), variance: flat(found.variance) };
}

function checkBatch(x: Tensor, others: Readonly<Record<string, Tensor>>, epsilon: number): void {
  checkDtype('batchNorm', x.dtype, ['f32']);
  checkEpsilon('batchNorm', epsilon);
  if (x.rank < 1) throw new ShapeError('batchNorm', 'x is 0-d; its last axis must be the channels.');
  for (const [name, given] of Object.entries(others))
    checkShape('batchNorm', name, given, x.shape.slice(-1), x, 'as its last axis');
}
