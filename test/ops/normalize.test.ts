import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { compile, grad, sum } from '../../src/index.js';
import { add, multiply } from '../../src/ops/arithmetic.js';
import { moments } from '../../src/ops/moments.js';
import { batchNorm, layerNorm, normalizeBatch } from '../../src/ops/normalize.js';
import { variance } from '../../src/ops/reduce.js';
import { tanh } from '../../src/ops/trigonometric.js';
import { cases } from '../support/cases.js';
import { checkOp, readAll } from '../support/checkOp.js';
import { drawTensor } from '../support/drawTensor.js';
import { useEngine, useVariantsOf } from '../support/engine.js';
import '../support/matchers.js';
import { random, seedOf } from '../support/random.js';

const normal = (shape: readonly number[], seed: number, scale = 1, shift = 0) =>
  drawTensor(shape, seed, (r) => shift + scale * r.normal());

type Operands = [x: Tensor, weight: Tensor, bias: Tensor];

/** Both moments side by side, so that one cotangent reaches each. */
const both = (x: Tensor, axes?: number | readonly number[]) => {
  const { mean, variance: spread } = moments(x, axes === undefined ? {} : { axes });
  return add(multiply(mean, 3), spread);
};

describe.each(['software', 'gpu', 'second', 'last'] as const)('moments by the kernels of an adapter, %s', (kind) => {
  if (kind === 'software') useEngine();
  else useVariantsOf(kind);

  test.each(cases({ rows: [1, 3, 17, 65], columns: [1, 2, 7, 8, 9, 33, 257] }))('$label', ({ rows, columns, label }) =>
    checkOp({
      name: 'moments',
      inputs: [normal([rows, columns], seedOf(label))],
      apply: (x) => both(x, -1),
      seed: seedOf(label),
      derivatives: columns < 9 && rows < 9 ? 2 : 1,
    }),
  );

  test.each(cases({ axes: [0, 1, [0, 2], [1, 0, 2]] }))('over $label', ({ axes, label }) =>
    checkOp({
      name: 'moments',
      inputs: [normal([3, 4, 5], seedOf(label))],
      apply: (x) => both(x, axes),
      derivatives: 2,
    }),
  );

  test('long rows, few and many', async () => {
    for (const shape of [
      [2, 5000],
      [1, 20011],
      [70, 1030],
    ])
      await checkOp({ name: 'moments', inputs: [normal(shape, 3, 2, 5)], apply: (x) => both(x, -1) });
  });
});

describe('everywhere', () => {
  useEngine();

  test('a mean far from zero costs the variance no digits', async () => {
    // Items are 4096 + k / 2048, exact in f32: their variance is that of the k, whatever the mean.
    const draw = random(7);
    const steps = Array.from({ length: 3000 }, () => draw.integer(-1000, 1000));
    const data = Float32Array.from(steps, (k) => 4096 + k / 2048);
    const center = steps.reduce((total, k) => total + k, 0) / 3000;
    const wanted = steps.reduce((total, k) => total + (k - center) ** 2, 0) / 3000 / 2048 ** 2;
    const found = await moments(tensor(data)).variance.item();
    // The mean is held to half a step of 2^-11 at 4096, a hundred times below the deviation: 2^-12 of it squared, at most.
    expect(Math.abs(found - wanted)).toBeLessThan(2 ** -24 + wanted * 2 ** -12);
    expect(found).toBeGreaterThan(0);
  });

  test('are one dispatch, and what mean and variance give', async () => {
    const x = normal([4, 33], 5);
    const step = compile((given: Tensor) => moments(given, { axes: 1 }));
    const text = step.explain(x);
    expect(text.match(/moments/g)).toHaveLength(1);
    const { variance: spread } = step(x) as ReturnType<typeof moments>;
    const plain = variance(x, { axes: 1, correction: 0 });
    const [a, b] = await readAll([spread, plain]);
    a?.forEach((value, i) => {
      expect(Math.abs(value - (b?.[i] ?? Number.NaN))).toBeLessThan(66 * 2 ** -24 * value);
    });
    step.dispose();
  });

  test('of what is not finite, of nothing, of one', async () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    await checkOp({
      name: 'moments',
      inputs: [tensor([[...Array(9).fill(1), nan], [infinity, ...Array(9).fill(1)], [...Array(10).fill(2)]])],
      apply: (x) => both(x, 1),
      derivatives: 0,
    });
    await checkOp({ name: 'moments', inputs: [tensor([], { shape: [0, 3] })], apply: (x) => both(x, 1) });
    await checkOp({
      name: 'moments',
      inputs: [tensor([], { shape: [3, 0] })],
      apply: (x) => both(x, 1),
      derivatives: 0,
    });
    const { mean, variance: spread } = moments(tensor([[5, -3]]), { axes: 0, keepDims: true });
    expect(mean.shape).toEqual([1, 2]);
    expect((await readAll([mean, spread])).map((data) => [...data])).toEqual([
      [5, -3],
      [0, 0],
    ]);
  });

  test.each(
    cases({
      shape: [
        [1, 1],
        [3, 1],
        [1, 7],
        [5, 8],
        [2, 3, 9],
        [2, 1, 3, 4],
      ],
    }),
  )('layerNorm, $label', ({ shape, label }) => {
    const width = shape.slice(-1);
    const [x, w, b] = [normal(shape, seedOf(label)), normal(width, 2), normal(width, 3)];
    // Of one item the deviation is 0 and 1 / sqrt(epsilon) stands in its way: too steep for differences.
    const flat = width[0] === 1;
    return checkOp({
      name: 'layerNorm',
      inputs: [x, w, b],
      apply: (...given) => layerNorm(...(given as Operands)),
      derivatives: flat ? 1 : 2,
      differences: !flat,
      shape,
    });
  });

  test('layerNorm over several axes, wherever they stand', () =>
    checkOp({
      name: 'layerNorm',
      inputs: [normal([3, 4, 5], 1), normal([3, 5], 2), normal([3, 5], 3)],
      apply: (x, w, b) => layerNorm(x, w, b, { axes: [0, -1], epsilon: 0.1 }),
      derivatives: 2,
    }));

  test.each(
    cases({
      shape: [
        [3, 1],
        [2, 7],
        [9, 5],
        [2, 3, 4, 3],
        [1, 3, 3, 17],
      ],
    }),
  )('batchNorm, $label', ({ shape, label }) => {
    const width = shape.slice(-1);
    return checkOp({
      name: 'batchNorm',
      inputs: [normal(shape, seedOf(label)), normal(width, 2), normal(width, 3)],
      apply: (x, w, b) => batchNorm(x, w, b, { epsilon: 1e-2 }),
      derivatives: 2,
      shape,
    });
  });

  test('batchNorm by given statistics', () =>
    checkOp({
      name: 'batchNorm',
      inputs: [normal([4, 2, 3], 1), normal([3], 2), normal([3], 3), normal([3], 4), tensor([0.5, 2, 0])],
      apply: (x, w, b, mean, spread) => batchNorm(x, w, b, { statistics: { mean, variance: spread }, epsilon: 0.1 }),
      derivatives: 2,
    }));

  test('normalizeBatch brings the moments that it normalized by', async () => {
    const x = normal([4, 5, 3], 6);
    const found = normalizeBatch(x, tensor([1, 1, 1]), tensor([0, 0, 0]), 1e-5);
    const wanted = moments(x, { axes: [0, 1] });
    const [mean, spread, ...others] = await readAll([found.mean, found.variance, wanted.mean, wanted.variance]);
    expect([mean, spread]).toEqual(others);
  });

  test('a normalized batch has mean 0 and variance 1, and its gradient neither level nor tilt', async () => {
    const x = normal([64, 5], 8, 3, 10);
    const value = batchNorm(x, tensor([1, 1, 1, 1, 1]), tensor([0, 0, 0, 0, 0]), { epsilon: 0 });
    const { mean, variance: spread } = moments(value, { axes: 0 });
    const [gradient] = grad(sum(tanh(value)), [x]) as [Tensor];
    const [level, one, slope] = await readAll([mean, add(spread, -1), sum(gradient, { axes: 0 })]);
    // 64 terms of about 1, x itself off by 10 * 2^-24 of a deviation of 3; the gradient's terms are below 1 / 3.
    expect(level).toBeAllWithin(40 * 2 ** -24);
    expect(one).toBeAllWithin(80 * 2 ** -24);
    expect(slope).toBeAllWithin(200 * 2 ** -24);
  });

  test('of no examples there is nothing, and nothing is wrong', async () => {
    const [w, b] = [tensor([1, 2, 3]), tensor([0, 0, 0])];
    await checkOp({
      name: 'batchNorm',
      inputs: [tensor([], { shape: [0, 3] }), w, b],
      apply: (...given) => batchNorm(...(given as Operands)),
      derivatives: 0,
    });
    await checkOp({
      name: 'layerNorm',
      inputs: [tensor([], { shape: [0, 3] }), w, b],
      apply: (...given) => layerNorm(...(given as Operands)),
    });
  });
});
