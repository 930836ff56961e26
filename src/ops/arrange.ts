import { resolveAxes, type Shape } from '../graph/shape.js';
import type { Tensor } from '../graph/tensor.js';
import { inverseOrder } from '../graph/view.js';
import { reshapeExactly } from './broadcast.js';
import { permute } from './shaping.js';

export interface AxisOptions {
  /** One axis or several; negative ones count from the end. Default: all. */
  readonly axes?: number | readonly number[];
  /** Keep reduced axes with size 1. Default false. */
  readonly keepDims?: boolean;
}

/** A tensor with the axes of interest moved to the end. */
export interface Arranged {
  /** `[...kept, ...chosen]` */
  readonly tensor: Tensor;
  readonly kept: readonly number[];
  readonly chosen: readonly number[];
  readonly keptShape: Shape;
  readonly chosenShape: Shape;
}

export function arrange(op: string, x: Tensor, axes: AxisOptions['axes']): Arranged {
  const chosen = resolveAxes(op, axes, x.rank);
  const kept = x.shape.flatMap((_, axis) => (chosen.includes(axis) ? [] : [axis]));
  return {
    tensor: permute(x, [...kept, ...chosen]),
    kept,
    chosen,
    keptShape: kept.map((axis) => x.shape[axis] ?? 1),
    chosenShape: chosen.map((axis) => x.shape[axis] ?? 1),
  };
}

/** Puts the reduced axes back with size 1. */
export function restoreDims(x: Tensor, shape: Shape, chosen: readonly number[]): Tensor {
  return reshapeExactly(
    x,
    shape.map((length, axis) => (chosen.includes(axis) ? 1 : length)),
  );
}

/** Undoes `arrange` on a result that kept all axes. */
export function rearrange(x: Tensor, { kept, chosen, tensor }: Arranged): Tensor {
  return permute(reshapeExactly(x, tensor.shape), inverseOrder([...kept, ...chosen]));
}
