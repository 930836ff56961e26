import type { DType } from '../../src/graph/dtype.js';
import { at, empty, stridesOf, type Value } from './value.js';

/** Copies elements: `from(index)` gives the source's index of each result index, or undefined for `fill`. */
export function rearranged(
  source: Value,
  shape: readonly number[],
  from: (index: readonly number[]) => readonly number[] | undefined,
  fill = 0,
): Value {
  const result = empty(shape, source.dtype);
  const strides = stridesOf(source.shape);
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < result.data.length; i++) {
    const place = from(index);
    if (place === undefined) result.data[i] = fill;
    else {
      let offset = 0;
      for (let axis = 0; axis < place.length; axis++) offset += at(place, axis) * at(strides, axis);
      result.data[i] = at(source.data, offset);
      result.error[i] = at(source.error, offset);
    }
    advance(index, shape);
  }
  return result;
}

/** The next index in row-major order. */
export function advance(index: number[], shape: readonly number[]): void {
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = at(index, axis) + 1;
    if (at(index, axis) < at(shape, axis)) return;
    index[axis] = 0;
  }
}

export function broadcast(source: Value, shape: readonly number[]): Value {
  const added = shape.length - source.shape.length;
  return rearranged(source, shape, (index) =>
    source.shape.map((length, axis) => (length === 1 ? 0 : at(index, axis + added))),
  );
}

export function permuted(source: Value, shape: readonly number[], order: readonly number[]): Value {
  return rearranged(source, shape, (index) => {
    const place = new Array<number>(order.length).fill(0);
    order.forEach((axis, i) => {
      place[axis] = at(index, i);
    });
    return place;
  });
}

export function sliced(
  source: Value,
  shape: readonly number[],
  starts: readonly number[],
  steps: readonly number[],
): Value {
  return rearranged(source, shape, (index) => index.map((i, axis) => at(starts, axis) + i * at(steps, axis)));
}

export function reshaped({ dtype, data, error }: Value, shape: readonly number[]): Value {
  return { shape, dtype, data, error };
}

export function padded(
  source: Value,
  shape: readonly number[],
  low: readonly number[],
  interior: readonly number[],
  fill: number,
): Value {
  return rearranged(
    source,
    shape,
    (index) => {
      const place = index.map((i, axis) => (i - at(low, axis)) / (at(interior, axis) + 1));
      const inside = place.every((i, axis) => Number.isInteger(i) && i >= 0 && i < at(source.shape, axis));
      return inside ? place : undefined;
    },
    fill,
  );
}

export function concatenated(sources: readonly Value[], shape: readonly number[], dtype: DType, axis: number): Value {
  const result = empty(shape, dtype);
  const index = new Array<number>(shape.length).fill(0);
  const lengths = sources.map((source) => at(source.shape, axis));
  for (let i = 0; i < result.data.length; i++) {
    let k = 0;
    let along = at(index, axis);
    while (along >= at(lengths, k)) along -= at(lengths, k++);
    const source = sources[k] as Value;
    const strides = stridesOf(source.shape);
    const offset = index.reduce((sum, j, a) => sum + (a === axis ? along : j) * at(strides, a), 0);
    result.data[i] = at(source.data, offset);
    result.error[i] = at(source.error, offset);
    advance(index, shape);
  }
  return result;
}
