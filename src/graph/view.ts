import { contiguousStrides, type Shape, sameShape, sizeOf } from './shape.js';

/**
 * How a tensor's elements lie in a buffer, in elements: element (i, j, …) is at
 * `offset + i * strides[0] + j * strides[1] + …`. A stride of 0 repeats (broadcasting).
 */
export interface View {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

export function contiguousView(shape: Shape): View {
  return { shape, strides: contiguousStrides(shape), offset: 0 };
}

/** Row-major without gaps from the buffer's first element on: can be bound as it is. */
export function isContiguous(view: View): boolean {
  return view.offset === 0 && isDense(view);
}

/** Row-major without gaps, from any offset. */
export function isDense(view: View): boolean {
  let expected = 1;
  for (let axis = view.shape.length - 1; axis >= 0; axis--) {
    const length = view.shape[axis] ?? 1;
    if (length === 0) return true;
    if (length !== 1 && view.strides[axis] !== expected) return false;
    expected *= length;
  }
  return true;
}

export function sameView(a: View, b: View): boolean {
  return a.offset === b.offset && sameShape(a.shape, b.shape) && sameShape(a.strides, b.strides);
}

export function permuteView(view: View, order: readonly number[]): View {
  return {
    shape: order.map((axis) => view.shape[axis] ?? 1),
    strides: order.map((axis) => view.strides[axis] ?? 0),
    offset: view.offset,
  };
}

/** The order that undoes another. */
export function inverseOrder(order: readonly number[]): number[] {
  const inverse: number[] = [];
  order.forEach((axis, i) => {
    inverse[axis] = i;
  });
  return inverse;
}

/** Broadcasts to `shape` (already checked): new and stretched axes get stride 0. */
export function expandView(view: View, shape: Shape): View {
  const added = shape.length - view.shape.length;
  const strides = shape.map((length, axis) => {
    const from = view.shape[axis - added];
    return from === undefined || (from === 1 && length !== 1) ? 0 : (view.strides[axis - added] ?? 0);
  });
  return { shape, strides, offset: view.offset };
}

export function sliceView(view: View, starts: Shape, steps: Shape, shape: Shape): View {
  let offset = view.offset;
  const strides = view.strides.map((stride, axis) => {
    offset += stride * (starts[axis] ?? 0);
    return stride * (steps[axis] ?? 1);
  });
  return { shape, strides, offset: sizeOf(shape) === 0 ? 0 : offset };
}

/** Another shape over the same elements in row-major order, or undefined when strides cannot say it. */
export function reshapeView(view: View, shape: Shape): View | undefined {
  if (sizeOf(shape) === 0) return { shape, strides: contiguousStrides(shape), offset: 0 };
  const source = collapse(view);
  const strides = new Array<number>(shape.length).fill(0);
  // Walk both shapes from the last axis; each new axis must lie inside one collapsed axis.
  let from = source.shape.length - 1;
  let left = source.shape[from] ?? 1;
  let stride = source.strides[from] ?? 0;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] ?? 1;
    if (length === 1) continue;
    while (left === 1 && from > 0) {
      from--;
      left = source.shape[from] ?? 1;
      stride = source.strides[from] ?? 0;
    }
    if (left % length !== 0) return undefined;
    strides[axis] = stride;
    stride *= length;
    left /= length;
  }
  return { shape, strides, offset: view.offset };
}

/** Merges neighbouring axes that step as one, and drops axes of size 1. */
export function collapse(view: View): View {
  const shape: number[] = [];
  const strides: number[] = [];
  view.shape.forEach((length, axis) => {
    if (length === 1) return;
    const stride = view.strides[axis] ?? 0;
    const last = shape.length - 1;
    if (last >= 0 && strides[last] === stride * length) {
      shape[last] = (shape[last] ?? 1) * length;
      strides[last] = stride;
    } else {
      shape.push(length);
      strides.push(stride);
    }
  });
  return { shape, strides, offset: view.offset };
}

/**
 * Cuts a view into groups of axes whose sizes multiply to `extents`, each collapsed on its own;
 * undefined when an axis straddles a cut. The first group carries the offset.
 */
export function splitView(view: View, extents: readonly number[]): View[] | undefined {
  const cut = reshapeAxes(view, extents);
  if (cut === undefined) return undefined;
  let axis = 0;
  return extents.map((extent, group) => {
    const shape: number[] = [];
    const strides: number[] = [];
    let size = 1;
    while (size < extent) {
      shape.push(cut.shape[axis] ?? 1);
      strides.push(cut.strides[axis] ?? 0);
      size *= cut.shape[axis] ?? 1;
      axis++;
    }
    return collapse({ shape, strides, offset: group === 0 ? view.offset : 0 });
  });
}

/** Splits axes where a cut between extents falls inside one; undefined when sizes do not divide. */
function reshapeAxes(view: View, extents: readonly number[]): View | undefined {
  const shape: number[] = [];
  const strides: number[] = [];
  const lengths = view.shape.filter((length) => length !== 1);
  const steps = view.strides.filter((_, axis) => view.shape[axis] !== 1);
  let axis = lengths.length - 1;
  let left = lengths[axis] ?? 1;
  let stride = steps[axis] ?? 0;
  for (let group = extents.length - 1; group >= 0; group--) {
    let need = extents[group] ?? 1;
    while (need > 1) {
      if (left === 1) {
        axis--;
        if (axis < 0) return undefined;
        left = lengths[axis] ?? 1;
        stride = steps[axis] ?? 0;
      }
      const take = Math.min(left, need);
      if (need % take !== 0 || left % take !== 0) return undefined;
      shape.unshift(take);
      strides.unshift(stride);
      stride *= take;
      left /= take;
      need /= take;
    }
  }
  return { shape, strides, offset: view.offset };
}
