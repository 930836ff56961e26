import { describe, expect, test, vi } from 'vitest';
import { compile } from '../../src/graph/compile.js';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { square } from '../../src/ops/arithmetic.js';
import { exp } from '../../src/ops/exponential.js';
import { argmax, argmin, max, mean, min, sum, variance } from '../../src/ops/reduce.js';
import { transpose } from '../../src/ops/shaping.js';
import { sizeOf } from '../reference/value.js';
import { cases } from '../support/cases.js';
import { checkOp } from '../support/checkOp.js';
import { useEngine } from '../support/engine.js';
import { random, seedOf } from '../support/random.js';

useEngine();

const reductions = { sum, max, min, mean, variance };
const names = ['sum', 'max', 'min', 'mean', 'variance'] as const;
/** Around a block (128), the eight chains in it, and two stages (8192). */
const sizes = [1, 3, 7, 33, 63, 65, 127, 128, 129, 257, 5000, 20001] as const;

type Kind = 'normal' | 'integers' | 'apart';

/**
 * Normal numbers; small integers, whose sums are exact in any order, so that one lost element shows; or numbers
 * 0.3 apart in any order, whose extremum stays the same while differences move them.
 */
function draw(shape: readonly number[], kind: Kind, seed: number): Tensor {
  const size = sizeOf(shape);
  if (kind === 'apart') {
    const r = random(seed);
    const order = Array.from({ length: size }, (_, i) => ({ i, key: r.unit() })).sort((a, b) => a.key - b.key);
    return tensor(
      Float32Array.from(order, ({ i }) => 0.3 * (i - size / 2)),
      { shape },
    );
  }
  return tensor(
    random(seed).floats(size, (r) => (kind === 'normal' ? r.normal() : r.integer(-9, 9))),
    { shape },
  );
}

describe.each(names.map((name) => ({ name })))('$name', ({ name }) => {
  const reduce = reductions[name];

  test.each(cases({ size: sizes, kind: ['normal', 'integers'] }))(
    'of a vector, $label',
    async ({ size, kind, label }) => {
      const seed = seedOf(label);
      if (name === 'variance' && size === 1) return;
      const apply = (x: Tensor) => reduce(x);
      const extremum = name === 'max' || name === 'min';
      const inputs = [draw([size], extremum && kind === 'normal' ? 'apart' : kind, seed)];
      const differences = kind === 'normal' && !(extremum && size > 257);
      await checkOp({ name: `${name} ${kind}`, inputs, apply, seed, shape: [], differences });
    },
  );

  const axes = [undefined, [], 0, 1, -1, [0, 1], [0, 2], [1, 2], [-1, 0, 1]];
  test.each(cases({ axes, keepDims: [false, true] }))('over axes, $label', async ({ axes: over, keepDims, label }) => {
    const seed = seedOf(label);
    const options = { ...(over === undefined ? {} : { axes: over }), keepDims };
    // Over no axes the variance divides by 1 - 1.
    if (name === 'variance' && Array.isArray(over) && over.length === 0) return;
    const kind = name === 'max' || name === 'min' ? 'apart' : 'normal';
    await checkOp({
      name: `${name} ${JSON.stringify(options)}`,
      inputs: [draw([3, 5, 7], kind, seed)],
      seed,
      apply: (x) => reduce(x, options),
      derivatives: name === 'sum' || name === 'mean' ? 2 : 1,
    });
  });

  test.each(
    cases({
      shape: [
        [2, 129],
        [1500, 3],
        [1500, 130],
        [129, 2],
        [3, 20001],
        [20001, 3],
      ],
      axis: [0, 1],
    }),
  )('of rows and columns, $label', async ({ shape, axis, label }) => {
    await checkOp({
      name,
      inputs: [draw(shape, 'integers', seedOf(label))],
      apply: (x) => reduce(x, { axes: axis }),
      integers: true,
      derivatives: Math.max(...shape) > 20000 ? 0 : 1,
      differences: false,
    });
  });

  test('of a transpose and of a chain, in one dispatch or not', async () => {
    const apply = (x: Tensor) => reduce(exp(square(transpose(x))), { axes: 1 });
    await checkOp({ name: `${name} of a chain`, inputs: [draw([9, 5], 'normal', 3)], apply, seed: 3 });
  });
});

test('a long row is summed in two stages where barriers are dear', () => {
  const step = compile((x: Tensor) => sum(x));
  expect(step.explain(new Float32Array(8193))).toMatch(/sum \((serial in chunks, 9|workgroup of 64, 2) chunks/);
  expect(step.explain(new Float32Array(8192))).not.toContain('chunks');
});

test.each(['sum', 'max', 'min'] as const)('%s over nothing gives its identity', async (name) => {
  const identity = { sum: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY }[name];
  const result = await reductions[name](tensor([], { shape: [3, 0] }), { axes: 1 }).data();
  expect([...result]).toEqual([identity, identity, identity]);
  expect([...(await reductions[name](tensor([], { shape: [0, 3] }), { axes: 1 }).data())]).toEqual([]);
});

test('mean over nothing is NaN, with a warning', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  expect(await mean(tensor([], { shape: [0] })).item()).toBeNaN();
  expect(warn.mock.calls).toEqual([['mean: over no elements: the result is NaN.']]);
  warn.mockRestore();
});

test.each(cases({ name: ['sum', 'max', 'min'], dtype: ['i32', 'u32'], size: [1, 65, 20001] }))(
  'of integers, $label',
  async ({ name, dtype, size }) => {
    const r = random(size);
    const numbers = Array.from({ length: size }, () => Math.floor(r.unit() * 2 ** 32));
    const x = tensor(dtype === 'i32' ? Int32Array.from(numbers, (n) => n | 0) : Uint32Array.from(numbers));
    await checkOp({ name, inputs: [x], apply: (one) => reductions[name](one), dtype });
  },
);

test('sum of numbers far apart stays within its bound, and NaN and infinities come through', async () => {
  for (const data of [
    [1e30, 1, -1e30],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 1],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ]) {
    for (const length of [2, 300]) {
      const x = tensor(Float32Array.from({ length }, (_, i) => data[i] ?? 0));
      for (const name of ['sum', 'max', 'min'] as const)
        await checkOp({ name, inputs: [x], apply: (one) => reductions[name](one), derivatives: 0 });
    }
  }
});

test('variance takes a correction', async () => {
  const x = tensor([1, 2, 4, 9]);
  expect(await variance(x).item()).toBeCloseTo(38 / 3, 5);
  expect(await variance(x, { correction: 0 }).item()).toBe(9.5);
});

describe.each(['argmax', 'argmin'] as const)('%s', (name) => {
  const argument = { argmax, argmin }[name];

  test.each(
    cases({ shape: [[1], [257], [7, 33], [3, 5, 7], [3, 5000]], axis: [undefined, 0, -1], kind: ['normal', 'ties'] }),
  )('$label', async ({ shape, axis, kind, label }) => {
    const r = random(seedOf(label));
    const size = sizeOf(shape);
    const x = tensor(
      r.floats(size, () => (kind === 'ties' ? r.integer(0, 2) : r.normal())),
      { shape },
    );
    await checkOp({ name, inputs: [x], apply: (one) => argument(one, axis), dtype: 'i32', derivatives: 0 });
  });

  test('the first of ties, and a NaN before all', async () => {
    expect(await argument(tensor([2, 2, 2])).item()).toBe(0);
    expect(await argument(tensor([1, Number.NaN, 5, Number.NaN, -5])).item()).toBe(1);
    expect(await argument(tensor(Float32Array.of(Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY))).item()).toBe(0);
  });

  test.each(['i32', 'u32'] as const)('of %s', async (dtype) => {
    const numbers = [5, -1, 7, -8, 7, 2 ** 31 - 1, -(2 ** 31)];
    const x = tensor(dtype === 'i32' ? Int32Array.from(numbers) : Uint32Array.from(numbers));
    await checkOp({ name, inputs: [x], apply: (one) => argument(one), derivatives: 0 });
  });
});
