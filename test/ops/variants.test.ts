import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { compile, grad, losses, Parameter, sum as sumOf } from '../../src/index.js';
import { relu } from '../../src/ops/activation.js';
import { add, multiply } from '../../src/ops/arithmetic.js';
import { cumulativeSum } from '../../src/ops/cumulative.js';
import { matmul } from '../../src/ops/matmul.js';
import { argmax, max, sum } from '../../src/ops/reduce.js';
import { permute, transpose } from '../../src/ops/shaping.js';
import { logSoftmax, logsumexp, softmax } from '../../src/ops/softmax.js';
import { compSum } from '../losses/reference.js';
import { checkOp } from '../support/checkOp.js';
import { drawTensor } from '../support/drawTensor.js';
import { useVariantsOf } from '../support/engine.js';
import { quads } from '../support/quads.js';
import { random } from '../support/random.js';
import { checkColumnSums, columnSumSizes } from './columnSums.js';

const edges = [1, 3, 7, 8, 9, 15, 17, 33, 63, 64, 65, 127, 129, 257];

/** Integers, so that products and sums are exact and one lost term shows. */
const whole = (shape: readonly number[], seed: number) => drawTensor(shape, seed, (r) => r.integer(-5, 5));

const normal = (shape: readonly number[], seed: number) => drawTensor(shape, seed, (r) => 2 * r.normal());

const triples = Array.from({ length: 24 }, (_, i) => {
  const r = random(700 + i);
  return { rows: r.pick(edges), inner: r.pick(edges), columns: r.pick(edges), seed: 700 + i };
});

const product = { gpu: '(blocked', plain: '(register', second: 'tuned)', last: 'tuned)' } as const;

test('SwiftShader runs quads: the tests of their kernels are skipped elsewhere', async () => {
  const { info } = (await navigator.gpu.requestAdapter()) as GPUAdapter;
  expect(quads || !/swiftshader/i.test(Object.values({ a: info.architecture, d: info.description }).join())).toBe(true);
});

describe.each(['gpu', 'plain', 'second', 'last'] as const)('the kernels of an adapter, %s', (kind) => {
  useVariantsOf(kind);

  test('are not those that the other tests ran', () => {
    const step = compile((a: Tensor, b: Tensor) => matmul(a, b));
    const text = step.explain(
      { data: new Float32Array(64), shape: [8, 8] },
      { data: new Float32Array(64), shape: [8, 8] },
    );
    expect(text).toContain(product[kind]);
  });

  test.each(triples)(
    'matmul [$rows, $inner] by [$inner, $columns], seed $seed',
    async ({ rows, inner, columns, seed }) => {
      for (const layout of [0, 1, 2, 3]) {
        await checkOp({
          name: `matmul layout ${layout}`,
          inputs: [
            whole(layout & 1 ? [inner, rows] : [rows, inner], seed),
            whole(layout & 2 ? [columns, inner] : [inner, columns], seed + 1),
          ],
          apply: (a, b) => matmul(layout & 1 ? transpose(a) : a, layout & 2 ? transpose(b) : b),
          seed,
          integers: true,
          derivatives: layout === seed % 4 ? 1 : 0,
          differences: false,
          shape: [rows, columns],
        });
      }
    },
  );

  test.each(columnSumSizes)('column sums beside a product: batch %i, %i by %i', (batch, inputs, outputs) =>
    checkColumnSums(batch, inputs, outputs, 40 + batch),
  );

  test('matmul in batches, with an epilogue, with nothing to sum', async () => {
    await checkOp({
      name: 'matmul in batches',
      inputs: [whole([3, 1, 17, 9], 1), whole([2, 9, 33], 2), whole([33], 3)],
      apply: (a, b, c) => relu(add(matmul(a, b), c)),
      integers: true,
      differences: false,
      shape: [3, 2, 17, 33],
    });
    await checkOp({ name: 'inner 0', inputs: [whole([5, 0], 1), whole([0, 4], 2)], apply: matmul, derivatives: 0 });
  });

  test.each([
    [1, 1],
    [3, 33],
    [65, 100],
    [2, 129],
    [3, 1025],
    [2, 9001],
    [5000, 3],
  ])('reductions of [%i, %i]', async (rows, columns) => {
    const x = whole([rows, columns], rows + columns);
    for (const [name, apply] of [
      ['sum', (a: Tensor) => sum(a, { axes: -1 })],
      ['sum of columns', (a: Tensor) => sum(a, { axes: 0 })],
      ['sum of all', (a: Tensor) => sum(a)],
      ['max', (a: Tensor) => max(a, { axes: -1 })],
      ['argmax', (a: Tensor) => argmax(a, -1)],
      ['cumulativeSum', (a: Tensor) => cumulativeSum(a)],
      ['cumulativeSum reversed', (a: Tensor) => cumulativeSum(a, -1, { reverse: true, exclusive: true })],
      ['permuted', (a: Tensor) => sum(permute(a, [1, 0]), { axes: -1 })],
    ] as const) {
      await checkOp({
        name,
        inputs: [x],
        apply,
        integers: true,
        derivatives: name.startsWith('sum') ? 1 : 0,
        differences: false,
      });
    }
  });

  test.each([
    [1, 1],
    [3, 33],
    [65, 40],
    [2, 257],
    [3, 5000],
  ])('softmax of [%i, %i]', async (rows, columns) => {
    const x = normal([rows, columns], rows + columns);
    for (const [name, apply] of [
      ['softmax', (a: Tensor) => softmax(a)],
      ['logSoftmax', (a: Tensor) => logSoftmax(a)],
      ['logsumexp', (a: Tensor) => logsumexp(a, { axes: -1 })],
    ] as const) {
      await checkOp({ name, inputs: [x], apply });
    }
  });

  test.each([
    [1, 1],
    [3, 2],
    [65, 10],
    [7, 33],
    [5, 300],
    [3, 1100],
  ])('comp-sum of [%i, %i]', async (rows, classes) => {
    const draw = random(rows * classes);
    const data = draw.floats(rows * classes, ({ normal: z }) => 2 * z());
    const labels = Int32Array.from({ length: rows }, () => draw.below(classes));
    const logits = new Parameter(tensor(data, { shape: [rows, classes] }));
    const cotangents = draw.floats(rows, ({ normal: z }) => z());
    const values = losses.compSum(logits, labels, { tau: 1.5, reduction: 'none' });
    const [gradient] = grad(sumOf(multiply(values, tensor(cotangents))), [logits]) as [Tensor];
    const [value, slope] = await Promise.all([values.data(), gradient.data()]);
    labels.forEach((y, i) => {
      const reference = compSum(Array.from(data.subarray(i * classes, (i + 1) * classes)), y, 1.5);
      // A few dozen roundings of 6e-8, and the sum's.
      const relative = 2 ** -24 * (60 + 2 * Math.sqrt(classes));
      expect(Math.abs((value[i] ?? Number.NaN) - reference.value)).toBeLessThanOrEqual(
        relative * reference.value + 1e-37,
      );
      reference.gradient.forEach((g, j) => {
        const wanted = g * (cotangents[i] ?? 0);
        expect(Math.abs((slope[i * classes + j] ?? Number.NaN) - wanted)).toBeLessThanOrEqual(
          relative * Math.abs(wanted) + 1e-37,
        );
      });
    });
  });
});
