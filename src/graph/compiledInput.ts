import { DtypeError, formatShape, ShapeError } from '../errors.js';
import { type DType, dtypeOf, type TypedArray } from './dtype.js';
import type { HostArray } from './hostArray.js';
import { type Shape, sameShape, sizeOf } from './shape.js';
import { isHostArray, tensor } from './source.js';
import { Tensor } from './tensor.js';

/** What a compiled function takes where its body sees a Tensor. A number becomes a 0-d f32 input. */
export type Input<T> = T extends Tensor
  ? Tensor | TypedArray | HostArray | number
  : T extends object
    ? { readonly [Key in keyof T]: Input<T[Key]> }
    : T;

/** What a plan knows of an input. */
export interface InputSpec {
  readonly shape: Shape;
  readonly dtype: DType;
}

export function inputSpec(name: string, value: unknown): InputSpec {
  if (value instanceof Tensor) return { shape: value.shape, dtype: value.dtype };
  if (typeof value === 'number') return { shape: [], dtype: 'f32' };
  if (ArrayBuffer.isView(value)) {
    const array = value as TypedArray;
    return { shape: [array.length], dtype: dtypeOf(array) };
  }
  if (isHostArray(value)) {
    if (sizeOf(value.shape) !== value.data.length) {
      throw new ShapeError(
        name,
        `an input's shape ${formatShape(value.shape)} has ${sizeOf(value.shape)} elements, its data ${value.data.length}.`,
      );
    }
    return { shape: value.shape, dtype: dtypeOf(value.data) };
  }
  throw new DtypeError(name, `an input is ${value === null ? 'null' : `a ${typeof value}`}.`, {
    mend: 'give Tensors, typed arrays, { data, shape } or numbers.',
  });
}

export function toTensor(value: unknown): Tensor {
  return value instanceof Tensor ? value : tensor(value as TypedArray);
}

export function fitsSpec(value: unknown, { shape, dtype }: InputSpec): boolean {
  if (value instanceof Tensor) return value.dtype === dtype && sameShape(value.shape, shape);
  if (typeof value === 'number') return shape.length === 0 && dtype === 'f32';
  if (ArrayBuffer.isView(value)) {
    const array = value as TypedArray;
    return shape.length === 1 && array.length === shape[0] && dtypeOf(array) === dtype;
  }
  return (
    isHostArray(value) &&
    dtypeOf(value.data) === dtype &&
    sameShape(value.shape, shape) &&
    value.data.length === sizeOf(shape)
  );
}
