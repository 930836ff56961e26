import { describe, expect, test } from 'vitest';
import type { DType } from '../../src/graph/dtype.js';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { add, clamp, multiply } from '../../src/ops/arithmetic.js';
import { castTo, toBool, toF32, toI32, toU32 } from '../../src/ops/casts.js';
import { arange, eye, full, indices, oneHot, ones, zeros } from '../../src/ops/create.js';
import { cumulativeSum } from '../../src/ops/cumulative.js';
import { where } from '../../src/ops/logical.js';
import { sum } from '../../src/ops/reduce.js';
import { transpose } from '../../src/ops/shaping.js';
import { sizeOf } from '../reference/value.js';
import { cases } from '../support/cases.js';
import { checkOp } from '../support/checkOp.js';
import { useEngine } from '../support/engine.js';
import { random, seedOf } from '../support/random.js';

useEngine();

const values = async (x: Tensor) => [...(await x.data())];

describe('create', () => {
  test.each([
    ['full', full([2, 2], 1.5), [2, 2], 'f32', [1.5, 1.5, 1.5, 1.5]],
    ['full of i32', full([3], -7, { dtype: 'i32' }), [3], 'i32', [-7, -7, -7]],
    ['full of bool', full([2], 1, { dtype: 'bool' }), [2], 'bool', [1, 1]],
    ['full of nothing', full([0, 4], 3), [0, 4], 'f32', []],
    ['full, 0-d', full([], 9), [], 'f32', [9]],
    ['zeros', zeros([3]), [3], 'f32', [0, 0, 0]],
    ['ones of u32', ones([3], { dtype: 'u32' }), [3], 'u32', [1, 1, 1]],
    ['arange', arange(2, 5), [3], 'f32', [2, 3, 4]],
    ['arange by a fraction', arange(0, 1, 0.25), [4], 'f32', [0, 0.25, 0.5, 0.75]],
    ['arange downwards', arange(3, -3, -2, { dtype: 'i32' }), [3], 'i32', [3, 1, -1]],
    ['arange of u32', arange(1, 4, 1, { dtype: 'u32' }), [3], 'u32', [1, 2, 3]],
    ['arange of nothing', arange(5, 5), [0], 'f32', []],
    ['indices', indices(4), [4], 'i32', [0, 1, 2, 3]],
    ['eye', eye(2, 3), [2, 3], 'f32', [1, 0, 0, 0, 1, 0]],
    ['oneHot', oneHot(tensor(Int32Array.of(2, 0, -1, 3)), 3), [4, 3], 'f32', [0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['oneHot of u32, as i32', oneHot(tensor(Uint32Array.of(1)), 2, { dtype: 'i32' }), [1, 2], 'i32', [0, 1]],
    ['oneHot of no classes', oneHot(tensor(Int32Array.of(1)), 0), [1, 0], 'f32', []],
  ] as const)('%s', async (_name, x, shape, dtype, expected) => {
    expect(x.shape).toEqual(shape);
    expect(x.dtype).toBe(dtype);
    expect(await values(x)).toEqual(expected);
  });

  test('what is generated feeds chains, reductions and views', async () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const apply = (one: Tensor) => sum(multiply(transpose(add(one, arange(0, 3))), full([3, 2], 2)), { axes: 0 });
    await checkOp({ name: 'generated', inputs: [x], apply, derivatives: 2 });
    expect(await values(sum(indices(10_000)))).toEqual([49_995_000]);
  });
});

describe('casts', () => {
  const floats = [
    0,
    -0,
    0.5,
    -0.5,
    1.999,
    -1.999,
    3e9,
    -3e9,
    5e9,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ];

  test('f32 to integers truncate and hold to the range, NaN to 0', async () => {
    const x = tensor(floats);
    const top = 2 ** 31 - 1;
    expect(await values(toI32(x))).toEqual([0, 0, 0, 0, 1, -1, top, -top - 1, top, 0, top, -top - 1]);
    expect(await values(toU32(x))).toEqual([0, 0, 0, 0, 1, 0, 3e9, 0, 2 ** 32 - 1, 0, 2 ** 32 - 1, 0]);
    expect(await values(toBool(x))).toEqual([0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  });

  test('integers to f32 round to the nearest, there and back', async () => {
    const x = tensor(Int32Array.of(0, -1, 2 ** 24 + 1, 2 ** 31 - 1, -(2 ** 31)));
    const [got] = [await values(toF32(x))];
    // WGSL may round either way where f32 has no such number; the neighbours are 2 and 128 apart.
    expect(got.slice(0, 2)).toEqual([0, -1]);
    expect([2 ** 24, 2 ** 24 + 2]).toContain(got[2]);
    expect([2 ** 31, 2 ** 31 - 128]).toContain(got[3]);
    expect(got[4]).toBe(-(2 ** 31));
    expect(await values(toBool(x))).toEqual([0, 1, 1, 1, 1]);
  });

  test.each(cases({ from: ['f32', 'f16', 'i32', 'u32', 'bool'], to: ['f32', 'f16', 'i32', 'u32', 'bool'] }))(
    'castTo, $label',
    async ({ from, to }) => {
      const x = tensor([0, 1, 1, 5], { dtype: from as DType });
      await checkOp({
        name: `castTo ${to}`,
        inputs: [x],
        apply: (one) => castTo(one, to as DType),
        dtype: to,
        shape: [4],
        derivatives: 0,
      });
    },
  );
});

describe('cumulativeSum', () => {
  test.each(cases({ shape: [[1], [7], [5000], [3, 65], [2, 3, 5]], reverse: [false, true], exclusive: [false, true] }))(
    '$label',
    async ({ shape, reverse, exclusive, label }) => {
      const seed = seedOf(label);
      const size = sizeOf(shape);
      const x = tensor(
        random(seed).floats(size, (r) => (size > 1000 ? r.integer(-9, 9) : r.normal())),
        { shape },
      );
      const apply = (one: Tensor) => cumulativeSum(one, -1, { reverse, exclusive });
      await checkOp({
        name: `cumulativeSum ${label}`,
        inputs: [x],
        apply,
        seed,
        derivatives: size > 1000 ? 1 : 2,
        integers: size > 1000,
        differences: size <= 1000,
      });
    },
  );

  test('along other axes, of integers, of nothing', async () => {
    const x = tensor(
      random(3).floats(30, (r) => r.normal()),
      { shape: [2, 3, 5] },
    );
    for (const axis of [0, 1])
      await checkOp({ name: `cumulativeSum ${axis}`, inputs: [x], apply: (one) => cumulativeSum(one, axis) });
    expect(await values(cumulativeSum(tensor(Int32Array.of(2 ** 31 - 1, 1, 1))))).toEqual([
      2 ** 31 - 1,
      -(2 ** 31),
      -(2 ** 31) + 1,
    ]);
    expect(await values(cumulativeSum(tensor(Uint32Array.of(2 ** 32 - 1, 2))))).toEqual([2 ** 32 - 1, 1]);
    expect(await values(cumulativeSum(tensor([], { shape: [2, 0] })))).toEqual([]);
  });
});

describe('where and clamp', () => {
  test.each(cases({ condition: [[], [3], [7, 1], [1, 3]], a: [[3], [7, 3], []], b: [[7, 1], []] }))(
    'where broadcasts, $label',
    async ({ condition, a, b, label }) => {
      const r = random(seedOf(label));
      const make = (shape: readonly number[]) =>
        tensor(
          r.floats(sizeOf(shape), () => r.normal()),
          { shape },
        );
      const size = sizeOf(condition);
      const test_ = tensor(
        Array.from({ length: size }, () => r.below(2)),
        { shape: condition, dtype: 'bool' },
      );
      await checkOp({ name: 'where', inputs: [make(a), make(b)], apply: (x, y) => where(test_, x, y), derivatives: 2 });
    },
  );

  test.each(['i32', 'u32', 'bool'] as const)('where of %s', async (dtype) => {
    const [a, b] = [tensor([1, 0, 1], { dtype }), tensor([0, 0, 1], { dtype })];
    await checkOp({ name: 'where', inputs: [a, b], apply: (x, y) => where(tensor([true, false, false]), x, y), dtype });
  });

  test.each(cases({ x: [[], [3], [7, 33]], low: [[], [1]], dtype: ['f32', 'i32', 'u32'] }))(
    'clamp, $label',
    async ({ x, low, dtype, label }) => {
      const r = random(seedOf(label));
      const size = sizeOf(x);
      const data = Array.from({ length: size }, () =>
        dtype === 'f32' ? r.integer(-3, 3) + 0.3 : r.integer(dtype === 'u32' ? 0 : -5, 5),
      );
      const bounds = [tensor([1], { shape: low, dtype }), tensor(2, { dtype })];
      await checkOp({
        name: 'clamp',
        inputs: [tensor(data, { shape: x, dtype })],
        apply: (one) => clamp(one, bounds[0] as Tensor, bounds[1] as Tensor),
        dtype,
      });
    },
  );
});
