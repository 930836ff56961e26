import { describe, expect, test } from 'vitest';
import {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsData,
  type SafetensorsDtype,
  type SafetensorsTensor,
} from '../../src/data/safetensors.js';
import { ValueError } from '../../src/errors.js';
import { complaint } from '../support/complaint.js';
import { type Random, random, seeds } from './random.js';

const MAKE: Record<SafetensorsDtype, (bytes: ArrayBuffer) => SafetensorsData> = {
  BOOL: (bytes) => new Uint8Array(bytes).map((byte) => byte & 1),
  U8: (bytes) => new Uint8Array(bytes),
  I8: (bytes) => new Int8Array(bytes),
  U16: (bytes) => new Uint16Array(bytes),
  I16: (bytes) => new Int16Array(bytes),
  F16: (bytes) => new Uint16Array(bytes),
  BF16: (bytes) => new Uint16Array(bytes),
  U32: (bytes) => new Uint32Array(bytes),
  I32: (bytes) => new Int32Array(bytes),
  F32: (bytes) => new Float32Array(bytes),
  U64: (bytes) => new BigUint64Array(bytes),
  I64: (bytes) => new BigInt64Array(bytes),
  F64: (bytes) => new Float64Array(bytes),
};
const DTYPES = Object.keys(MAKE) as SafetensorsDtype[];

function tensor(dtype: SafetensorsDtype, shape: readonly number[], rng: Random = random(1)): SafetensorsTensor {
  const size = shape.reduce((a, b) => a * b, 1) * MAKE[dtype](new ArrayBuffer(8)).BYTES_PER_ELEMENT;
  return { dtype, shape, data: MAKE[dtype](rng.bytes(size).buffer) };
}

function randomTensors(rng: Random): Record<string, SafetensorsTensor> {
  const names = [
    'weight',
    'bias',
    'a "quoted" \\ name',
    'größe',
    '数',
    '\u{1f600}',
    '\ufffd',
    '',
    '0',
    '10',
    'layer.0.weight',
    'constructor',
    'a\nb',
  ];
  const tensors: Record<string, SafetensorsTensor> = {};
  for (let i = rng.below(8); i > 0; i--) {
    const shape = Array.from({ length: rng.below(4) }, () => rng.below(5));
    tensors[rng.pick(names)] = tensor(rng.pick(DTYPES), shape, rng);
  }
  return tensors;
}

/** Bits, so that NaN compares equal to itself only when it is the same NaN. */
function bits({ dtype, shape, data }: SafetensorsTensor): unknown {
  return {
    dtype,
    shape,
    kind: data.constructor.name,
    bytes: [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
  };
}

/** A file from a header's text and the bytes of its data. */
function fileOf(header: string, data: Uint8Array = new Uint8Array()): Uint8Array {
  const text = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setUint32(0, text.length, true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}

function headerOf(file: Uint8Array): string {
  const length = new DataView(file.buffer, file.byteOffset).getUint32(0, true);
  return new TextDecoder().decode(file.subarray(8, 8 + length));
}

describe('safetensors', () => {
  test.each(seeds(30))('what is written comes back bit for bit (seed %i)', (seed) => {
    const rng = random(seed);
    const tensors = randomTensors(rng);
    const metadata = rng.below(2) ? { format: 'pt', step: '12', 'é"\\': '\u{1f600}\n' } : {};
    const decoded = decodeSafetensors(encodeSafetensors(tensors, metadata), { name: 'x' });
    expect(decoded.metadata).toEqual(metadata);
    expect([...decoded.tensors.keys()].sort()).toEqual(Object.keys(tensors).sort());
    for (const [name, given] of Object.entries(tensors)) {
      const read = decoded.tensors.get(name);
      expect(read && bits(read), name).toEqual(bits(given));
    }
  });

  test('reads the example of the reference documentation', () => {
    const header = '{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}';
    const file = fileOf(header, new Uint8Array(16));
    expect(String.fromCharCode(file[0] ?? 0)).toBe('<');
    const { tensors, metadata } = decodeSafetensors(file, { name: 'x' });
    expect([...tensors]).toEqual([['test', { dtype: 'I32', shape: [2, 2], data: new Int32Array(4) }]]);
    expect(metadata).toEqual({});
  });

  test('lays out as the reference writer: metadata first, alignment falling, then name; padded with spaces to 8', () => {
    const file = encodeSafetensors(
      {
        b: tensor('F32', [2]),
        '\ufffd': tensor('U8', [3]),
        '\u{1f600}': tensor('U8', []),
        a: tensor('F32', [1]),
        long: tensor('I64', [1]),
        half: tensor('BF16', [0, 5]),
      },
      { z: '1', format: 'pt' },
    );
    const header = headerOf(file);
    expect(header).toBe(
      `${[
        '{"__metadata__":{"format":"pt","z":"1"}',
        '"long":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}',
        '"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}',
        '"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}',
        '"half":{"dtype":"BF16","shape":[0,5],"data_offsets":[20,20]}',
        '"\ufffd":{"dtype":"U8","shape":[3],"data_offsets":[20,23]}',
        '"\u{1f600}":{"dtype":"U8","shape":[],"data_offsets":[23,24]}}',
      ].join(',')}${' '.repeat(header.length - header.trimEnd().length)}`,
    );
    expect(new TextEncoder().encode(header).length % 8).toBe(0);
    expect(header.length - header.trimEnd().length).toBeLessThan(8);
  });

  test.each(seeds(5))(
    'each tensor begins at a multiple of its element size, whatever the order given (seed %i)',
    (seed) => {
      const tensors = randomTensors(random(seed));
      const file = encodeSafetensors(tensors);
      const shuffled = Object.fromEntries(Object.entries(tensors).reverse());
      expect(encodeSafetensors(shuffled)).toEqual(file);
      const header: Record<string, { data_offsets: [number, number] }> = JSON.parse(headerOf(file));
      for (const [name, { data_offsets: offsets }] of Object.entries(header)) {
        expect(offsets[0] % (tensors[name]?.data.BYTES_PER_ELEMENT ?? 0), name).toBe(0);
      }
    },
  );

  test('a view of a larger array is written alone; what is read shares nothing with the file', () => {
    const whole = Float32Array.of(1, 2, 3, 4, 5);
    const file = encodeSafetensors({ middle: { dtype: 'F32', shape: [2], data: whole.subarray(2, 4) } });
    const read = decodeSafetensors(file, { name: 'x' }).tensors.get('middle');
    file.fill(0);
    expect(read?.data).toEqual(Float32Array.of(3, 4));
    expect(read?.data.buffer.byteLength).toBe(8);
  });

  test('an unaligned file in the middle of a buffer is read alike', () => {
    const file = encodeSafetensors({ a: tensor('F64', [3]) });
    const padded = new Uint8Array(file.length + 9);
    padded.set(file, 3);
    const read = decodeSafetensors(padded.subarray(3, 3 + file.length), { name: 'x' });
    expect(read).toEqual(decodeSafetensors(file.buffer, { name: 'x' }));
  });

  test('no tensors at all; many megabytes of metadata', () => {
    expect(decodeSafetensors(encodeSafetensors({}), { name: 'x' }).tensors.size).toBe(0);
    const log = '"\\'.repeat(4_000_000);
    expect(decodeSafetensors(encodeSafetensors({}, { log }), { name: 'x' }).metadata.log).toHaveLength(8_000_000);
  });

  test('metadata and tensors may be named like what objects inherit', () => {
    const file = encodeSafetensors({ toString: tensor('U8', [1]) }, { constructor: 'x' } as Record<string, string>);
    const { tensors, metadata } = decodeSafetensors(file, { name: 'x' });
    expect([...tensors.keys()]).toEqual(['toString']);
    expect(Object.entries(metadata)).toEqual([['constructor', 'x']]);
  });
});

const anew = '\n  Mend: fetch the file again, or write it anew with encodeSafetensors or the safetensors library.';
const other = '\n  Mend: give a safetensors file; this is another kind, or damaged.';

describe('decodeSafetensors complains', () => {
  const u8 = (offsets: string, shape = '[1]'): string => `{"dtype":"U8","shape":${shape},"data_offsets":${offsets}}`;
  const one = (entry: string, data = 1): Uint8Array => fileOf(`{"a":${entry}}`, new Uint8Array(data));
  const length = (bytes: number[]): Uint8Array => Uint8Array.of(...bytes, ...new TextEncoder().encode('{}'));

  test.each<[string, Uint8Array, string]>([
    [
      'shorter than the length',
      new Uint8Array(7),
      `the file ends at byte 7; the header's length alone takes bytes 0 to 8.${anew}`,
    ],
    [
      '100 MB and one byte',
      length([1, 225, 245, 5, 0, 0, 0, 0]),
      `the header's length at byte 0 is 100000001; the format allows 100000000.${other}`,
    ],
    [
      '100 MB, cut short',
      length([0, 225, 245, 5, 0, 0, 0, 0]),
      `the file ends at byte 10; its header takes bytes 8 to 100000008.${anew}`,
    ],
    [
      '2^64 - 1',
      length([255, 255, 255, 255, 255, 255, 255, 255]),
      `the header's length at byte 0 is 18446744073709551615; the format allows 100000000.${other}`,
    ],
    ['no brace', fileOf(' {}'), `the header at byte 8 does not begin with '{'.${other}`],
    ['empty header', new Uint8Array(8), `the header at byte 8 does not begin with '{'.${other}`],
    ['not JSON', fileOf('{"a":}'), `the header, bytes 8 to 14, is not JSON in UTF-8.${anew}`],
    [
      'not UTF-8',
      Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x22, 0xff, 0x22, 0x7d),
      `the header, bytes 8 to 13, is not JSON in UTF-8.${anew}`,
    ],
    [
      'a name twice',
      fileOf(`{"é":${u8('[0,1]')},"é":${u8('[0,1]')}}`, new Uint8Array(1)),
      `the header has key 'é' twice in one object, the second time at byte 62.${anew}`,
    ],
    [
      'a name twice, once escaped',
      fileOf(`{"a":${u8('[0,1]')}, "\\u0061" : ${u8('[0,1]')}}`, new Uint8Array(1)),
      `the header has key 'a' twice in one object, the second time at byte 62.${anew}`,
    ],
    [
      'dtype twice',
      one('{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}'),
      `the header has key 'dtype' twice in one object, the second time at byte 27.${anew}`,
    ],
    [
      'metadata twice',
      fileOf('{"__metadata__":{},"__metadata__":{}}'),
      `the header has key '__metadata__' twice in one object, the second time at byte 27.${anew}`,
    ],
    [
      '__proto__',
      fileOf(`{"__proto__":${u8('[0,1]')}}`, new Uint8Array(1)),
      `the header names a tensor '__proto__'; that key is unsafe.${anew}`,
    ],
    [
      '__proto__ in metadata',
      fileOf('{"__metadata__":{"__proto__":"x"}}'),
      `__metadata__ has key '__proto__'; that key is unsafe.${anew}`,
    ],
    [
      'metadata not strings',
      fileOf('{"__metadata__":{"step":3}}'),
      `__metadata__ 'step' is 3; it must be a string.${anew}`,
    ],
    [
      'metadata a list',
      fileOf('{"__metadata__":["x"]}'),
      `__metadata__ is ["x"]; it must be an object of strings.${anew}`,
    ],
    ['no object', one('null'), `tensor 'a' is null; it must be an object with dtype, shape and data_offsets.${anew}`],
    [
      'dtype',
      one('{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}'),
      `tensor 'a' has dtype "F8_E4M3"; known are: BOOL, U8, I8, I16, U16, F16, BF16, I32, U32, F32, F64, I64, U64.${anew}`,
    ],
    [
      'inherited dtype',
      one('{"dtype":"toString","shape":[1],"data_offsets":[0,1]}'),
      `tensor 'a' has dtype "toString"; known are: BOOL, U8, I8, I16, U16, F16, BF16, I32, U32, F32, F64, I64, U64.${anew}`,
    ],
    [
      'no dtype',
      one('{"shape":[1],"data_offsets":[0,1]}'),
      `tensor 'a' has dtype missing; known are: BOOL, U8, I8, I16, U16, F16, BF16, I32, U32, F32, F64, I64, U64.${anew}`,
    ],
    [
      'negative',
      one(u8('[0,1]', '[-1]')),
      `tensor 'a' has shape [-1]; it must be a list of non-negative integers.${anew}`,
    ],
    [
      'half',
      one(u8('[0,1]', '[0.5]')),
      `tensor 'a' has shape [0.5]; it must be a list of non-negative integers.${anew}`,
    ],
    [
      'shape a string',
      one(u8('[0,1]', '"1"')),
      `tensor 'a' has shape "1"; it must be a list of non-negative integers.${anew}`,
    ],
    [
      'beyond 2^53',
      one(u8('[0,1]', '[9007199254740992]')),
      `tensor 'a' has shape [9007199254740992]; it must be a list of non-negative integers.${anew}`,
    ],
    [
      'product beyond 2^53',
      one(u8('[0,1]', '[4294967296,4294967296]')),
      `tensor 'a' has shape [4294967296,4294967296], more elements than any file holds.${anew}`,
    ],
    [
      'three offsets',
      one(u8('[0,1,2]')),
      `tensor 'a' has data_offsets [0,1,2]; they must be two non-negative integers.${anew}`,
    ],
    ['backwards', one(u8('[1,0]')), `tensor 'a' has data_offsets [1, 0], which end before they begin.${anew}`],
    [
      'out of range',
      one(u8('[0,2]', '[2]')),
      `tensor 'a' ends at data byte 2, but the file holds 1 bytes of data: it is cut short or damaged.${anew}`,
    ],
    [
      'size',
      one('{"dtype":"F32","shape":[2,3],"data_offsets":[0,20]}', 20),
      `tensor 'a' is F32 [2, 3], 24 bytes, but data_offsets [0, 20] give it 20.${anew}`,
    ],
    [
      'gap at the beginning',
      one(u8('[1,2]'), 2),
      `tensor 'a' begins at data byte 1 and leaves a gap after the beginning of the data, which ends at 0.${anew}`,
    ],
    [
      'gap',
      fileOf(`{"b":${u8('[2,3]')},"a":${u8('[0,1]')}}`, new Uint8Array(3)),
      `tensor 'b' begins at data byte 2 and leaves a gap after tensor 'a', which ends at 1.${anew}`,
    ],
    [
      'overlap',
      fileOf(`{"a":${u8('[0,2]', '[2]')},"b":${u8('[1,2]')}}`, new Uint8Array(2)),
      `tensor 'b' begins at data byte 1 and overlaps tensor 'a', which ends at 2.${anew}`,
    ],
    [
      'bytes too many',
      one(u8('[0,1]'), 5),
      `the tensors end at data byte 1, but the file holds 5 bytes of data (from byte 61).${anew}`,
    ],
  ])('%s', async (_, file, text) => {
    expect(await complaint(() => decodeSafetensors(file, { name: 'm.safetensors' }))).toBe(
      `ValueError: decodeSafetensors: m.safetensors: ${text}`,
    );
  });

  test('an empty tensor may stand at a border, not inside another', async () => {
    const at = (offset: number): Uint8Array =>
      fileOf(`{"a":${u8('[0,2]', '[2]')},"empty":${u8(`[${offset},${offset}]`, '[0]')}}`, new Uint8Array(2));
    expect(decodeSafetensors(at(0), { name: 'x' }).tensors.size).toBe(2);
    expect(decodeSafetensors(at(2), { name: 'x' }).tensors.size).toBe(2);
    expect(await complaint(() => decodeSafetensors(at(1), { name: 'x' }))).toBe(
      `ValueError: decodeSafetensors: x: tensor 'empty' begins at data byte 1 and overlaps tensor 'a', which ends at 2.${anew}`,
    );
  });

  test('truncated anywhere it is a ValueError', () => {
    const file = encodeSafetensors({ a: tensor('F32', [3]), b: tensor('U8', [5]) }, { format: 'pt' });
    for (let bytes = 0; bytes < file.length; bytes++) {
      expect(() => decodeSafetensors(file.subarray(0, bytes), { name: 'x' }), `${bytes} bytes`).toThrow(ValueError);
    }
  });

  test.each(seeds(10))('damaged bytes give a ValueError or other tensors, never another error (seed %i)', (seed) => {
    const rng = random(seed);
    for (let round = 0; round < 200; round++) {
      const file = encodeSafetensors(randomTensors(rng), { format: 'pt' });
      // Most hits fall into the header, where they can do harm; printable ones keep it JSON more often.
      for (let hit = 0; hit <= rng.below(3); hit++) {
        file[rng.below(Math.min(file.length, 200))] = rng.below(2)
          ? rng.below(256)
          : rng.pick([0x22, 0x2c, 0x30, 0x39, 0x5b, 0x7b, 0x7d]);
      }
      try {
        for (const { dtype, shape, data } of decodeSafetensors(file, { name: 'x' }).tensors.values()) {
          expect(data.length, dtype).toBe(shape.reduce((a, b) => a * b, 1));
        }
      } catch (error) {
        expect(error).toBeInstanceOf(ValueError);
      }
    }
  });
});

describe('encodeSafetensors complains', () => {
  const data = new Float32Array(2);
  const unsafe = Object.fromEntries([['__proto__', { dtype: 'F32', shape: [2], data }]]) as Record<
    string,
    SafetensorsTensor
  >;

  test.each<[string, () => unknown, string]>([
    [
      '__metadata__',
      () => encodeSafetensors({ __metadata__: { dtype: 'F32', shape: [2], data } }),
      "ValueError: encodeSafetensors: a tensor cannot be named '__metadata__'.\n  Mend: rename it.",
    ],
    [
      '__proto__',
      () => encodeSafetensors(unsafe),
      "ValueError: encodeSafetensors: a tensor cannot be named '__proto__'.\n  Mend: rename it.",
    ],
    [
      'shape',
      () => encodeSafetensors({ a: { dtype: 'F32', shape: [3], data } }),
      "ShapeError: encodeSafetensors: tensor 'a' has shape [3], but its data has 2 elements.",
    ],
    [
      'data',
      () => encodeSafetensors({ a: { dtype: 'I32', shape: [2], data } }),
      "ValueError: encodeSafetensors: tensor 'a' is I32, whose data is a Int32Array, but its data is a Float32Array.",
    ],
    [
      'surrogate',
      () => encodeSafetensors({ '\ud800': { dtype: 'F32', shape: [2], data } }),
      "ValueError: encodeSafetensors: tensor name '\ud800' holds half a surrogate pair, which UTF-8 cannot write.",
    ],
    [
      'metadata',
      () => encodeSafetensors({}, Object.assign(Object.create(null), { step: 3 })),
      "ValueError: encodeSafetensors: metadata 'step' is 3; it must be a string.\n  Mend: write it with JSON.stringify.",
    ],
    [
      'header',
      () => encodeSafetensors({}, { log: 'x'.repeat(100_000_000) }),
      'ValueError: encodeSafetensors: the header takes 100000032 bytes; the format allows 100000000.\n  Mend: put fewer tensors or less metadata in one file.',
    ],
  ])('%s', async (_, run, text) => {
    expect(await complaint(run)).toBe(text);
  });
});
