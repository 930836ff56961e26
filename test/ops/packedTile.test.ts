import { expect } from 'vitest';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/index.js';
import { matmul } from '../../src/ops/matmul.js';
import { slice, transpose } from '../../src/ops/shaping.js';
import { drawTensor } from '../support/drawTensor.js';
import { useOwnEngine } from '../support/engine.js';
import { forceVariant, valuesBy } from '../support/forceVariant.js';
import { testOfQuads as test } from '../support/quads.js';
import { checkColumnSums } from './columnSums.js';
import { checkManyBatches, checkNonFinite } from './productLaws.js';

const engine = useOwnEngine();
const PACKED = 'packed 16x16';
// All kernels promise one chain of fma over inner, ascending.
const PLAIN = 'register 16x8';

const normal = (shape: readonly number[], seed: number) => drawTensor(shape, seed, (r) => r.normal());

const layouts = {
  nn: { aTransposed: false, bTransposed: false },
  nt: { aTransposed: false, bTransposed: true },
  tn: { aTransposed: true, bTransposed: false },
  tt: { aTransposed: true, bTransposed: true },
} as const;

// Whole tiles, less than one, and four or one more: one only along an axis that no operand walks.
test.each([
  ['nn', 16, 4, 16],
  ['nn', 33, 12, 20],
  ['nn', 1, 64, 4],
  ['nt', 32, 8, 16],
  ['nt', 7, 20, 33],
  ['nt', 1, 4, 1],
  ['tn', 48, 16, 32],
  ['tn', 20, 36, 4],
  ['tt', 16, 8, 17],
  ['tt', 4, 28, 3],
] as const)('%s [%i, %i] to %i columns: the bits of other kernels', async (name, rows, inner, columns) => {
  const { aTransposed, bTransposed } = layouts[name];
  const seed = 1000 * rows + columns;
  const a = normal(aTransposed ? [inner, rows] : [rows, inner], seed);
  const b = normal(bTransposed ? [columns, inner] : [inner, columns], seed + 1);
  const apply = (x: Tensor, y: Tensor) => matmul(aTransposed ? transpose(x) : x, bTransposed ? transpose(y) : y);
  const plain = await valuesBy(engine(), PLAIN, apply, a, b);
  expect(plain.every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
  expect(await valuesBy(engine(), PACKED, apply, a, b)).toEqual(plain);
});

test('in batches, one operand broadcast, and of slices that begin by fours', async () => {
  const [a, b] = [normal([3, 9, 16], 3), normal([16, 24], 4)];
  const apply = (x: Tensor) => matmul(transpose(slice(x, [0, 3], [1, 9], [4, 12])), slice(x, [0, 3], [1, 9], [0, 12]));
  expect(await valuesBy(engine(), PACKED, apply, a, b)).toEqual(await valuesBy(engine(), PLAIN, apply, a, b));
  const broadcast = (x: Tensor, y: Tensor) => matmul(transpose(y), transpose(x));
  expect(await valuesBy(engine(), PACKED, broadcast, a, b)).toEqual(await valuesBy(engine(), PLAIN, broadcast, a, b));
});

test('more batches than a dispatch has workgroups in a dimension', () => checkManyBatches(engine(), PACKED));

test.each([
  [4, 4, 4],
  [32, 20, 36],
])('column sums beside it: batch %i, %i by %i', (batch, inputs, outputs) => {
  forceVariant(engine(), PACKED);
  return checkColumnSums(batch, inputs, outputs, 50 + batch);
});

test('NaN and infinity stay in their row and column', () => checkNonFinite(engine(), PACKED));

test.each([
  ['an odd inner', [4, 7], [7, 4], matmul],
  ['odd columns, which b walks along', [4, 4], [4, 7], matmul],
  ['odd rows, which a walks along', [4, 7], [4, 4], (x: Tensor, y: Tensor) => matmul(transpose(x), y)],
  ['a slice that begins between fours', [4, 9], [4, 4], (x: Tensor, y: Tensor) => matmul(slice(x, [0, 4], [1, 5]), y)],
  ['lines that begin between fours', [4, 9], [4, 4], (x: Tensor, y: Tensor) => matmul(slice(x, [0, 4], [0, 4]), y)],
])('not offered for %s', async (_, aShape, bShape, apply) => {
  await expect(valuesBy(engine(), PACKED, apply, normal(aShape, 9), normal(bShape, 10))).rejects.toThrow(
    `no variant ${PACKED}`,
  );
});

test('nor for nothing to sum', async () => {
  const [a, b] = [tensor(new Float32Array(0), { shape: [4, 0] }), tensor(new Float32Array(0), { shape: [0, 4] })];
  await expect(valuesBy(engine(), PACKED, matmul, a, b)).rejects.toThrow(`no variant ${PACKED}`);
});
