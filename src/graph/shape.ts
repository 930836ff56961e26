import { formatShape, ShapeError } from '../errors.js';

/** Sizes, outermost first; `[]` is 0-d; a size may be 0. Tensors are row-major. */
export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** Row-major strides in elements. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] ?? 1;
  }
  return strides;
}

/** NumPy's rule: trailing axes align; a size of 1 stretches. Throws ShapeError naming both shapes. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const result = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const left = a[a.length - i] ?? 1;
    const right = b[b.length - i] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new ShapeError(
        op,
        `shapes do not broadcast: ${formatShape(a)} and ${formatShape(b)} (${left} against ${right} at axis -${i}).`,
        { mend: 'make the axes equal, or one of them 1 (reshape), counting from the last.' },
      );
    }
    result[rank - i] = left === 1 ? right : left;
  }
  return result;
}

/** A non-negative axis; negative ones count from the end. */
export function resolveAxis(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    const range = rank === 0 ? 'a 0-d tensor has no axes' : `it must be in [${-rank}, ${rank})`;
    throw new ShapeError(op, `axis is ${axis}; ${range}.`);
  }
  return axis < 0 ? axis + rank : axis;
}

/** Sorted, distinct, non-negative axes; `undefined` means all. */
export function resolveAxes(op: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = typeof axes === 'number' ? [axes] : axes;
  const resolved = list.map((axis) => resolveAxis(op, axis, rank)).sort((a, b) => a - b);
  const twice = resolved.find((axis, i) => axis === resolved[i - 1]);
  if (twice !== undefined) throw new ShapeError(op, `axis ${twice} is named twice.`);
  return resolved;
}

/** Checks that a shape is made of non-negative integers. */
export function checkShape(op: string, shape: Shape): void {
  if (!Array.isArray(shape) || !shape.every((length) => Number.isInteger(length) && length >= 0)) {
    throw new ShapeError(op, `shape is [${String(shape)}]; sizes must be integers of at least 0.`);
  }
}
