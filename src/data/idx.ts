import { findCallSite, formatShape, ValueError } from '../errors.js';
import { gunzip, isGzip } from './gunzip.js';

export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

export interface IdxArray {
  /** Sizes, outermost first, one for each dimension of the file; at least one. */
  readonly shape: readonly number[];
  /** Row-major, in the file's own type, and a copy: it shares no memory with the bytes. */
  readonly data: IdxData;
}

interface IdxType {
  readonly name: string;
  readonly bytes: number;
  readonly read: (view: DataView<ArrayBuffer>, begin: number, length: number) => IdxData;
}

/** By the third byte of the file. */
const TYPES: ReadonlyMap<number, IdxType> = new Map([
  [
    0x08,
    { name: 'u8', bytes: 1, read: (view, begin, length) => new Uint8Array(view.buffer.slice(begin, begin + length)) },
  ],
  [
    0x09,
    { name: 'i8', bytes: 1, read: (view, begin, length) => new Int8Array(view.buffer.slice(begin, begin + length)) },
  ],
  [
    0x0b,
    {
      name: 'i16',
      bytes: 2,
      read: (view, begin, length) => fill(new Int16Array(length), (i) => view.getInt16(begin + 2 * i)),
    },
  ],
  [
    0x0c,
    {
      name: 'i32',
      bytes: 4,
      read: (view, begin, length) => fill(new Int32Array(length), (i) => view.getInt32(begin + 4 * i)),
    },
  ],
  [
    0x0d,
    {
      name: 'f32',
      bytes: 4,
      read: (view, begin, length) => fill(new Float32Array(length), (i) => view.getFloat32(begin + 4 * i)),
    },
  ],
  [
    0x0e,
    {
      name: 'f64',
      bytes: 8,
      read: (view, begin, length) => fill(new Float64Array(length), (i) => view.getFloat64(begin + 8 * i)),
    },
  ],
] satisfies [number, IdxType][]);

/**
 * Reads an IDX file (the format of MNIST and its kin), gzipped or not.
 *
 * The file is: two zero bytes, a type code, the number of dimensions, each size as a big-endian u32, then the
 * elements, big-endian, row-major.
 *
 * @param bytes the whole file; gzip is told by its first two bytes, 1f 8b
 * @param options.name what errors call the file
 * @throws ValueError naming the file and the byte: not IDX, an unknown type, cut short, bytes too many, sizes beyond
 *   all reason, a damaged gzip stream.
 * @source https://yann.lecun.com/exdb/mnist/, "The IDX file format"
 */
export async function readIdx(bytes: Uint8Array | ArrayBuffer, { name }: { name: string }): Promise<IdxArray> {
  // Taken before the first await, after which the caller is no longer on the stack.
  const callSite = findCallSite();
  const given = new Uint8Array(bytes);
  if (!isGzip(given)) return parse(given, name, callSite);
  const inflated = await gunzip(given, { op: 'readIdx', name, callSite });
  return parse(inflated, `${name} (decompressed)`, callSite);
}

function parse(bytes: Uint8Array<ArrayBuffer>, name: string, callSite: string | undefined): IdxArray {
  const fail = (sentence: string, mend: string): never => {
    throw new ValueError('readIdx', `${name}: ${sentence}`, { mend, callSite });
  };
  const fetchAgain = 'fetch the file again, and compare its size with the original.';
  const view = new DataView(bytes.buffer);
  if (bytes.length < 4) {
    return fail(`the file ends at byte ${bytes.length}; the magic alone takes bytes 0 to 4.`, fetchAgain);
  }
  const magic = `0x${view.getUint32(0).toString(16).padStart(8, '0')}`;
  if (view.getUint16(0) !== 0) {
    return fail(
      `magic is ${magic} at byte 0; an IDX file begins with two zero bytes, a type code and the number of dimensions.`,
      'give an IDX file, as MNIST and Fashion-MNIST ship them, gzipped or not.',
    );
  }
  const type = TYPES.get(view.getUint8(2));
  if (type === undefined) {
    const known = [...TYPES].map(([code, { name: kind }]) => `${hexByte(code)} ${kind}`).join(', ');
    return fail(
      `type code is ${hexByte(view.getUint8(2))} at byte 2; known are: ${known}.`,
      'give an IDX file, as MNIST and Fashion-MNIST ship them, gzipped or not.',
    );
  }
  const rank = view.getUint8(3);
  if (rank === 0) {
    return fail('the number of dimensions is 0 at byte 3; it must be at least 1.', 'write the array with its sizes.');
  }
  const begin = 4 + 4 * rank;
  if (bytes.length < begin) {
    return fail(
      `the file ends at byte ${bytes.length}; the sizes of its ${rank} dimensions take bytes 4 to ${begin}.`,
      fetchAgain,
    );
  }
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = shape.reduce((product, length) => product * length, 1);
  const end = begin + size * type.bytes;
  if (!Number.isSafeInteger(end)) {
    return fail(
      `sizes at byte 4 are ${formatShape(shape)}, more elements than any file holds.`,
      'fetch the file again: its header is damaged.',
    );
  }
  const needs = `${type.name} ${formatShape(shape)} takes bytes ${begin} to ${end}`;
  if (bytes.length < end) return fail(`the file ends at byte ${bytes.length}; ${needs}.`, fetchAgain);
  if (bytes.length > end) {
    return fail(
      `${bytes.length - end} bytes follow the data at byte ${end}; ${needs}.`,
      'give the IDX file alone, or fetch it again.',
    );
  }
  return { shape, data: type.read(view, begin, size) };
}

function hexByte(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}

function fill<Data extends Int16Array | Int32Array | Float32Array | Float64Array>(
  data: Data,
  read: (i: number) => number,
): Data {
  for (let i = 0; i < data.length; i++) data[i] = read(i);
  return data;
}
