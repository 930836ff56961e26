import { formatShape, ValueError } from '../errors.js';
import { findDuplicateKey } from './duplicateKey.js';
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
  type SafetensorsFile,
  type SafetensorsTensor,
  UNSAFE,
} from './safetensorsFormat.js';

/**
 * Reads a safetensors file. Every rule of the format is checked before any data is touched: whatever the bytes,
 * the result is sound or a ValueError.
 *
 * @param bytes the whole file
 * @param options.name what errors call the file
 * @returns tensors in the order of their data; each `data` is a copy that shares no memory with the bytes.
 * @throws ValueError naming the file, the tensor and the byte.
 * @source https://github.com/huggingface/safetensors, README "Format"
 */
export function decodeSafetensors(bytes: Uint8Array | ArrayBuffer, { name }: { name: string }): SafetensorsFile {
  const file = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  const fail: Fail = (sentence, mend = WRITE_AGAIN, cause) => {
    throw new ValueError('decodeSafetensors', `${name}: ${sentence}`, { mend, cause });
  };
  const { header, dataStart } = readHeader(file, fail);
  const dataLength = file.length - dataStart;
  const infos: TensorInfo[] = [];
  let metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(header)) {
    if (key === UNSAFE) fail(`the header names a tensor '${UNSAFE}'; that key is unsafe.`);
    if (key === METADATA) metadata = readMetadata(value, fail);
    else infos.push(readInfo(key, value, dataLength, fail));
  }
  infos.sort((left, right) => left.begin - right.begin || left.end - right.end);
  let end = 0;
  let before = 'the beginning of the data';
  for (const info of infos) {
    if (info.begin !== end) {
      const kind = info.begin < end ? 'overlaps' : 'leaves a gap after';
      fail(`tensor ${quote(info.name)} begins at data byte ${info.begin} and ${kind} ${before}, which ends at ${end}.`);
    }
    end = info.end;
    before = `tensor ${quote(info.name)}`;
  }
  if (end !== dataLength) {
    fail(
      `the tensors end at data byte ${end}, but the file holds ${dataLength} bytes of data (from byte ${dataStart}).`,
    );
  }
  const tensors = new Map<string, SafetensorsTensor>();
  for (const { name: tensor, dtype, shape, begin, end: stop } of infos) {
    const part = new Uint8Array(file.subarray(dataStart + begin, dataStart + stop)).buffer;
    tensors.set(tensor, { shape, dtype, data: new DTYPES[dtype](part) });
  }
  return { tensors, metadata };
}

const WRITE_AGAIN = 'fetch the file again, or write it anew with encodeSafetensors or the safetensors library.';

type Fail = (sentence: string, mend?: string, cause?: unknown) => never;

interface TensorInfo {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** Bytes `[begin, end)` of the data. */
  readonly begin: number;
  readonly end: number;
}

function readHeader(file: Uint8Array, fail: Fail): { header: object; dataStart: number } {
  if (file.length < LENGTH_BYTES) {
    return fail(`the file ends at byte ${file.length}; the header's length alone takes bytes 0 to ${LENGTH_BYTES}.`);
  }
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > BigInt(HEADER_LIMIT)) {
    return fail(
      `the header's length at byte 0 is ${length}; the format allows ${HEADER_LIMIT}.`,
      'give a safetensors file; this is another kind, or damaged.',
    );
  }
  const dataStart = LENGTH_BYTES + Number(length);
  if (file.length < dataStart) {
    return fail(`the file ends at byte ${file.length}; its header takes bytes ${LENGTH_BYTES} to ${dataStart}.`);
  }
  if (length === 0n || file[LENGTH_BYTES] !== 0x7b) {
    return fail(
      `the header at byte ${LENGTH_BYTES} does not begin with '{'.`,
      'give a safetensors file; this is another kind, or damaged.',
    );
  }
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file.subarray(LENGTH_BYTES, dataStart));
    header = JSON.parse(text);
  } catch (cause) {
    return fail(`the header, bytes ${LENGTH_BYTES} to ${dataStart}, is not JSON in UTF-8.`, undefined, cause);
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) {
    const at = LENGTH_BYTES + new TextEncoder().encode(text.slice(0, duplicate.at)).length;
    return fail(`the header has key ${quote(duplicate.key)} twice in one object, the second time at byte ${at}.`);
  }
  // It begins with '{' and is JSON, so it is an object.
  return { header: header as object, dataStart };
}

function readMetadata(value: unknown, fail: Fail): Record<string, string> {
  if (!isRecord(value)) return fail(`${METADATA} is ${describe(value)}; it must be an object of strings.`);
  const metadata: Record<string, string> = {};
  for (const [key, entry] of Object.entries(value)) {
    if (key === UNSAFE) return fail(`${METADATA} has key '${UNSAFE}'; that key is unsafe.`);
    if (typeof entry !== 'string') return fail(`${METADATA} ${quote(key)} is ${describe(entry)}; it must be a string.`);
    metadata[key] = entry;
  }
  return metadata;
}

function readInfo(name: string, value: unknown, dataLength: number, fail: Fail): TensorInfo {
  const tensor = `tensor ${quote(name)}`;
  if (!isRecord(value))
    return fail(`${tensor} is ${describe(value)}; it must be an object with dtype, shape and data_offsets.`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) return fail(`${tensor} has dtype ${describe(dtype)}; known are: ${DTYPE_NAMES.join(', ')}.`);
  if (!isSizes(shape))
    return fail(`${tensor} has shape ${describe(shape)}; it must be a list of non-negative integers.`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    return fail(`${tensor} has data_offsets ${describe(offsets)}; they must be two non-negative integers.`);
  }
  const [begin = 0, end = 0] = offsets;
  if (begin > end) return fail(`${tensor} has data_offsets [${begin}, ${end}], which end before they begin.`);
  if (end > dataLength) {
    return fail(
      `${tensor} ends at data byte ${end}, but the file holds ${dataLength} bytes of data: it is cut short or damaged.`,
    );
  }
  const needed = byteSize(shape, dtype);
  if (Number.isNaN(needed)) return fail(`${tensor} has shape ${describe(shape)}, more elements than any file holds.`);
  if (needed !== end - begin) {
    return fail(
      `${tensor} is ${dtype} ${formatShape(shape)}, ${needed} bytes, but data_offsets [${begin}, ${end}] give it ${end - begin}.`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
