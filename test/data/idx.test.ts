import { describe, expect, test } from 'vitest';
import { readIdx } from '../../src/data/idx.js';
import { ValueError } from '../../src/errors.js';
import { complaint } from '../support/complaint.js';
import { gzip, IDX_CODES, type IdxCode, idxData, idxFile } from './idxFile.js';
import { type Random, random, seeds } from './random.js';

function sample(rng: Random, code: IdxCode = rng.pick(IDX_CODES)) {
  const shape = Array.from({ length: 1 + rng.below(4) }, () => rng.below(6));
  const data = idxData(code, rng.bytes(shape.reduce((a, b) => a * b, 1)));
  return { shape, data, file: idxFile(code, shape, data) };
}

const name = 'train.gz';
const again = '\n  Mend: fetch the file again, and compare its size with the original.';

describe('readIdx', () => {
  test.each(IDX_CODES)('type %i comes back, plain and gzipped', async (code) => {
    for (const seed of seeds(5)) {
      const { shape, data, file } = sample(random(seed), code);
      expect(await readIdx(file, { name }), `seed ${seed}`).toEqual({ shape, data });
      expect(await readIdx(await gzip(file), { name }), `seed ${seed}, gzipped`).toEqual({ shape, data });
    }
  });

  test('an ArrayBuffer, or a view in the middle of one, is read alike; the data is a copy', async () => {
    const file = idxFile(0x08, [3], [1, 2, 3]);
    const padded = new Uint8Array(file.length + 7);
    padded.set(file, 5);
    const view = padded.subarray(5, 5 + file.length);
    const fromView = await readIdx(view, { name });
    const fromBuffer = await readIdx(file.buffer, { name });
    view.fill(0);
    file.fill(0);
    expect(fromView).toEqual({ shape: [3], data: Uint8Array.of(1, 2, 3) });
    expect(fromBuffer).toEqual(fromView);
  });

  test('a size of 0 is an empty array', async () => {
    expect(await readIdx(idxFile(0x0d, [0, 28], []), { name })).toEqual({ shape: [0, 28], data: new Float32Array(0) });
  });

  test('extreme and special numbers', async () => {
    const values = [Number.NaN, Number.POSITIVE_INFINITY, -0, 5e-324, -1.7976931348623157e308];
    const { data } = await readIdx(idxFile(0x0e, [5], values), { name });
    expect(Array.from(data)).toEqual(values);
  });
});

describe('readIdx complains', () => {
  const file = idxFile(0x0b, [2, 3], [1, 2, 3, 4, 5, 6]);
  const with_ = (at: number, ...bytes: number[]): Uint8Array => {
    const changed = Uint8Array.from(file);
    changed.set(bytes, at);
    return changed;
  };
  const kinds = '\n  Mend: give an IDX file, as MNIST and Fashion-MNIST ship them, gzipped or not.';

  test.each<[string, Uint8Array, string]>([
    [
      'magic',
      with_(0, 0x89, 0x50),
      `magic is 0x89500b02 at byte 0; an IDX file begins with two zero bytes, a type code and the number of dimensions.${kinds}`,
    ],
    [
      'type',
      with_(2, 0x0a),
      `type code is 0x0a at byte 2; known are: 0x08 u8, 0x09 i8, 0x0b i16, 0x0c i32, 0x0d f32, 0x0e f64.${kinds}`,
    ],
    [
      'no dimension',
      with_(3, 0),
      'the number of dimensions is 0 at byte 3; it must be at least 1.\n  Mend: write the array with its sizes.',
    ],
    ['nothing', file.subarray(0, 0), `the file ends at byte 0; the magic alone takes bytes 0 to 4.${again}`],
    ['cut in the magic', file.subarray(0, 3), `the file ends at byte 3; the magic alone takes bytes 0 to 4.${again}`],
    [
      'cut in the sizes',
      file.subarray(0, 11),
      `the file ends at byte 11; the sizes of its 2 dimensions take bytes 4 to 12.${again}`,
    ],
    ['cut in the data', file.subarray(0, 23), `the file ends at byte 23; i16 [2, 3] takes bytes 12 to 24.${again}`],
    [
      'trailing',
      Uint8Array.of(...file, 0),
      '1 bytes follow the data at byte 24; i16 [2, 3] takes bytes 12 to 24.\n  Mend: give the IDX file alone, or fetch it again.',
    ],
    [
      'absurd sizes',
      with_(4, 255, 255, 255, 255, 255, 255, 255, 255),
      'sizes at byte 4 are [4294967295, 4294967295], more elements than any file holds.\n  Mend: fetch the file again: its header is damaged.',
    ],
  ])('%s', async (_, bytes, text) => {
    expect(await complaint(() => readIdx(bytes, { name: 'train' }))).toBe(`ValueError: readIdx: train: ${text}`);
  });

  test('a gzip stream cut short, and what is wrong within a whole one', async () => {
    const squeezed = await gzip(file);
    expect(await complaint(() => readIdx(squeezed.subarray(0, 20), { name }))).toBe(
      `ValueError: readIdx: train.gz: the gzip stream in bytes 0 to 20 does not decompress: it is cut short or damaged.${again}`,
    );
    expect(await complaint(async () => readIdx(await gzip(file.slice(0, 23)), { name }))).toBe(
      `ValueError: readIdx: train.gz (decompressed): the file ends at byte 23; i16 [2, 3] takes bytes 12 to 24.${again}`,
    );
  });

  test('truncated anywhere, plain or gzipped, it is a ValueError', async () => {
    const { file: whole } = sample(random(5), 0x0c);
    for (const bytes of [whole, await gzip(whole)]) {
      for (let length = 0; length < bytes.length; length++) {
        await expect(readIdx(bytes.subarray(0, length), { name }), `${length} bytes`).rejects.toThrow(ValueError);
      }
    }
  });

  test.each(seeds(4))('damaged bytes give a ValueError or other data, never another error (seed %i)', async (seed) => {
    const rng = random(seed);
    for (let round = 0; round < 40; round++) {
      const { file: whole } = sample(rng);
      const bytes = round % 2 ? whole : await gzip(whole);
      for (let hit = 0; hit <= rng.below(3); hit++) bytes[rng.below(bytes.length)] = rng.below(256);
      await readIdx(bytes, { name }).catch((error: unknown) => expect(error).toBeInstanceOf(ValueError));
    }
  });
});
