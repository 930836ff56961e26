import { ShapeError, ValueError } from '../errors.js';
import {
  byteSize,
  DTYPE_NAMES,
  DTYPES,
  describe,
  HEADER_LIMIT,
  isDtype,
  isSizes,
  LENGTH_BYTES,
  METADATA,
  quote,
  type SafetensorsDtype,
  type SafetensorsTensor,
  UNSAFE,
} from './safetensorsFormat.js';

/**
 * Writes tensors as a safetensors file: a little-endian u64 header length, a JSON header, the tensors' bytes.
 *
 * The bytes depend on the contents only: tensors go by dtype (largest alignment first) and then by name, as the
 * reference writer has it, metadata by key. Spaces pad the header, so the data begins at a multiple of 8.
 *
 * @param tensors by name; any names but `__metadata__` and `__proto__`
 * @param metadata strings, kept in the header; none by default
 * @throws ShapeError when a shape and its data differ in size; ValueError for a data type that is not the dtype's, an
 *   unsafe name, metadata that is not a string, a header beyond 100 MB.
 * @source https://github.com/huggingface/safetensors, README "Format"
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, SafetensorsTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const sorted = Object.entries(tensors).sort(
    ([leftName, left], [rightName, right]) => rank(right.dtype) - rank(left.dtype) || compare(leftName, rightName),
  );
  const entries: string[] = metadata === undefined ? [] : [`"${METADATA}":${encodeMetadata(metadata)}`];
  let offset = 0;
  for (const [name, tensor] of sorted) {
    checkTensor(name, tensor);
    const { dtype, shape, data } = tensor;
    const end = offset + data.byteLength;
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, end] })}`);
    offset = end;
  }
  const header = new TextEncoder().encode(`{${entries.join(',')}}`);
  const headerLength = Math.ceil(header.length / LENGTH_BYTES) * LENGTH_BYTES;
  if (headerLength > HEADER_LIMIT) {
    throw new ValueError(
      'encodeSafetensors',
      `the header takes ${headerLength} bytes; the format allows ${HEADER_LIMIT}.`,
      {
        mend: 'put fewer tensors or less metadata in one file.',
      },
    );
  }
  const dataStart = LENGTH_BYTES + headerLength;
  const bytes = new Uint8Array(dataStart + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(0x20, LENGTH_BYTES + header.length, dataStart);
  bytes.set(header, LENGTH_BYTES);
  let begin = dataStart;
  for (const [, { data }] of sorted) {
    // The host's own byte order: WebGPU, and so this library, runs on little-endian machines only.
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), begin);
    begin += data.byteLength;
  }
  return bytes;
}

function checkTensor(name: string, { dtype, shape, data }: SafetensorsTensor): void {
  const op = 'encodeSafetensors';
  if (name === METADATA || name === UNSAFE)
    throw new ValueError(op, `a tensor cannot be named '${name}'.`, { mend: 'rename it.' });
  checkText(`tensor name ${quote(name)}`, name);
  if (!isDtype(dtype)) {
    throw new ValueError(op, `tensor '${name}' has dtype ${describe(dtype)}; known are: ${DTYPE_NAMES.join(', ')}.`);
  }
  if (!(data instanceof DTYPES[dtype])) {
    const kind = Object.prototype.toString.call(data).slice(8, -1);
    throw new ValueError(
      op,
      `tensor '${name}' is ${dtype}, whose data is a ${DTYPES[dtype].name}, but its data is a ${kind}.`,
    );
  }
  if (!isSizes(shape) || byteSize(shape, dtype) !== data.byteLength) {
    throw new ShapeError(
      op,
      `tensor '${name}' has shape ${describe(shape)}, but its data has ${data.length} elements.`,
    );
  }
}

function encodeMetadata(metadata: Readonly<Record<string, string>>): string {
  const entries = Object.entries(metadata).sort(([left], [right]) => compare(left, right));
  const parts = entries.map(([key, value]) => {
    if (key === UNSAFE)
      throw new ValueError('encodeSafetensors', `metadata cannot have key '${UNSAFE}'.`, { mend: 'rename it.' });
    if (typeof value !== 'string') {
      throw new ValueError('encodeSafetensors', `metadata ${quote(key)} is ${describe(value)}; it must be a string.`, {
        mend: 'write it with JSON.stringify.',
      });
    }
    checkText(`metadata key ${quote(key)}`, key);
    checkText(`metadata ${quote(key)}`, value);
    return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
  });
  return `{${parts.join(',')}}`;
}

/** JSON.stringify would write half a surrogate pair as an escape that other readers refuse. */
function checkText(what: string, text: string): void {
  if (/\p{Surrogate}/u.test(text)) {
    throw new ValueError('encodeSafetensors', `${what} holds half a surrogate pair, which UTF-8 cannot write.`);
  }
}

function rank(dtype: SafetensorsDtype): number {
  return DTYPE_NAMES.indexOf(dtype);
}

/** Order of the UTF-8 bytes, which is the order of code points, not that of JavaScript's UTF-16 units. */
function compare(left: string, right: string): number {
  const a = Array.from(left, (character) => character.codePointAt(0) ?? 0);
  const b = Array.from(right, (character) => character.codePointAt(0) ?? 0);
  const at = a.findIndex((point, i) => point !== b[i]);
  if (at < 0) return a.length - b.length;
  return at < b.length ? (a[at] ?? 0) - (b[at] ?? 0) : 1;
}
