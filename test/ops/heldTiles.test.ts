import { expect } from 'vitest';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/index.js';
import { MOST_HELD } from '../../src/ops/matmul/heldTiles.js';
import { matmul } from '../../src/ops/matmul.js';
import { transpose } from '../../src/ops/shaping.js';
import { useOwnEngine } from '../support/engine.js';
import { valuesBy } from '../support/forceVariant.js';
import { testOfQuads as test } from '../support/quads.js';
import { random } from '../support/random.js';

const engine = useOwnEngine();

/** `a b^T` by a variant. */
function product(variant: string, a: Float32Array, b: Float32Array, inner: number) {
  const [left, right] = [a, b].map((data) => tensor(data, { shape: [data.length / inner, inner] })) as [Tensor, Tensor];
  return valuesBy(engine(), variant, (x: Tensor, y: Tensor) => matmul(x, transpose(y)), left, right);
}

// Whole tiles, and one more of everything; the fewest steps and the most.
test.each([
  ['held 64x16', 128, 10, 48],
  ['held 64x16', 129, 10, 49],
  ['held 32x12', 64, MOST_HELD, 24],
  ['held 32x12', 33, 1, 13],
  ['held 16x8', 16, 7, 8],
  ['held 4x8', 3, 2, 7],
] as const)('%s gives the bits of other kernels: [%i, %i] to %i columns', async (variant, rows, inner, columns) => {
  const draw = random(rows * columns);
  const a = draw.floats(rows * inner, (r) => r.normal());
  const b = draw.floats(columns * inner, (r) => r.normal());
  // All of them promise one chain of fma over inner, ascending.
  const plain = await product('register 16x8', a, b, inner);
  expect(plain.some((value) => value !== 0)).toBe(true);
  expect(await product(variant, a, b, inner)).toEqual(plain);
});

test('NaN and infinity stay in their row and column', async () => {
  const [rows, inner, columns] = [5, 3, 9];
  const a = new Float32Array(rows * inner).fill(1);
  const b = new Float32Array(columns * inner).fill(1);
  a[2 * inner] = Number.NaN;
  b[7 * inner + 1] = Number.POSITIVE_INFINITY;
  const found = await product('held 4x8', a, b, inner);
  const wanted = Array.from({ length: rows * columns }, (_, i) => {
    if (Math.floor(i / columns) === 2) return Number.NaN;
    return i % columns === 7 ? Number.POSITIVE_INFINITY : inner;
  });
  expect(Array.from(found)).toEqual(wanted);
});

test('a longer inner is not held', async () => {
  const ones = new Float32Array(MOST_HELD + 1).fill(1);
  await expect(product('held 4x8', ones, ones, MOST_HELD + 1)).rejects.toThrow('no variant held 4x8');
});
