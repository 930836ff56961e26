import { DtypeError, formatShape, ShapeError, ValueError } from '../errors.js';
import type { TypedArray } from '../graph/dtype.js';
import type { HostArray } from '../graph/hostArray.js';

/**
 * One field of a dataset: `{ data, shape: [examples, ...item] }`, or a bare typed array whose item size follows from
 * the number of examples.
 */
export type Field = TypedArray | HostArray;

/**
 * A record of fields over the same examples, such as `{ images: Float32Array, labels: Uint32Array }`.
 *
 * The number of examples is `count` where the call gives one; else the first size of the fields that have a shape;
 * else, all fields being bare, the length of the shortest one (one label an example). Every bare field's length is a
 * whole multiple of it, and the quotient is its item size. Soft labels as a bare array would be taken for more
 * examples than there are: give those a shape.
 */
export type Dataset<Fields = Record<string, Field>> = { readonly [Name in keyof Fields]: Field };

/** The typed array that holds a field. */
export type FieldData<F> = F extends TypedArray ? F : F extends HostArray<infer Data> ? Data : never;

export interface ResolvedField {
  readonly name: string;
  readonly data: TypedArray;
  /** Shape of one example; `[]` for one number an example. */
  readonly item: readonly number[];
  /** Elements of one example. */
  readonly itemSize: number;
  /** Whether the caller gave a bare typed array. */
  readonly bare: boolean;
}

export interface ResolvedDataset {
  /** Number of examples, at least 1. */
  readonly count: number;
  readonly fields: readonly ResolvedField[];
}

const SHAPE_MEND = 'give each field as { data, shape: [examples, ...item] }, or say count.';

/**
 * Finds the number of examples and each field's item shape.
 * @throws DtypeError for a typed array the GPU does not take, ShapeError or ValueError where fields do not fit.
 */
export function resolveFields(op: string, dataset: object, count?: number): ResolvedDataset {
  const given = Object.entries(dataset).map(([name, value]) => checkField(op, name, value));
  if (given.length === 0) {
    throw new ValueError(op, 'the dataset has no fields.', {
      mend: 'give typed arrays by name: { images, labels }.',
    });
  }
  const examples = countExamples(op, given, count);
  if (examples.count === 0) {
    throw new ValueError(op, `the dataset has no examples (${examples.from}).`);
  }
  return { count: examples.count, fields: given.map((field) => resolveField(op, field, examples)) };
}

interface GivenField {
  readonly name: string;
  readonly data: TypedArray;
  readonly shape: readonly number[] | undefined;
}

interface Examples {
  readonly count: number;
  /** Where the count comes from, in words. */
  readonly from: string;
}

function isTypedArray(value: unknown): value is TypedArray {
  return value instanceof Float32Array || value instanceof Int32Array || value instanceof Uint32Array;
}

function checkField(op: string, name: string, value: unknown): GivenField {
  if (isTypedArray(value)) return { name, data: value, shape: undefined };
  const hasParts = typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;
  const data: unknown = hasParts ? value.data : value;
  const kinds = 'a Float32Array, Int32Array or Uint32Array, or { data, shape } with one of them';
  if (ArrayBuffer.isView(data) && !isTypedArray(data)) {
    const kind = Object.prototype.toString.call(data).slice(8, -1);
    throw new DtypeError(op, `field '${name}' is a ${kind}; a field is ${kinds}.`, {
      mend: 'convert it first, as in Float32Array.from(bytes, (byte) => byte / 255).',
    });
  }
  if (!hasParts || !isTypedArray(data) || !Array.isArray(value.shape)) {
    const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : `of type ${typeof value}`;
    throw new ValueError(op, `field '${name}' is ${kind}; a field is ${kinds}.`, {
      mend: 'give the fields alone, as in { images, labels }.',
    });
  }
  const shape: readonly number[] = value.shape;
  const size = shape.reduce((product, length) => product * length, 1);
  const sound = shape.length > 0 && shape.every((length) => Number.isInteger(length) && length >= 0);
  if (!sound || size !== data.length) {
    throw new ShapeError(
      op,
      `field '${name}' has shape ${formatShape(shape)} and ${data.length} elements; a shape is [examples, ...item] and its product is the number of elements.`,
    );
  }
  return { name, data, shape };
}

function countExamples(op: string, given: readonly GivenField[], count: number | undefined): Examples {
  const shaped = given.flatMap(({ name, shape }) => (shape === undefined ? [] : [{ name, shape }]));
  if (count !== undefined) {
    if (!Number.isInteger(count) || count < 1) {
      throw new ValueError(op, `count is ${count}; it must be a positive integer, the number of examples.`);
    }
    const odd = shaped.find(({ shape }) => shape[0] !== count);
    if (odd !== undefined) {
      throw new ShapeError(op, `count is ${count}, but field '${odd.name}' has shape ${formatShape(odd.shape)}.`);
    }
    return { count, from: 'the given count' };
  }
  const first = shaped[0];
  if (first !== undefined) {
    const odd = shaped.find(({ shape }) => shape[0] !== first.shape[0]);
    if (odd !== undefined) {
      throw new ShapeError(
        op,
        `fields differ in the number of examples: '${first.name}' has shape ${formatShape(first.shape)}, '${odd.name}' has ${formatShape(odd.shape)}.`,
      );
    }
    return { count: first.shape[0] ?? 0, from: `the first size of '${first.name}'` };
  }
  const shortest = given.reduce((least, field) => (field.data.length < least.data.length ? field : least));
  return { count: shortest.data.length, from: `the length of '${shortest.name}', the shortest field` };
}

function resolveField(op: string, { name, data, shape }: GivenField, examples: Examples): ResolvedField {
  if (shape !== undefined) {
    const item = shape.slice(1);
    return { name, data, item, itemSize: data.length / examples.count, bare: false };
  }
  const itemSize = data.length / examples.count;
  if (!Number.isInteger(itemSize) || itemSize === 0) {
    throw new ShapeError(
      op,
      `field '${name}' has ${data.length} elements, which is no multiple of ${examples.count}, the number of examples (${examples.from}).`,
      { mend: SHAPE_MEND },
    );
  }
  return { name, data, item: itemSize === 1 ? [] : [itemSize], itemSize, bare: true };
}
