import { DtypeError, formatShape, ShapeError, ValueError } from '../errors.js';
import { ARRAYS, type DType, dtypeOf, isFloat, type TypedArray, typedArray } from './dtype.js';
import { roundToHalf } from './half.js';
import type { HostArray } from './hostArray.js';
import type { SourceOp } from './op.js';
import { checkShape, type Shape, sizeOf } from './shape.js';
import { Tensor, type TensorLike } from './tensor.js';

/** What a tensor can be made of: a number, nested arrays, a typed array, or a typed array with its shape. */
export type TensorData = number | boolean | NestedNumbers | TypedArray | HostArray;
export type NestedNumbers = readonly (number | boolean | NestedNumbers)[];

export interface TensorOptions {
  /** Row-major shape; default: what nested arrays say, or `[length]`. */
  readonly shape?: Shape;
  /** Default f32 for numbers, the array's own for typed arrays, bool for booleans. */
  readonly dtype?: DType;
}

const constantOp: SourceOp = { name: 'constant', kind: 'source' };
const scalarOp: SourceOp = { name: 'scalar', kind: 'source' };
const hostOp: SourceOp = { name: 'tensor', kind: 'source' };

/**
 * A tensor from data of the host. Typed arrays are read when the tensor is first used: do not change
 * them before.
 *
 * @example tensor([[1, 2], [3, 4]])
 * @example tensor(new Float32Array(6), { shape: [2, 3] })
 * @throws ShapeError when sizes disagree or nested arrays are ragged; DtypeError for other kinds of data.
 */
export function tensor(data: TensorData, options: TensorOptions = {}): Tensor {
  if (typeof data === 'number' || typeof data === 'boolean') {
    const dtype = options.dtype ?? (typeof data === 'boolean' ? 'bool' : 'f32');
    return fromArray(convert([Number(data)], dtype), options.shape ?? [], dtype);
  }
  if (ArrayBuffer.isView(data)) {
    const own = dtypeOf(data as TypedArray);
    const dtype = options.dtype ?? own;
    return fromArray(convert(data as TypedArray, dtype), options.shape ?? [data.length], dtype);
  }
  if (Array.isArray(data)) {
    const shape: number[] = [];
    for (let level: unknown = data; Array.isArray(level); level = level[0]) shape.push(level.length);
    const flat: number[] = [];
    const boolean = flatten(data as NestedNumbers, shape, 0, flat);
    const dtype = options.dtype ?? (boolean ? 'bool' : 'f32');
    return fromArray(convert(flat, dtype), options.shape ?? shape, dtype);
  }
  if (isHostArray(data)) return tensor(data.data, { shape: data.shape, ...options });
  throw new DtypeError('tensor', `data is ${describe(data)}.`, {
    mend: 'give a number, (nested) arrays of numbers, or a Float32Array, Int32Array or Uint32Array.',
  });
}

export function isHostArray(value: unknown): value is HostArray {
  return (
    typeof value === 'object' && value !== null && 'data' in value && 'shape' in value && ArrayBuffer.isView(value.data)
  );
}

const RANGES: Readonly<Record<DType, string>> = {
  f32: 'a number',
  f16: 'a number',
  i32: 'an integer from -2^31 to 2^31 - 1',
  u32: 'an integer from 0 to 2^32 - 1',
  bool: '0 or 1',
};

/** @internal A number that a dtype can hold as it is (floats: any, rounded); another is refused, never bent. */
export function checkNumber(op: string, value: number, dtype: DType): number {
  if (isHeld(value, dtype)) return rounded(value, dtype);
  throw new DtypeError(op, `the number ${value} is no ${dtype}.`, { mend: `give ${RANGES[dtype]}.` });
}

function isHeld(value: number, dtype: DType): boolean {
  if (isFloat(dtype)) return true;
  if (dtype === 'bool') return value === 0 || value === 1;
  return value === (dtype === 'i32' ? value | 0 : value >>> 0);
}

/** An f32 is rounded where it is stored; an f16 here as in arrays, by way of f32. */
function rounded(value: number, dtype: DType): number {
  return dtype === 'f16' ? roundToHalf(value) : value;
}

/** A 0-d constant, baked into plans' uniforms. */
export function constant(value: number, dtype: DType = 'f32'): Tensor {
  const held = checkNumber('constant', value, dtype);
  return new Tensor(constantOp, [], [], dtype, undefined, { kind: 'constant', value: held });
}

/** @internal A number among tensors: a constant that may be folded. */
export function number(op: string, value: number, dtype: DType = 'f32'): Tensor {
  if (!isHeld(value, dtype)) {
    throw new DtypeError(op, `the number ${value} is no ${dtype}, the dtype of the tensor beside it.`, {
      mend: 'cast the tensor first: toF32(x).',
    });
  }
  return new Tensor(constantOp, [], [], dtype, undefined, {
    kind: 'constant',
    value: rounded(value, dtype),
    anonymous: true,
  });
}

/**
 * A 0-d tensor, f32 unless told, whose value is asked of JavaScript at each execution: a learning rate on a schedule,
 * a slider. A compiled step reads it anew each time, without a new plan.
 */
export function scalar(read: () => number, dtype: DType = 'f32'): Tensor {
  if (typeof read !== 'function') {
    throw new ValueError('scalar', `it takes a function that returns a number, not ${describe(read)}.`, {
      mend: 'write scalar(() => value).',
    });
  }
  const checked = dtype === 'f32' ? read : () => checkNumber('scalar', read(), dtype);
  return new Tensor(scalarOp, [], [], dtype, undefined, { kind: 'scalar', read: checked });
}

/** A tensor as it is; anything else becomes one. Numbers become constants of `dtype`. */
export function asTensor(op: string, value: TensorLike | TensorData, dtype: DType = 'f32'): Tensor {
  if (value instanceof Tensor) {
    value.assertNotFreed(op);
    return value;
  }
  if (typeof value === 'number') return number(op, value, dtype);
  if (value === undefined || value === null || typeof value === 'string' || typeof value === 'function') {
    throw new DtypeError(op, `an operand is ${describe(value)}.`, { mend: 'give a Tensor or a number.' });
  }
  return tensor(value, {});
}

function fromArray(data: TypedArray, shape: Shape, dtype: DType): Tensor {
  checkShape('tensor', shape);
  if (sizeOf(shape) !== data.length) {
    throw new ShapeError(
      'tensor',
      `shape ${formatShape(shape)} has ${sizeOf(shape)} elements, the data ${data.length}.`,
    );
  }
  return new Tensor(hostOp, [], shape, dtype, undefined, { kind: 'host', data });
}

function convert(data: ArrayLike<number>, dtype: DType): TypedArray {
  if (data instanceof ARRAYS[dtype] && dtype !== 'bool') return data;
  const array = typedArray(dtype, data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i] ?? 0;
    array[i] = dtype === 'bool' ? Number(value !== 0) : value;
  }
  return array;
}

/** Appends the numbers; tells whether all are booleans. */
function flatten(data: NestedNumbers, shape: Shape, level: number, into: number[]): boolean {
  if (data.length !== shape[level]) {
    throw new ShapeError(
      'tensor',
      `nested arrays are ragged: one of length ${data.length} beside one of ${shape[level]} at depth ${level}.`,
    );
  }
  let boolean = data.length > 0;
  for (const item of data) {
    if (Array.isArray(item) !== level + 1 < shape.length) {
      throw new ShapeError('tensor', `nested arrays are ragged: numbers and arrays side by side at depth ${level}.`);
    }
    if (Array.isArray(item)) {
      if (!flatten(item as NestedNumbers, shape, level + 1, into)) boolean = false;
    } else {
      if (typeof item !== 'number' && typeof item !== 'boolean') {
        throw new DtypeError('tensor', `an element is ${describe(item)}; elements must be numbers or booleans.`);
      }
      if (typeof item !== 'boolean') boolean = false;
      into.push(Number(item));
    }
  }
  return boolean;
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return `the string '${value}'`;
  if (typeof value === 'object') return `a ${value.constructor?.name ?? 'object'}`;
  return `a ${typeof value}`;
}
