import { describe, expect, test } from 'vitest';
import { splitDataset } from '../../src/data/splitDataset.js';
import { complaint } from '../support/complaint.js';

const labels = Uint32Array.from({ length: 20 }, (_, i) => i);
const images = Float32Array.from({ length: 40 }, (_, i) => i / 2);

describe('splitDataset', () => {
  test('deals each example into one part, rows together, kinds kept', () => {
    const shaped = { data: Int32Array.from(labels), shape: [20, 1] };
    const { train, test: held } = splitDataset({ images, labels, shaped }, { testCount: 6, seed: 4 });
    expect(train.labels).toHaveLength(14);
    expect(held.labels).toHaveLength(6);
    expect([...train.labels, ...held.labels].sort((a, b) => a - b)).toEqual(Array.from(labels));
    for (const part of [train, held]) {
      expect(Array.from(part.images)).toEqual(Array.from(part.labels, (i) => [i, i + 0.5]).flat());
      expect(part.shaped).toEqual({ data: Int32Array.from(part.labels), shape: [part.labels.length, 1] });
    }
  });

  test('the same seed deals the same parts, another seed others', () => {
    const held = (seed: number): Uint32Array => splitDataset({ labels }, { testCount: 10, seed }).test.labels;
    expect(held(7)).toEqual(held(7));
    expect(held(7)).not.toEqual(held(8));
  });

  test.each([0, 20, 2.5, -1])('testCount %d is refused', async (testCount) => {
    expect(await complaint(() => splitDataset({ labels }, { testCount }))).toBe(
      `ValueError: splitDataset: testCount is ${testCount}; of 20 examples it must be an integer in [1, 20).`,
    );
  });
});
