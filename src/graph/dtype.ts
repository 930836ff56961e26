import { DtypeError } from '../errors.js';

/** Element types a tensor can have. `bool` lives in buffers as u32, 0 or 1. */
export type DType = 'f32' | 'i32' | 'u32' | 'bool';

export type TypedArray = Float32Array | Int32Array | Uint32Array;

/** WGSL type of an element in a storage buffer. */
export function storageType(dtype: DType): 'f32' | 'i32' | 'u32' {
  return dtype === 'bool' ? 'u32' : dtype;
}

/** What holds a dtype on the host; bools come as u32, 0 or 1. */
export const ARRAYS = { f32: Float32Array, i32: Int32Array, u32: Uint32Array, bool: Uint32Array } as const;

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

/** Views bytes from the GPU as the dtype's typed array. */
export function viewBytes(dtype: DType, bytes: ArrayBuffer, length: number): TypedArray {
  return new ARRAYS[dtype](bytes, 0, length);
}
