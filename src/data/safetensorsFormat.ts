/** Typed arrays that hold a tensor's elements: F16 and BF16 come as their raw bits, BOOL as bytes 0 and 1. */
export type SafetensorsData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/**
 * The dtypes, in the format's own order of rising alignment: the reference writer lays tensors out from the last to
 * the first, so that each begins at a multiple of its element's size.
 */
export const DTYPES = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  I16: Int16Array,
  U16: Uint16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  F32: Float32Array,
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
} as const;

export type SafetensorsDtype = keyof typeof DTYPES;

export const DTYPE_NAMES = Object.keys(DTYPES) as SafetensorsDtype[];

export interface SafetensorsTensor {
  /** Sizes, outermost first; `[]` is 0-d; a size may be 0. */
  readonly shape: readonly number[];
  readonly dtype: SafetensorsDtype;
  /** Row-major; as many elements as the shape holds. */
  readonly data: SafetensorsData;
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Longest header that the format allows, in bytes. */
export const HEADER_LIMIT = 100_000_000;
export const LENGTH_BYTES = 8;
export const METADATA = '__metadata__';
// A plain object given this key changes its prototype instead: no reader should have to think of it.
export const UNSAFE = '__proto__';

/** Bytes of a tensor; NaN when a partial product passes 2^53, which no file can hold. */
export function byteSize(shape: readonly number[], dtype: SafetensorsDtype): number {
  return shape.reduce(
    (size, length) => (Number.isSafeInteger(size * length) ? size * length : Number.NaN),
    DTYPES[dtype].BYTES_PER_ELEMENT,
  );
}

export function isDtype(value: unknown): value is SafetensorsDtype {
  return typeof value === 'string' && Object.hasOwn(DTYPES, value);
}

export function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

const QUOTED = 60;

/** A name in quotes, cut when it is long: headers may be damaged, or hostile. */
export function quote(text: string): string {
  return `'${text.length > QUOTED ? `${text.slice(0, QUOTED)}…` : text}'`;
}

export function describe(value: unknown): string {
  const text = value === undefined ? 'missing' : JSON.stringify(value);
  return text.length > QUOTED ? `${text.slice(0, QUOTED)}…` : text;
}
