import { DtypeError } from '../errors.js';

/**
 * Element types a tensor can have. `bool` lives in buffers as u32, 0 or 1. `f16` is a way to store floats: what is
 * computed from them is f32, and where a device lacks `shader-f16` the same values take four bytes (encoding.ts).
 */
export type DType = 'f32' | 'f16' | 'i32' | 'u32' | 'bool';

/** Of the host: f16 comes and goes as the f32 that it equals. */
export type TypedArray = Float32Array | Int32Array | Uint32Array;

/** WGSL type of an element in a kernel's hands, whatever it is in a buffer. */
export function elementType(dtype: DType): 'f32' | 'i32' | 'u32' {
  if (dtype === 'bool') return 'u32';
  return dtype === 'f16' ? 'f32' : dtype;
}

/** Whether gradients flow through it; they are f32. */
export function isFloat(dtype: DType): boolean {
  return dtype === 'f32' || dtype === 'f16';
}

/** What holds a dtype on the host; bools come as u32, 0 or 1. */
export const ARRAYS = {
  f32: Float32Array,
  f16: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  bool: Uint32Array,
} as const;

export function typedArray(dtype: DType, length: number): TypedArray {
  return new ARRAYS[dtype](length);
}

export function dtypeOf(array: TypedArray): DType {
  if (array instanceof Float32Array) return 'f32';
  if (array instanceof Int32Array) return 'i32';
  if (array instanceof Uint32Array) return 'u32';
  throw new DtypeError('tensor', `data is a ${Object.prototype.toString.call(array).slice(8, -1)}`, {
    mend: 'give a Float32Array, Int32Array, Uint32Array, or (nested) arrays of numbers.',
  });
}
