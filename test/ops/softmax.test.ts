import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { subtract } from '../../src/ops/arithmetic.js';
import { sum } from '../../src/ops/reduce.js';
import { logSoftmax, logsumexp, softmax } from '../../src/ops/softmax.js';
import { cases } from '../support/cases.js';
import { checkOp } from '../support/checkOp.js';
import { useEngine } from '../support/engine.js';
import '../support/matchers.js';
import { random, seedOf } from '../support/random.js';

useEngine();

const ops = {
  softmax,
  logSoftmax,
  logsumexp: (x: Tensor, options: { axes?: number | readonly number[] } = {}) => logsumexp(x, { axes: -1, ...options }),
};
const names = ['softmax', 'logSoftmax', 'logsumexp'] as const;
const INFINITY = Number.POSITIVE_INFINITY;

describe.each(names.map((name) => ({ name })))('$name', ({ name }) => {
  test.each(cases({ rows: [0, 1, 3, 65], columns: [1, 2, 33, 257] }))('$label', async ({ rows, columns, label }) => {
    const seed = seedOf(label);
    const x = tensor(
      random(seed).floats(rows * columns, (r) => 3 * r.normal()),
      { shape: [rows, columns] },
    );
    await checkOp({ name, inputs: [x], apply: (one) => ops[name](one), seed, derivatives: columns === 2 ? 2 : 1 });
  });

  test.each(cases({ columns: [1023, 1025, 5000] }))('long rows, $label', async ({ columns, label }) => {
    const x = tensor(
      random(seedOf(label)).floats(2 * columns, (r) => 3 * r.normal()),
      { shape: [2, columns] },
    );
    await checkOp({ name, inputs: [x], apply: (one) => ops[name](one) });
  });

  test.each(cases({ axes: [0, 1, -1, [0, 2], [1, 0, 2]] }))('over $label', async ({ axes, label }) => {
    const seed = seedOf(label);
    const x = tensor(
      random(seed).floats(60, (r) => r.normal()),
      { shape: [3, 4, 5] },
    );
    await checkOp({ name, inputs: [x], apply: (one) => ops[name](one, { axes }), seed, derivatives: 2 });
  });

  test('of huge and of masked logits', async () => {
    const rows = [
      [1e4, -1e4, 0, 1e4],
      [-1e4, -1e4, -1e4, -1e4],
      [1e30, -1e30, 1e30, 0],
      [-INFINITY, 0, 1, -INFINITY],
      [-INFINITY, -INFINITY, -INFINITY, 3],
      [-INFINITY, -INFINITY, -INFINITY, -INFINITY],
      [88, 89, 90, 3.4e38],
      [Number.NaN, 0, 1, 2],
    ];
    await checkOp({ name, inputs: [tensor(rows)], apply: (one) => ops[name](one), derivatives: 0 });
  });
});

test('softmax rows sum to one', async () => {
  const x = tensor(
    random(7).floats(64 * 33, (r) => 4 * r.normal()),
    { shape: [64, 33] },
  );
  // 33 terms of at most 1 whose sum is 1: each is off by a few roundings of itself, the sum by 33 more.
  expect(await subtract(sum(softmax(x), { axes: 1 }), 1).data()).toBeAllWithin((33 + 20) * 2 ** -24);
});

test('logsumexp over all axes, kept or not, and of nothing', async () => {
  const x = tensor([
    [0, 0],
    [0, 0],
  ]);
  expect(await logsumexp(x).item()).toBeCloseTo(Math.log(4), 6);
  expect(logsumexp(x, { keepDims: true }).shape).toEqual([1, 1]);
  expect([...(await logsumexp(tensor([], { shape: [2, 0] }), { axes: 1 }).data())]).toEqual([-INFINITY, -INFINITY]);
});
