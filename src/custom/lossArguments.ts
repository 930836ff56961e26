import { checkNames, DtypeError, formatShape, ShapeError, ValueError } from '../errors.js';
import { sameShape } from '../graph/shape.js';
import { asTensor, type NestedNumbers, type TensorData, tensor } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { multiply } from '../ops/arithmetic.js';
import { reshapeExactly } from '../ops/broadcast.js';
import { toF32, toI32 } from '../ops/casts.js';
import { equal, notEqual } from '../ops/comparison.js';
import { gather } from '../ops/gather.js';
import { where } from '../ops/logical.js';
import { expandDims } from '../ops/shaping.js';

/** A number that a loss depends on, besides its data. */
export interface LossParameter {
  readonly default: number;
  /** Smallest and largest value allowed; default: any. */
  readonly min?: number;
  readonly max?: number;
}

export interface LossOptions {
  /** 'mean' (default) by the sum of weights; 'sum'; or 'none': `[...batch]`. */
  readonly reduction?: 'mean' | 'sum' | 'none';
  /** Logits are divided by it. Default 1. */
  readonly temperature?: TensorLike;
  /** `[...batch]`: each example's weight. */
  readonly sampleWeights?: TensorLike | TensorData;
  /** `[classes]`: the weight of each example by its label. */
  readonly classWeights?: TensorLike | TensorData;
  /** Examples with this label count for nothing. */
  readonly ignoreIndex?: number;
}

const OPTIONS = ['reduction', 'temperature', 'sampleWeights', 'classWeights', 'ignoreIndex'];

export function checkOptions(op: string, options: Record<string, unknown>, parameters: readonly string[]): void {
  checkNames(op, options, [...OPTIONS, ...parameters]);
  const { reduction = 'mean', ignoreIndex } = options;
  if (reduction !== 'mean' && reduction !== 'sum' && reduction !== 'none') {
    throw new ValueError(op, `reduction is '${String(reduction)}'; it must be 'mean', 'sum' or 'none'.`);
  }
  if (ignoreIndex !== undefined && !Number.isInteger(ignoreIndex)) {
    throw new ValueError(op, `ignoreIndex is ${String(ignoreIndex)}; it must be an integer.`);
  }
}

export function checkLogits(op: string, logits: Tensor): Tensor {
  if (!(logits instanceof Tensor)) throw new DtypeError(op, 'the logits are not a Tensor.');
  logits.assertNotFreed(op);
  if (logits.dtype !== 'f32') {
    throw new DtypeError(op, `the logits are ${logits.dtype}; they must be f32.`, {
      mend: 'cast them: toF32(logits).',
    });
  }
  if (logits.rank === 0) throw new ShapeError(op, 'the logits are 0-d; they need a last axis of classes.');
  return logits;
}

export function checkLabels(
  op: string,
  labels: TensorLike | TensorData,
  batch: readonly number[],
  logits: Tensor,
): Tensor {
  const target = Array.isArray(labels) ? integers(op, labels) : asTensor(op, labels, 'i32');
  if (target.dtype === 'f32' || target.dtype === 'bool') {
    throw new DtypeError(op, `the labels are ${target.dtype}; they must be i32 or u32.`, {
      mend: 'cast them: toI32(labels).',
    });
  }
  if (!sameShape(target.shape, batch)) {
    throw new ShapeError(
      op,
      `logits are ${formatShape(logits.shape)}, labels ${formatShape(target.shape)}; labels must be ${formatShape(batch)}.`,
      { mend: 'give one label for each row of logits.' },
    );
  }
  return toI32(target);
}

/** Arrays are f32 elsewhere; those of labels are i32. */
function integers(op: string, labels: NestedNumbers): Tensor {
  for (const label of (labels as readonly unknown[]).flat(Number.POSITIVE_INFINITY)) {
    if (!Number.isInteger(label) || (label as number) !== ((label as number) | 0)) {
      throw new ValueError(op, `a label is ${String(label)}; it must be an integer of 32 bits.`);
    }
  }
  return tensor(labels, { dtype: 'i32' });
}

export function parameterOf(
  op: string,
  name: string,
  { default: fallback, min, max }: LossParameter,
  given: unknown,
): Tensor {
  const value = (given ?? fallback) as TensorLike;
  if (typeof value === 'number') {
    if (min !== undefined && !(value >= min))
      throw new ValueError(op, `${name} is ${value}; it must be at least ${min}.`);
    if (max !== undefined && !(value <= max))
      throw new ValueError(op, `${name} is ${value}; it must be at most ${max}.`);
  }
  const tensor = asTensor(op, value);
  if (tensor.size !== 1) throw new ShapeError(op, `${name} is ${formatShape(tensor.shape)}; it must be 0-d.`);
  return reshapeExactly(tensor, []);
}

/** The weight of each row, or undefined when all count alike. */
export function weightsOf(
  op: string,
  { sampleWeights, classWeights, ignoreIndex }: LossOptions,
  labels: Tensor,
  batch: readonly number[],
  classes: number,
): Tensor | undefined {
  let weights: Tensor | undefined;
  const times = (factor: Tensor) => {
    weights = weights === undefined ? factor : multiply(weights, factor);
  };
  if (sampleWeights !== undefined) {
    const given = asTensor(op, sampleWeights);
    if (!sameShape(given.shape, batch)) {
      throw new ShapeError(op, `sampleWeights are ${formatShape(given.shape)}; they must be ${formatShape(batch)}.`);
    }
    times(reshapeExactly(given, [labels.size]));
  }
  if (classWeights !== undefined) {
    const given = asTensor(op, classWeights);
    if (!sameShape(given.shape, [classes])) {
      throw new ShapeError(op, `classWeights are ${formatShape(given.shape)}; they must be [${classes}].`);
    }
    // An ignored label may lie out of range: it looks up class 0, and counts for nothing below.
    const safe = ignoreIndex === undefined ? labels : where(notEqual(labels, ignoreIndex), labels, 0);
    times(gather(given, safe));
  }
  if (ignoreIndex !== undefined) times(toF32(notEqual(labels, ignoreIndex)));
  return weights;
}

/** An ignored row's logits (NaN, say) times 0 would reach the gradient by the temperature. */
export function withoutIgnored(logits: Tensor, labels: Tensor, { temperature, ignoreIndex }: LossOptions): Tensor {
  if (ignoreIndex === undefined || typeof temperature === 'number') return logits;
  return where(expandDims(equal(labels, ignoreIndex), -1), 0, logits);
}
