import { expect } from 'vitest';
import type { Engine } from '../../src/graph/engine.js';
import { matmul, type Tensor, tensor } from '../../src/index.js';
import { valuesBy } from '../support/forceVariant.js';

// What holds of every product's kernel. `stored`: what is multiplied of each operand, itself or itself as f16.
type Stored = (x: Tensor) => Tensor;
const itself: Stored = (x) => x;

/** NaN and infinity stay in their row and column. */
export async function checkNonFinite(engine: Engine, variant: string, stored = itself): Promise<void> {
  const a = new Float32Array(20 * 4).fill(1);
  const b = new Float32Array(4 * 20).fill(1);
  a[18 * 4 + 2] = Number.NaN;
  b[3 * 20 + 17] = Number.POSITIVE_INFINITY;
  const [x, y] = [stored(tensor(a, { shape: [20, 4] })), stored(tensor(b, { shape: [4, 20] }))];
  const found = await valuesBy(engine, variant, matmul, x, y);
  const wanted = Array.from({ length: 400 }, (_, i) => {
    if (Math.floor(i / 20) === 18) return Number.NaN;
    return i % 20 === 17 ? Number.POSITIVE_INFINITY : 4;
  });
  expect(Array.from(found)).toEqual(wanted);
}

/** More batches than a dispatch has workgroups in a dimension. */
export async function checkManyBatches(engine: Engine, variant: string, stored = itself): Promise<void> {
  const many = Float32Array.from({ length: 65_537 * 16 }, (_, i) => (i % 1021) - 3);
  const ones = stored(tensor(new Float32Array(16).fill(1), { shape: [1, 4, 4] }));
  const found = await valuesBy(engine, variant, matmul, stored(tensor(many, { shape: [65_537, 4, 4] })), ones);
  const wrong = found.findIndex((value, i) => {
    const row = 4 * Math.floor(i / 4);
    return value !== (many[row] ?? 0) + (many[row + 1] ?? 0) + (many[row + 2] ?? 0) + (many[row + 3] ?? 0);
  });
  expect(wrong).toBe(-1);
}
