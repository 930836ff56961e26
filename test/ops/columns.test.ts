import { expect, test } from 'vitest';
import { compile, exp, max, multiply, sum, type Tensor, tensor } from '../../src/index.js';
import { broadcastTo } from '../../src/ops/broadcast.js';
import { transpose } from '../../src/ops/shaping.js';
import { cases } from '../support/cases.js';
import { checkOp } from '../support/checkOp.js';
import { drawTensor } from '../support/drawTensor.js';
import { useOwnEngine } from '../support/engine.js';
import { questionsAsked } from '../support/forceVariant.js';
import { random, seedOf } from '../support/random.js';

const engine = useOwnEngine();

/** What explain says of the sum's dispatch, on this adapter. */
const kernelOf = (apply: (x: Tensor) => Tensor, shape: readonly number[]) =>
  compile(apply).explain({ data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape });

test.each([
  ['columns', (x: Tensor) => sum(x, { axes: 0 }), [9, 64], true],
  ['columns of each matrix', (x: Tensor) => sum(x, { axes: 1 }), [2, 9, 64], true],
  ['rows of a transpose', (x: Tensor) => sum(transpose(x), { axes: 1 }), [9, 64], true],
  ['few columns', (x: Tensor) => sum(x, { axes: 0 }), [9, 63], false],
  ['tall columns', (x: Tensor) => sum(x, { axes: 0 }), [8193, 64], false],
  ['pairs of neighbours', (x: Tensor) => sum(x, { axes: 1 }), [100, 9, 2], false],
  ['rows of one column each', (x: Tensor) => sum(x, { axes: 1 }), [100, 9, 1], false],
  ['rows', (x: Tensor) => sum(x, { axes: 1 }), [64, 9], false],
] as const)('go by fours on a CPU adapter: %s', (_, apply, shape, wanted) => {
  expect(kernelOf(apply, shape).includes('sum (columns')).toBe(wanted && engine().device.facts.software);
});

test.each(cases({ columns: [64, 65, 79, 80, 257], rows: [1, 3, 4, 5, 127, 128, 129, 515] }))(
  'every element once, $label',
  async ({ columns, rows, label }) => {
    const seed = seedOf(label);
    const x = drawTensor([rows, columns], seed, (r) => r.integer(-50, 50));
    for (const [name, apply] of [
      ['sum', (a: Tensor) => sum(a, { axes: 0 })],
      ['max', (a: Tensor) => max(a, { axes: 0 })],
    ] as const) {
      await checkOp({
        name,
        inputs: [x],
        apply,
        seed,
        integers: true,
        derivatives: name === 'sum' ? 1 : 0,
        differences: false,
      });
    }
  },
);

test('of integers, wrapping; of a chain computed on the way; with an epilogue; over nothing', async () => {
  const draw = random(3);
  const integers = Int32Array.from({ length: 40 * 70 }, () => Math.floor(draw.unit() * 2 ** 32) | 0);
  await checkOp({
    name: 'i32',
    inputs: [tensor(integers, { shape: [40, 70] })],
    apply: (x) => sum(x, { axes: 0 }),
    derivatives: 0,
  });
  await checkOp({
    name: '2 sum exp',
    inputs: [drawTensor([131, 70], 4, (r) => r.normal())],
    apply: (x) => multiply(sum(exp(x), { axes: 0 }), 2),
    derivatives: 2,
  });
  const empty = tensor(new Float32Array(0), { shape: [0, 70] });
  expect(await sum(empty, { axes: 0 }).data()).toEqual(new Float32Array(70));
});

test('NaN and infinity stay in their column', async () => {
  const data = new Float32Array(9 * 70).fill(1);
  data[3 * 70 + 5] = Number.NaN;
  data[8 * 70 + 69] = Number.NEGATIVE_INFINITY;
  const found = await sum(tensor(data, { shape: [9, 70] }), { axes: 0 }).data();
  const wanted = new Float32Array(70).fill(9);
  wanted[5] = Number.NaN;
  wanted[69] = Number.NEGATIVE_INFINITY;
  expect(found).toEqual(wanted);
});

test('a choice for many columns is none for few, which are of another class', () => {
  const asked = questionsAsked(engine(), () => {
    for (const columns of [63, 64]) kernelOf((x) => sum(x, { axes: 0 }), [9, columns]);
  });
  expect(new Set(asked.map(({ shapeClass }) => shapeClass)).size).toBe(engine().device.facts.software ? 2 : 1);
});

test('tall ones are as near to float64 as rows are: up to 8192 by columns, beyond in chunks', async () => {
  const row = tensor(new Float32Array(64).fill(0.1));
  for (const rows of [8192, 50_000]) {
    const found = await sum(broadcastTo(row, [rows, 64]), { axes: 0 }).data();
    const exact = rows * Math.fround(0.1);
    // A chain of some hundred additions, each off by 2^-24 at most: rounding of equal terms adds up.
    for (const value of found) expect(Math.abs(value / exact - 1)).toBeLessThan(110 * 2 ** -24);
  }
});
