import { type DType, elementType } from '../graph/dtype.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import { foldGrid } from '../kernels/workgroups.js';

const WORKGROUP_SIZE = 64;

/** The grid of a kernel with an invocation an element. */
export function linearGrid(elements: number) {
  const workgroups = foldGrid(Math.ceil(elements / WORKGROUP_SIZE));
  return { workgroups, gridWidth: workgroups[0], overrides: { WORKGROUP_SIZE } };
}

/** `[outer, axis, inner]` of a shape around one axis. */
export function around(shape: Shape, axis: number): [number, number, number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis] ?? 1, sizeOf(shape.slice(axis + 1))];
}

/** A kernel's `Element` for a tensor, among its replaced declarations. */
export function elementAlias({ dtype }: { readonly dtype: DType }): { readonly Element: string } {
  return { Element: `alias Element = ${elementType(dtype)};` };
}
