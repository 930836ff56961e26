import { expect, test } from 'vitest';
import { tensor } from '../../src/graph/source.js';
import { compile, sum, type Tensor, transpose } from '../../src/index.js';
import { chooseStatic } from '../../src/kernels/variants.js';
import { matmul } from '../../src/ops/matmul.js';
import { useOwnEngine } from '../support/engine.js';
import { forceVariant } from '../support/forceVariant.js';
import { quads } from '../support/quads.js';

// Products of more tiles along a dimension than the 65535 workgroups that a dispatch may have there.
const engine = useOwnEngine();

/** Integers with no period in common with a tile's: products and sums of two are exact, and each is another. */
const whole = (size: number, period: number) => Float32Array.from({ length: size }, (_, i) => (i % period) - 3);

/** The first element that is not what it should be, or -1. */
const firstWrong = (found: ArrayLike<number>, wanted: (i: number) => number) =>
  Array.prototype.findIndex.call(found, (value, i) => value !== wanted(i));

const needsQuads = (variant: string) => variant.startsWith('quad') || variant.startsWith('held');

test.for([
  // Rows, columns and batches are the long ones in turn; the others take two tiles where memory allows.
  { variant: 'held 4x8', batches: 1, rows: 263_000, columns: 9 },
  { variant: 'held 4x12', batches: 65_537, rows: 5, columns: 13 },
  { variant: 'quad 4x8', batches: 1, rows: 263_000, columns: 9 },
  { variant: 'quad 4x8', batches: 2, rows: 5, columns: 525_000 },
  { variant: 'quad 32x16', batches: 65_537, rows: 33, columns: 1 },
  { variant: 'vector', batches: 1, rows: 1_050_000, columns: 1 },
  { variant: 'vector', batches: 1, rows: 1, columns: 1_050_000 },
  { variant: 'vector', batches: 65_537, rows: 17, columns: 1 },
  { variant: 'register 16x8', batches: 65_537, rows: 65, columns: 1 },
  { variant: 'register 16x8', batches: 1, rows: 3, columns: 525_000 },
])('$variant: $batches of [$rows, 2] by [2, $columns]', async ({ variant, batches, rows, columns }, { skip }) => {
  skip(!quads && needsQuads(variant), 'the adapter has no quads');
  forceVariant(engine(), variant);
  const a = whole(batches * rows * 2, 1021);
  const b = whole(batches * 2 * columns, 509);
  const product = matmul(tensor(a, { shape: [batches, rows, 2] }), tensor(b, { shape: [batches, 2, columns] }));
  const found = await product.data();
  expect(found.length).toBe(batches * rows * columns);
  const wrong = firstWrong(found, (i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const at = 2 * Math.floor(row / rows) * columns + column;
    return (a[2 * row] ?? 0) * (b[at] ?? 0) + (a[2 * row + 1] ?? 0) * (b[at + columns] ?? 0);
  });
  expect(wrong).toBe(-1);
});

// The blocks of workgroup memory are slow here, so that this is their only test.
test.for(['quad 4x8', 'held 4x8', 'register 16x8', 'blocked 32x32'])(
  'column sums beside it: %s',
  async (variant, { skip }) => {
    skip(!quads && needsQuads(variant), 'the adapter has no quads');
    forceVariant(engine(), variant);
    const [inputs, outputs] = variant.endsWith('4x8') ? [263_000, 9] : [3, 2_100_000];
    const x = whole(2 * inputs, 1021);
    const y = whole(2 * outputs, 509);
    const given = [
      { data: x, shape: [2, inputs] },
      { data: y, shape: [2, outputs] },
    ] as const;
    const step = compile((left: Tensor, right: Tensor) => [matmul(transpose(left), right), sum(right, { axes: 0 })]);
    expect(step.explain(...given)).toContain('matmul+sum');
    const [product, sums] = await Promise.all(step(...given).map((one) => (one as Tensor).data()));
    const wrongProduct = firstWrong(product as Float32Array, (i) => {
      const [row, column] = [Math.floor(i / outputs), i % outputs];
      return (x[row] ?? 0) * (y[column] ?? 0) + (x[inputs + row] ?? 0) * (y[outputs + column] ?? 0);
    });
    expect(wrongProduct).toBe(-1);
    expect(firstWrong(sums as Float32Array, (j) => (y[j] ?? 0) + (y[outputs + j] ?? 0))).toBe(-1);
    step.dispose();
  },
);

test('the default takes more rows than any tile has workgroups for', async () => {
  engine().tuner.choose = chooseStatic;
  const rows = 4_200_000;
  const data = whole(rows, 1021);
  const tripled = await matmul(tensor(data, { shape: [rows, 1] }), tensor([3], { shape: [1, 1] })).data();
  expect(firstWrong(tripled, (i) => 3 * (data[i] ?? 0))).toBe(-1);
});
