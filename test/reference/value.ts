import type { DType } from '../../src/graph/dtype.js';

/**
 * A tensor of the reference: float64 values, and for each a bound on how far an f32 implementation of the
 * same graph may be from it (a running error analysis). Bools are 0 and 1; an uncertain one has error 1.
 */
export interface Value {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: Float64Array;
  readonly error: Float64Array;
}

/** One rounding of f32 in any direction, relative: the distance of neighbours above 1. */
export const ULP = 2 ** -23;
/** Below this an f32 is subnormal, and WGSL allows it to become 0. */
export const SMALLEST_NORMAL = 2 ** -126;
/** From here on rounding to f32 gives infinity: half a step above the largest f32. */
const OVERFLOW = 2 ** 128 - 2 ** 103;

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

export function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

export function at(array: ArrayLike<number>, index: number): number {
  const value = array[index];
  if (value === undefined) throw new RangeError(`reference: element ${index} of ${array.length}`);
  return value;
}

export function empty(shape: readonly number[], dtype: DType): Value {
  const size = sizeOf(shape);
  return { shape, dtype, data: new Float64Array(size), error: new Float64Array(size) };
}

/** What f32 makes of a number too large for it. */
export function toRange(value: number): number {
  return Math.abs(value) >= OVERFLOW ? Math.sign(value) * Number.POSITIVE_INFINITY : value;
}

/** A bound for `ulps` roundings of a result, and for its being flushed to 0. */
export function roundings(value: number, ulps: number): number {
  if (ulps === 0 || !Number.isFinite(value)) return 0;
  return ulps * ULP * Math.abs(value) + SMALLEST_NORMAL;
}

/**
 * How many roundings a sum of n terms is charged with, each relative to the sum of magnitudes: n - 1 at worst.
 * Roundings of varied terms are as good as independent, so that they add up like a random walk: its standard
 * deviation is below sqrt(n) / 3 half-ulps (partial sums grow to the whole); 2 sqrt(n) ulps are 12 of them.
 * Equal terms round the same way again and again: no such luck.
 */
export function sumRoundings(count: number, varied: boolean): number {
  const worst = Math.max(0, count - 1);
  return varied ? Math.min(worst, 2 * Math.sqrt(count)) : worst;
}

/** Whether terms look varied enough for `sumRoundings`: at least one in four differs from its neighbour. */
export function areVaried(get: (i: number) => number, count: number): boolean {
  let changes = 0;
  for (let i = 1; i < count; i++) if (get(i) !== get(i - 1)) changes++;
  return 4 * changes >= count;
}

export function wrap(value: number, dtype: DType): number {
  if (dtype === 'i32') return value | 0;
  if (dtype === 'u32') return value >>> 0;
  return value;
}
