import { DtypeError, formatShape, ShapeError, ValueError } from '../errors.js';
import type { Attributes } from '../graph/op.js';
import { sameShape, sizeOf } from '../graph/shape.js';
import { asTensor, type NestedNumbers, type TensorData, tensor } from '../graph/source.js';
import type { Tensor, TensorLike } from '../graph/tensor.js';
import { add, divide, multiply, subtract } from '../ops/arithmetic.js';
import { broadcastTo, reshapeExactly } from '../ops/broadcast.js';
import { toF32, toI32 } from '../ops/casts.js';
import { equal, greaterEqual, less, notEqual } from '../ops/comparison.js';
import { indices } from '../ops/create.js';
import { gather } from '../ops/gather.js';
import { and, where } from '../ops/logical.js';
import { sum } from '../ops/reduce.js';
import { expandDims } from '../ops/shaping.js';
import type { ComplaintAttributes } from './complaints.js';
import { floatsOf, isI32, type LossOptions, numberOrScalar } from './lossArguments.js';

/** Targets as the kernels take them, and what the rows weigh. */
export interface Targets {
  readonly kind: 'labels' | 'soft';
  /** `[rows]` i32; or `[rows, classes]` and `[classes]`. */
  readonly operands: readonly Tensor[];
  readonly attributes: Attributes;
  /** Of each value, `[rows]`; undefined where all count alike. */
  readonly weights: Tensor | undefined;
  /** Rows whose logits shall reach nothing, `[rows]` bools. */
  readonly ignored?: Tensor;
  /** What the mean divides by. */
  readonly total: Tensor | number;
}

/**
 * @param shape of the logits, `[...batch, classes]`.
 * @throws ShapeError, DtypeError or ValueError when the targets fit neither as labels nor as rows of weights.
 */
export function targetsOf(
  op: string,
  given: TensorLike | TensorData,
  shape: readonly number[],
  options: LossOptions,
): Targets {
  const { ignoreIndex, targets = 'error', check = 'targets' } = options;
  const labelSmoothing = numberOrScalar(op, 'labelSmoothing', options.labelSmoothing ?? 0);
  const batch = shape.slice(0, -1);
  const rows = sizeOf(batch);
  const classes = shape.at(-1) ?? 0;
  const samples = sampleWeightsOf(op, options, batch);
  const byClass = classWeightsOf(op, options, classes);
  const target = checkTarget(op, given, shape);
  if (target.dtype === 'f32') {
    if (ignoreIndex !== undefined) {
      throw new ValueError(op, 'ignoreIndex is for labels; the targets are soft.', {
        mend: 'give the rows to ignore sampleWeights of 0.',
      });
    }
    const shares = smooth(prepared(reshapeExactly(target, [rows, classes]), options), labelSmoothing, classes);
    return {
      kind: 'soft',
      operands: [shares, byClass ?? broadcastTo(asTensor(op, 1), [classes])],
      attributes: { op, check, targets } satisfies ComplaintAttributes,
      weights: samples,
      total: samples === undefined ? rows : sum(samples),
    };
  }
  const labels = reshapeExactly(target, [rows]);
  const counted = ignoreIndex === undefined ? undefined : toF32(notEqual(labels, ignoreIndex));
  // An ignored label may lie out of range: it looks up class 0, and counts for nothing below.
  const safe = ignoreIndex === undefined ? labels : where(notEqual(labels, ignoreIndex), labels, 0);
  const ignored = ignoreIndex === undefined ? {} : { ignored: equal(labels, ignoreIndex) };
  const own = byClass === undefined ? undefined : gather(byClass, safe);
  const share = product([samples, own, counted]);
  const total = share === undefined ? rows : sum(share);
  const attributes = { op, check, targets: 'labels' } satisfies ComplaintAttributes;
  if (labelSmoothing === 0) {
    return {
      kind: 'labels',
      operands: [labels],
      attributes: { ...attributes, ignoreIndex },
      weights: share,
      total,
      ...ignored,
    };
  }
  return {
    kind: 'soft',
    operands: [
      smoothLabels(labels, labelSmoothing, classes, ignoreIndex),
      byClass ?? broadcastTo(asTensor(op, 1), [classes]),
    ],
    attributes,
    weights: product([samples, counted]),
    total,
    ...ignored,
  };
}

function product(factors: readonly (Tensor | undefined)[]): Tensor | undefined {
  let all: Tensor | undefined;
  for (const factor of factors) {
    if (factor !== undefined) all = all === undefined ? factor : multiply(all, factor);
  }
  return all;
}

function prepared(rows: Tensor, { targets = 'error' }: LossOptions): Tensor {
  return targets === 'normalise' ? divide(rows, sum(rows, { axes: -1, keepDims: true })) : rows;
}

function smooth(rows: Tensor, smoothing: TensorLike, classes: number): Tensor {
  if (smoothing === 0) return rows;
  return add(multiply(rows, subtract(1, smoothing)), divide(smoothing, classes));
}

/** Rows of weights for labels: never stored, the kernel makes them from the labels as it reads. */
function smoothLabels(labels: Tensor, smoothing: TensorLike, classes: number, ignoreIndex: number | undefined): Tensor {
  const even = divide(smoothing, classes);
  // Compared element by element, not row by row first: that would be a dispatch of its own.
  const at = broadcastTo(expandDims(labels, -1), [labels.size, classes]);
  const rows = where(equal(at, indices(classes)), add(subtract(1, smoothing), even), even);
  const checked = where(and(greaterEqual(at, 0), less(at, classes)), rows, Number.NaN);
  return ignoreIndex === undefined ? checked : where(equal(at, ignoreIndex), 0, checked);
}

/** Labels i32 `[...batch]`, or soft targets f32 of the logits' shape. */
function checkTarget(op: string, labels: TensorLike | TensorData, shape: readonly number[]): Tensor {
  const target = Array.isArray(labels) ? fromNested(op, labels, shape.length) : asTensor(op, labels, 'i32');
  const isSoft = target.rank === shape.length && target.rank > 0;
  if (isSoft && target.dtype === 'f32') {
    if (sameShape(target.shape, shape)) return target;
    throw new ShapeError(
      op,
      `logits are ${formatShape(shape)}, soft targets ${formatShape(target.shape)}; they must be equal.`,
      { mend: 'give a weight for each class of each row, or a label for each row.' },
    );
  }
  if (isSoft && sameShape(target.shape, shape)) {
    throw new DtypeError(op, `the soft targets are ${target.dtype}; they must be f32.`, {
      mend: 'cast them: toF32(targets); or give one label for each row.',
    });
  }
  return checkLabels(op, target, shape);
}

/**
 * Labels alone, i32 `[...batch]`.
 * @param shape of the logits, `[...batch, classes]`.
 */
export function labelsOf(op: string, labels: TensorLike | TensorData, shape: readonly number[]): Tensor {
  const given = Array.isArray(labels) ? fromNested(op, labels, shape.length) : asTensor(op, labels, 'i32');
  return checkLabels(op, given, shape);
}

function checkLabels(op: string, target: Tensor, shape: readonly number[]): Tensor {
  const batch = shape.slice(0, -1);
  if (target.dtype !== 'i32' && target.dtype !== 'u32') {
    throw new DtypeError(op, `the labels are ${target.dtype}; they must be i32 or u32.`, {
      mend: 'cast them: toI32(labels).',
    });
  }
  if (!sameShape(target.shape, batch)) {
    throw new ShapeError(
      op,
      `logits are ${formatShape(shape)}, labels ${formatShape(target.shape)}; labels must be ${formatShape(batch)}.`,
      { mend: 'give one label for each row of logits.' },
    );
  }
  return toI32(target);
}

/**
 * A target written as an array. Arrays are f32 elsewhere; those of labels, which are nested one level less than the
 * logits (of `rank` axes), are i32.
 */
export function fromNested(op: string, labels: NestedNumbers, rank: number): Tensor {
  let depth = 0;
  for (let level: unknown = labels; Array.isArray(level); level = level[0]) depth++;
  if (depth === rank) return tensor(labels, { dtype: 'f32' });
  for (const label of (labels as readonly unknown[]).flat(Number.POSITIVE_INFINITY)) {
    if (!isI32(label)) {
      throw new ValueError(op, `a label is ${String(label)}; it must be an integer of 32 bits.`);
    }
  }
  return tensor(labels, { dtype: 'i32' });
}

function sampleWeightsOf(op: string, { sampleWeights }: LossOptions, batch: readonly number[]): Tensor | undefined {
  if (sampleWeights === undefined) return undefined;
  const given = floatsOf(op, 'sampleWeights', sampleWeights);
  if (!sameShape(given.shape, batch)) {
    throw new ShapeError(op, `sampleWeights are ${formatShape(given.shape)}; they must be ${formatShape(batch)}.`);
  }
  return reshapeExactly(given, [sizeOf(batch)]);
}

function classWeightsOf(op: string, { classWeights }: LossOptions, classes: number): Tensor | undefined {
  if (classWeights === undefined) return undefined;
  const given = floatsOf(op, 'classWeights', classWeights);
  if (sameShape(given.shape, [classes])) return given;
  throw new ShapeError(op, `classWeights are ${formatShape(given.shape)}; they must be [${classes}].`);
}
