import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/graph/tensor.js';
import { add } from '../../src/ops/arithmetic.js';
import { broadcastTo } from '../../src/ops/broadcast.js';
import { matmul } from '../../src/ops/matmul.js';
import { flip, permute, slice, transpose } from '../../src/ops/shaping.js';
import { tanh } from '../../src/ops/trigonometric.js';
import { cases } from '../support/cases.js';
import { checkOp } from '../support/checkOp.js';
import { drawTensor } from '../support/drawTensor.js';
import { useEngine } from '../support/engine.js';
import { random, seedOf } from '../support/random.js';
import { checkColumnSums, columnSumSizes } from './columnSums.js';

useEngine();

/** Integers: each product and sum is exact in f32, so a wrong or missing term shows wherever it is. */
const whole = (shape: readonly number[], seed: number) => drawTensor(shape, seed, (r) => r.integer(-7, 7));

const normal = (shape: readonly number[], seed: number) => drawTensor(shape, seed, (r) => r.normal());

const edges = [1, 3, 7, 8, 9, 31, 33, 63, 65, 127, 129, 257];

/** Sizes around every tile's edge, in random company: 40 triples. */
const triples = Array.from({ length: 40 }, (_, i) => {
  const r = random(900 + i);
  const [rows, inner, columns] = [r.pick(edges), r.pick(edges), r.pick(edges)];
  return { rows, inner, columns, seed: 900 + i, label: `[${rows}, ${inner}] by [${inner}, ${columns}]` };
});

describe('every transposition', () => {
  test.each(triples)('$label, seed $seed', async ({ rows, inner, columns, seed }) => {
    const small = rows * inner * columns < 200_000;
    const layouts = small ? [0, 1, 2, 3] : [seed % 4];
    for (const layout of layouts) {
      const a = layout & 1 ? whole([inner, rows], seed) : whole([rows, inner], seed);
      const b = layout & 2 ? whole([columns, inner], seed + 1) : whole([inner, columns], seed + 1);
      const apply = (x: Tensor, y: Tensor) => matmul(layout & 1 ? transpose(x) : x, layout & 2 ? transpose(y) : y);
      await checkOp({
        name: `matmul layout ${layout}`,
        inputs: [a, b],
        apply,
        seed,
        integers: true,
        derivatives: layout === seed % 4 ? 1 : 0,
        differences: false,
        shape: [rows, columns],
      });
    }
  });
});

test.each(cases({ edge: edges }))('both gradients along each edge, $label', async ({ edge, label }) => {
  const seed = seedOf(label);
  for (const [rows, inner, columns] of [
    [edge, 5, 4],
    [4, edge, 5],
    [5, 4, edge],
  ] as const) {
    await checkOp({
      name: 'matmul',
      inputs: [normal([rows, inner], seed), normal([inner, columns], seed + 1)],
      apply: matmul,
      seed,
      derivatives: edge < 10 ? 2 : 1,
    });
  }
});

const batched: readonly (readonly [readonly number[], readonly number[], readonly number[]])[] = [
  [
    [2, 3, 5],
    [5, 4],
    [2, 3, 4],
  ],
  [
    [3, 5],
    [2, 5, 4],
    [2, 3, 4],
  ],
  [
    [2, 3, 5],
    [2, 5, 4],
    [2, 3, 4],
  ],
  [
    [2, 1, 3, 5],
    [4, 5, 6],
    [2, 4, 3, 6],
  ],
  [
    [1, 3, 5],
    [7, 5, 2],
    [7, 3, 2],
  ],
  [
    [2, 3, 4, 5],
    [2, 3, 5, 1],
    [2, 3, 4, 1],
  ],
  [[5], [5], []],
  [[5], [5, 3], [3]],
  [[3, 5], [5], [3]],
  [[2, 3, 5], [5], [2, 3]],
  [[5], [2, 5, 3], [2, 3]],
  [
    [0, 5],
    [5, 3],
    [0, 3],
  ],
  [
    [3, 5],
    [5, 0],
    [3, 0],
  ],
  [
    [3, 0],
    [0, 4],
    [3, 4],
  ],
  [[0], [0], []],
  [
    [0, 3, 5],
    [5, 4],
    [0, 3, 4],
  ],
  [
    [2, 0, 3],
    [2, 3, 4],
    [2, 0, 4],
  ],
];

test.each(batched.map(([a, b, result]) => ({ a, b, result, label: `[${a}] by [${b}]` })))(
  '$label',
  async ({ a, b, result, label }) => {
    const seed = seedOf(label);
    await checkOp({
      name: 'matmul',
      inputs: [normal(a, seed), normal(b, seed + 1)],
      apply: matmul,
      seed,
      shape: result,
      derivatives: 2,
    });
  },
);

const operands: readonly (readonly [string, readonly number[], (x: Tensor) => Tensor])[] = [
  ['a slice of rows', [9, 6], (x) => slice(x, [2, 6])],
  ['a slice of columns', [4, 11], (x) => slice(x, [null, null], [3, 9])],
  ['every second column', [4, 12], (x) => slice(x, [null, null], [null, null, 2])],
  ['rows backwards', [4, 6], (x) => flip(x, 0)],
  ['columns backwards', [4, 6], (x) => flip(x, 1)],
  ['one row for all', [1, 6], (x) => broadcastTo(x, [4, 6])],
  ['one column for all', [4, 1], (x) => broadcastTo(x, [4, 6])],
  ['a number for all', [], (x) => broadcastTo(x, [4, 6])],
  ['a permuted cube', [6, 3, 4], (x) => permute(x, [1, 2, 0])],
];

test.each(operands.map(([name, shape, view]) => ({ name, shape, view })))(
  '$name, on either side',
  async ({ name, shape, view }) => {
    const seed = seedOf(name);
    const x = normal(shape, seed);
    await checkOp({
      name: `${name}, left`,
      inputs: [x, normal([6, 5], seed + 1)],
      apply: (one, b) => matmul(view(one), b),
      seed,
    });
    await checkOp({
      name: `${name}, right`,
      inputs: [x, normal([5, 4], seed + 2)],
      apply: (one, a) => matmul(a, view(one)),
      seed,
    });
  },
);

test('an elementwise neighbour on each side: bias, activation, computed operands', async () => {
  const apply = (x: Tensor, w: Tensor, b: Tensor) => tanh(add(matmul(tanh(x), w), b));
  await checkOp({
    name: 'tanh(tanh(x) w + b)',
    inputs: [normal([9, 17], 1), normal([17, 33], 2), normal([33], 3)],
    apply,
    derivatives: 2,
  });
});

test.each(columnSumSizes)('column sums beside a product: batch %i, %i by %i', (batch, inputs, outputs) =>
  checkColumnSums(batch, inputs, outputs, 40 + batch),
);

test('a matrix times itself has both gradients', async () => {
  await checkOp({ name: 'x x', inputs: [normal([6, 6], 4)], apply: (x) => matmul(x, x), derivatives: 2 });
  await checkOp({ name: 'x x^T', inputs: [normal([6, 4], 4)], apply: (x) => matmul(x, transpose(x)), derivatives: 2 });
});

test('two runs give the same bits', async () => {
  const [a, b] = [normal([129, 257], 5), normal([257, 65], 6)];
  const once = await matmul(a, b).data();
  expect(once.every(Number.isFinite)).toBe(true);
  expect(await matmul(a, b).data()).toEqual(once);
});
