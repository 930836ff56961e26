import type { IdxData } from '../../src/data/idx.js';

export const IDX_CODES = [0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e] as const;
export type IdxCode = (typeof IDX_CODES)[number];

/** The bytes of an IDX file, written element by element. */
export function idxFile(code: IdxCode, shape: readonly number[], values: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const width = { 8: 1, 9: 1, 11: 2, 12: 4, 13: 4, 14: 8 }[code];
  const begin = 4 + 4 * shape.length;
  const view = new DataView(new ArrayBuffer(begin + width * values.length));
  view.setUint8(2, code);
  view.setUint8(3, shape.length);
  for (const [axis, size] of shape.entries()) view.setUint32(4 + 4 * axis, size);
  for (let i = 0; i < values.length; i++) {
    const at = begin + width * i;
    const value = values[i] ?? 0;
    if (code === 0x08) view.setUint8(at, value);
    else if (code === 0x09) view.setInt8(at, value);
    else if (code === 0x0b) view.setInt16(at, value);
    else if (code === 0x0c) view.setInt32(at, value);
    else if (code === 0x0d) view.setFloat32(at, value);
    else view.setFloat64(at, value);
  }
  return new Uint8Array(view.buffer);
}

/** Arbitrary elements of the code's type. */
export function idxData(code: IdxCode, bytes: Uint8Array<ArrayBuffer>): IdxData {
  if (code === 0x08) return bytes;
  if (code === 0x09) return new Int8Array(bytes.buffer);
  if (code === 0x0b) return Int16Array.from(bytes, (byte, i) => (i % 2 ? -129 : 257) * byte);
  if (code === 0x0c) return Int32Array.from(bytes, (byte, i) => (i % 2 ? -(2 ** 23) : 65537) * byte);
  if (code === 0x0d) return Float32Array.from(bytes, (byte, i) => (byte - 128) / (i + 3));
  return Float64Array.from(bytes, (byte, i) => (byte - 128) / (i + 3));
}

export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const squeezed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(squeezed).arrayBuffer());
}
