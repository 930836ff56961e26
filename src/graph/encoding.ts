import type { Device } from '../device/device.js';
import { ARRAYS, type DType, elementType, type TypedArray } from './dtype.js';
import { packHalves, unpackHalves } from './half.js';
import { type Shape, sizeOf } from './shape.js';

// How tensors lie in a device's buffers. Only f16 depends on the device: two bytes with `shader-f16`, else its f32.

type Features = Pick<Device, 'features'>;

/** Whether an f16 takes two bytes. */
export function hasHalves({ features }: Features): boolean {
  return features.has('shader-f16');
}

/** WGSL type of an element in a storage buffer. */
export function storageType(dtype: DType, device: Features): 'f32' | 'f16' | 'i32' | 'u32' {
  return dtype === 'f16' && hasHalves(device) ? 'f16' : elementType(dtype);
}

/** Bytes that a tensor takes in a buffer: whole words, as copies and bindings want them. */
export function bytesOf({ shape, dtype }: { readonly shape: Shape; readonly dtype: DType }, device: Features): number {
  const size = sizeOf(shape);
  return dtype === 'f16' && hasHalves(device) ? 4 * Math.ceil(size / 2) : 4 * size;
}

/** Data of the host as it lies in a buffer. */
export function encode(dtype: DType, data: TypedArray, device: Features): TypedArray | Uint16Array {
  if (dtype !== 'f16') return data;
  // Rounded here either way, so that all devices hold the same.
  const halves = packHalves(data as Float32Array, 2 * Math.ceil(data.length / 2));
  return hasHalves(device) ? halves : unpackHalves(halves.subarray(0, data.length));
}

/** A buffer's bytes as data of the host. */
export function decode(dtype: DType, bytes: ArrayBuffer, length: number, device: Features): TypedArray {
  if (dtype !== 'f16' || !hasHalves(device)) return new ARRAYS[dtype](bytes, 0, length);
  return unpackHalves(new Uint16Array(bytes, 0, length));
}
