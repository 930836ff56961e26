import { formatShape, ShapeError, ValueError } from '../errors.js';
import type { ViewOp } from '../graph/op.js';
import { currentValue } from '../graph/parameter.js';
import { resolveAxes, resolveAxis, type Shape, sizeOf } from '../graph/shape.js';
import { asTensor } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { inverseOrder, permuteView, sliceView } from '../graph/view.js';
import { reshapeExactly } from './broadcast.js';
import { pad } from './pad.js';

/**
 * Another shape over the same elements, row-major. One size may be -1: it is inferred. Free on contiguous
 * tensors; a permuted one may have to be copied.
 * @throws ShapeError when the sizes do not multiply to the same.
 */
export function reshape(x: TensorLike, shape: Shape): Tensor {
  const tensor = asTensor('reshape', x);
  const unknown = shape.filter((length) => length === -1).length;
  const rest = sizeOf(shape.filter((length) => length !== -1));
  const inferred = unknown === 1 && rest !== 0 ? tensor.size / rest : 0;
  const full = shape.map((length) => (length === -1 ? inferred : length));
  const valid = full.every((length) => Number.isInteger(length) && length >= 0);
  if (unknown > 1 || !valid || sizeOf(full) !== tensor.size) {
    throw new ShapeError(
      'reshape',
      `${formatShape(tensor.shape)} has ${tensor.size} elements and does not fit ${formatShape(shape)}.`,
    );
  }
  return reshapeExactly(tensor, full);
}

/** Axes from `start` on become one. */
export function flatten(x: TensorLike, start = 0): Tensor {
  const tensor = asTensor('flatten', x);
  if (tensor.rank === 0) return reshapeExactly(tensor, [1]);
  const axis = resolveAxis('flatten', start, tensor.rank);
  return reshapeExactly(tensor, [...tensor.shape.slice(0, axis), sizeOf(tensor.shape.slice(axis))]);
}

/** Drops axes of size 1: those named, or all. */
export function squeeze(x: TensorLike, axes?: number | readonly number[]): Tensor {
  const tensor = asTensor('squeeze', x);
  const named = resolveAxes('squeeze', axes, tensor.rank);
  const wrong = axes === undefined ? undefined : named.find((axis) => tensor.shape[axis] !== 1);
  if (wrong !== undefined) {
    throw new ShapeError('squeeze', `axis ${wrong} of ${formatShape(tensor.shape)} is ${tensor.shape[wrong]}, not 1.`);
  }
  return reshapeExactly(
    tensor,
    tensor.shape.filter((length, axis) => length !== 1 || !named.includes(axis)),
  );
}

/** Adds an axis of size 1 at `axis` of the result. */
export function expandDims(x: TensorLike, axis: number): Tensor {
  const tensor = asTensor('expandDims', x);
  const at = resolveAxis('expandDims', axis, tensor.rank + 1);
  return reshapeExactly(tensor, [...tensor.shape.slice(0, at), 1, ...tensor.shape.slice(at)]);
}

const permuteOp: ViewOp = {
  name: 'permute',
  kind: 'view',
  view: (input, _shape, { order }) => permuteView(input, order as number[]),
  vjp: ({ cotangent, attributes: { order } }) => [permute(cotangent, inverseOrder(order as number[]))],
};

/**
 * Axes in another order: axis i of the result is axis `order[i]`. A view: nothing is copied.
 * @throws ShapeError unless `order` names each axis once.
 */
export function permute(x: TensorLike, order: readonly number[]): Tensor {
  const tensor = asTensor('permute', x);
  const axes = order.map((axis) => resolveAxis('permute', axis, tensor.rank));
  if (new Set(axes).size !== tensor.rank || axes.length !== tensor.rank) {
    throw new ShapeError(
      'permute',
      `order is ${formatShape(order)}; it must name each axis of ${formatShape(tensor.shape)} once.`,
    );
  }
  if (axes.every((axis, i) => axis === i)) return currentValue(tensor);
  const shape = axes.map((axis) => tensor.shape[axis] ?? 1);
  return new Tensor(permuteOp, [tensor], shape, tensor.dtype, { order: axes });
}

/** Swaps two axes; by default the last two. */
export function transpose(x: TensorLike, first = -2, second = -1): Tensor {
  const tensor = asTensor('transpose', x);
  if (tensor.rank < 2) {
    throw new ShapeError('transpose', `the tensor is ${formatShape(tensor.shape)}; it needs two axes.`);
  }
  const a = resolveAxis('transpose', first, tensor.rank);
  const b = resolveAxis('transpose', second, tensor.rank);
  const order = tensor.shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis));
  return permute(tensor, order);
}

const sliceOp: ViewOp = {
  name: 'slice',
  kind: 'view',
  view: (input, shape, { starts, steps }) => sliceView(input, starts as number[], steps as number[], shape),
  vjp: ({ cotangent, inputs: [x], attributes }) => {
    const { shape } = x as Tensor;
    const starts = attributes.starts as number[];
    const steps = attributes.steps as number[];
    const reversed = steps.flatMap((step, axis) => (step < 0 ? [axis] : []));
    const forward = reversed.length === 0 ? cotangent : flip(cotangent, reversed);
    const spans = steps.map((step, axis) => Math.max(0, (cotangent.shape[axis] ?? 0) - 1) * Math.abs(step) + 1);
    const low = steps.map((step, axis) =>
      step > 0 ? (starts[axis] ?? 0) : (starts[axis] ?? 0) - ((spans[axis] ?? 1) - 1),
    );
    if (cotangent.size === 0) return [undefined];
    const high = shape.map((length, axis) => length - (low[axis] ?? 0) - (spans[axis] ?? 1));
    return [pad(forward, { low, high, interior: steps.map((step) => Math.abs(step) - 1) })];
  },
};

/** `[start, end)`, `[start, end, step]`, or one index that drops the axis; negative ones count from the end. */
export type Range = number | readonly [start: number | null, end: number | null, step?: number];

/**
 * A part of a tensor, as a view: `slice(x, [0, 10], 3)` is x[0:10, 3]. Ends are cut to the axis, as in Python.
 * The cotangent is padded with zeros.
 * @throws ShapeError for an index out of range or too many ranges; ValueError for a step of 0.
 */
export function slice(x: TensorLike, ...ranges: readonly Range[]): Tensor {
  const tensor = asTensor('slice', x);
  if (ranges.length > tensor.rank) {
    throw new ShapeError('slice', `${ranges.length} ranges for a tensor ${formatShape(tensor.shape)}.`);
  }
  const starts: number[] = [];
  const steps: number[] = [];
  const shape: number[] = [];
  const dropped = new Set<number>();
  tensor.shape.forEach((length, axis) => {
    const range = ranges[axis] ?? [null, null];
    if (typeof range === 'number') {
      if (!Number.isInteger(range) || range < -length || range >= length) {
        throw new ShapeError(
          'slice',
          `index ${range} is out of range for axis ${axis} of ${formatShape(tensor.shape)}.`,
        );
      }
      starts.push(range < 0 ? range + length : range);
      steps.push(1);
      shape.push(1);
      dropped.add(axis);
      return;
    }
    const [start, end, step = 1] = range;
    if (!Number.isInteger(step) || step === 0) {
      throw new ValueError('slice', `the step of axis ${axis} is ${step}; it must be an integer other than 0.`);
    }
    const clip = (index: number, low: number, high: number) => Math.min(Math.max(index, low), high);
    const from = (index: number | null, otherwise: number, low: number, high: number) =>
      index === null ? otherwise : clip(index < 0 ? index + length : index, low, high);
    const first = step > 0 ? from(start, 0, 0, length) : from(start, length - 1, -1, length - 1);
    const last = step > 0 ? from(end, length, 0, length) : from(end, -1, -1, length - 1);
    const count = Math.max(0, Math.ceil((last - first) / step));
    starts.push(count === 0 ? 0 : first);
    steps.push(step);
    shape.push(count);
  });
  const whole = shape.every((length, axis) => length === tensor.shape[axis] && steps[axis] === 1);
  const part = whole ? currentValue(tensor) : new Tensor(sliceOp, [tensor], shape, tensor.dtype, { starts, steps });
  return dropped.size === 0
    ? part
    : reshapeExactly(
        part,
        shape.filter((_, axis) => !dropped.has(axis)),
      );
}

/** Reverses axes; by default all. A view. */
export function flip(x: TensorLike, axes?: number | readonly number[]): Tensor {
  const tensor = asTensor('flip', x);
  const reversed = resolveAxes('flip', axes, tensor.rank);
  return slice(
    tensor,
    ...tensor.shape.map((_, axis): Range => (reversed.includes(axis) ? [null, null, -1] : [null, null])),
  );
}
