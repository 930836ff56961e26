import { describe, expect, test } from 'vitest';
import { decodeDataset, encodeDataset, type ImageDataset } from '../../src/data/imageDataset.js';
import { encodeSafetensors } from '../../src/data/safetensors.js';
import { ValueError } from '../../src/errors.js';
import { complaint } from '../support/complaint.js';
import { random, seeds } from './random.js';

function dataset(grey: (byte: number) => number, labels = [0, 1, 2, 2]): ImageDataset {
  const bytes = random(3).bytes(labels.length * 6);
  const part = { images: Float32Array.from(bytes, grey), labels: Uint32Array.from(labels) };
  const classes = Math.max(...labels) + 1;
  return {
    train: part,
    test: part,
    classes,
    height: 2,
    width: 3,
    classNames: Array.from({ length: classes }, (_, i) => `class ${i}`),
  };
}

describe('encodeDataset', () => {
  test('bytes over 255 go as bytes and come back bit for bit', () => {
    const given = dataset((byte) => byte / 255);
    const file = encodeDataset(given);
    expect(decodeDataset(file)).toEqual(given);
    expect(new TextDecoder().decode(file.subarray(8, 400))).toContain('"train.images":{"dtype":"U8","shape":[4,2,3]');
  });

  test.each<[string, (byte: number) => number]>([
    ['one grey between two bytes', (byte) => (byte + 0.5) / 256],
    ['greys out of range', (byte) => (byte - 128) / 255],
    ['beyond 1', (byte) => (byte + 255) / 255],
    ['minus zero', () => -0],
    ['NaN', () => Number.NaN],
  ])('%s go as floats and come back bit for bit', (_, grey) => {
    const given = dataset(grey);
    const { images } = decodeDataset(encodeDataset(given)).train;
    expect(new Uint32Array(images.buffer)).toEqual(new Uint32Array(given.train.images.buffer));
  });

  test('every byte survives', () => {
    const images = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);
    const part = { images, labels: Uint32Array.of(0) };
    const given = { train: part, test: part, classes: 1, height: 16, width: 16, classNames: ['all'] };
    expect(encodeDataset(given).length).toBeLessThan(2 * 256 + 600);
    expect(decodeDataset(encodeDataset(given))).toEqual(given);
  });

  test('labels from 256 on', () => {
    const given = dataset((byte) => byte / 255, [0, 300]);
    expect(decodeDataset(encodeDataset(given)).train.labels).toEqual(Uint32Array.of(0, 300));
  });
});

describe('decodeDataset complains', () => {
  const mend = '\n  Mend: write the file with encodeDataset.';
  const description = JSON.stringify({ classes: 2, height: 1, width: 2, classNames: ['a', 'b'] });
  const images = { dtype: 'U8' as const, shape: [2, 1, 2], data: new Uint8Array(4) };
  const labels = { dtype: 'U8' as const, shape: [2], data: Uint8Array.of(0, 1) };
  const all = { 'train.images': images, 'train.labels': labels, 'test.images': images, 'test.labels': labels };
  const half = { dtype: 'F16' as const, shape: [2, 1, 2], data: new Uint16Array(4) };

  test.each<[string, Uint8Array, string]>([
    ['no description', encodeSafetensors(all), "metadata 'dataset' is missing."],
    ['not JSON', encodeSafetensors(all, { dataset: '{' }), "metadata 'dataset' is not JSON."],
    [
      'names',
      encodeSafetensors(all, { dataset: description.replace(',"b"', '') }),
      "metadata 'dataset' does not give classes, height, width and a name for each class.",
    ],
    [
      'a part',
      encodeSafetensors({ 'train.images': images }, { dataset: description }),
      "tensor 'train.labels' is missing.",
    ],
    [
      'sizes',
      encodeSafetensors({ ...all, 'test.labels': { ...labels, shape: [2, 1] } }, { dataset: description }),
      "'test.images' is [2, 1, 2] and 'test.labels' [2, 1]; they must be [n, 1, 2] and [n].",
    ],
    [
      'a label',
      encodeSafetensors({ ...all, 'test.labels': { ...labels, data: Uint8Array.of(0, 2) } }, { dataset: description }),
      "'test.labels' has label 2, but there are 2 classes.",
    ],
    [
      'a dtype',
      encodeSafetensors({ ...all, 'train.images': half }, { dataset: description }),
      "'train.images' is F16; it must be U8 or F32.",
    ],
  ])('%s', async (_, file, text) => {
    expect(await complaint(() => decodeDataset(file))).toBe(`ValueError: decodeDataset: dataset: ${text}${mend}`);
  });

  test.each(seeds(5))('damaged bytes give a ValueError or another dataset, never another error (seed %i)', (seed) => {
    const rng = random(seed);
    for (let round = 0; round < 100; round++) {
      const file = encodeDataset(dataset((byte) => byte / 255));
      file[rng.below(file.length)] = rng.below(256);
      try {
        decodeDataset(file);
      } catch (error) {
        expect(error).toBeInstanceOf(ValueError);
      }
    }
  });
});
