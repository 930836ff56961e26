import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { multiply, square } from '../../src/ops/arithmetic.js';
import { concatenate, stack } from '../../src/ops/concatenate.js';
import { exp } from '../../src/ops/exponential.js';
import { gather, scatterAdd, takeByLabel } from '../../src/ops/gather.js';
import { type PadOptions, pad } from '../../src/ops/pad.js';
import { slice, transpose } from '../../src/ops/shaping.js';
import { sizeOf } from '../reference/value.js';
import { cases } from '../support/cases.js';
import { checkOp } from '../support/checkOp.js';
import { drawTensor } from '../support/drawTensor.js';
import { useEngine } from '../support/engine.js';
import { random, seedOf } from '../support/random.js';

useEngine();

const normal = (shape: readonly number[], seed: number) => drawTensor(shape, seed, (r) => r.normal());

const integers = (shape: readonly number[], dtype: 'i32' | 'u32') => {
  const size = sizeOf(shape);
  const data = Array.from({ length: size }, (_, i) => 7 * i - 3);
  return tensor(dtype === 'i32' ? Int32Array.from(data) : Uint32Array.from(data), { shape });
};

describe('concatenate', () => {
  const lists: readonly (readonly [readonly (readonly number[])[], number, readonly number[]])[] = [
    [[[3], [4]], 0, [7]],
    [
      [
        [2, 3],
        [5, 3],
      ],
      0,
      [7, 3],
    ],
    [
      [
        [2, 3],
        [2, 1],
        [2, 4],
      ],
      1,
      [2, 8],
    ],
    [
      [
        [2, 3, 4],
        [2, 2, 4],
      ],
      -2,
      [2, 5, 4],
    ],
    [
      [
        [0, 3],
        [2, 3],
      ],
      0,
      [2, 3],
    ],
    [[[0], [0]], 0, [0]],
    [new Array(12).fill([1, 5]), 0, [12, 5]],
    [
      [
        [257, 3],
        [63, 3],
      ],
      0,
      [320, 3],
    ],
  ];
  test.each(
    lists.map(([shapes, axis, result]) => ({ shapes, axis, result, label: `[${shapes.join('] [')}] along ${axis}` })),
  )('$label', async ({ shapes, axis, result, label }) => {
    const seed = seedOf(label);
    const inputs = shapes.map((shape, i) => normal(shape, seed + i));
    await checkOp({
      name: 'concatenate',
      inputs,
      apply: (...list) => concatenate(list, axis),
      seed,
      shape: result,
      derivatives: 2,
    });
  });

  test('of views, chains and one tensor twice', async () => {
    const apply = (x: Tensor, y: Tensor) => concatenate([transpose(x), exp(y), slice(y, [null, null, -1]), y], 0);
    await checkOp({ name: 'concatenate', inputs: [normal([3, 4], 1), normal([2, 3], 2)], apply, shape: [10, 3] });
  });

  test.each(['i32', 'u32'] as const)('of %s', async (dtype) => {
    const inputs = [integers([2, 3], dtype), integers([1, 3], dtype)];
    await checkOp({ name: 'concatenate', inputs, apply: (...list) => concatenate(list), dtype, shape: [3, 3] });
  });

  test('of bools', async () => {
    const inputs = [tensor([true, false]), tensor([false, true, true])];
    await checkOp({ name: 'concatenate', inputs, apply: (...list) => concatenate(list), dtype: 'bool', shape: [5] });
  });
});

test.each(cases({ axis: [0, 1, 2, -1] }))('stack, $label', async ({ axis, label }) => {
  const inputs = [1, 2, 3].map((seed) => normal([4, 5], seed));
  await checkOp({ name: 'stack', inputs, apply: (...list) => stack(list, axis), seed: seedOf(label), derivatives: 2 });
});

describe('pad', () => {
  const options: readonly (readonly [readonly number[], PadOptions, readonly number[]])[] = [
    [[3], { low: [1], high: [2] }, [6]],
    [[3, 4], { low: [1, 0], high: [0, 2], value: -1.5 }, [4, 6]],
    [[3, 4], { interior: [1, 2] }, [5, 10]],
    [[5], { low: [-2], high: [-1] }, [2]],
    [[5], { low: [-1], high: [3], interior: [2] }, [15]],
    [[4], { low: [-3], interior: [3] }, [10]],
    [[4], { low: [2], high: [-3], interior: [1] }, [6]],
    [[2, 3, 4], { low: [1, -1, 0], high: [0, 1, -2], interior: [0, 1, 1] }, [3, 5, 5]],
    [[0, 3], { low: [2, 0] }, [2, 3]],
    [[2], { high: [-2] }, [0]],
    [[2, 1, 2, 1, 2, 1, 2, 1], { low: [0, 1, 0, 0, 0, 0, 1, 0] }, [2, 2, 2, 1, 2, 1, 3, 1]],
    [[257, 3], { low: [1, 1], high: [1, 1] }, [259, 5]],
  ];
  test.each(
    options.map(([shape, given, result]) => ({ shape, given, result, label: `[${shape}] ${JSON.stringify(given)}` })),
  )('$label', async ({ shape, given, result, label }) => {
    const seed = seedOf(label);
    await checkOp({
      name: `pad ${label}`,
      inputs: [normal(shape, seed)],
      apply: (x) => pad(x, given),
      seed,
      shape: result,
      derivatives: 2,
    });
  });

  test.each(['i32', 'u32'] as const)('of %s', async (dtype) => {
    await checkOp({
      name: 'pad',
      inputs: [integers([3], dtype)],
      apply: (x) => pad(x, { low: [2], value: 9 }),
      dtype,
      shape: [5],
    });
  });

  test('of a view and of a chain', async () => {
    const apply = (x: Tensor) =>
      multiply(pad(transpose(x), { low: [1, 1] }), pad(transpose(square(x)), { high: [1, 1] }));
    await checkOp({ name: 'pad', inputs: [normal([4, 3], 5)], apply, shape: [4, 5] });
  });
});

const index = (values: readonly number[], shape = [values.length], dtype: 'i32' | 'u32' = 'i32') =>
  tensor(dtype === 'i32' ? Int32Array.from(values) : Uint32Array.from(values), { shape });

describe('gather', () => {
  test.each(cases({ axis: [0, 1, -1], indices: [[0], [2, 0, 2, 1], [-1, -3], []] }))(
    '$label',
    async ({ axis, indices, label }) => {
      const seed = seedOf(label);
      const at = index(indices);
      await checkOp({
        name: 'gather',
        inputs: [normal([3, 3, 3], seed)],
        apply: (x) => gather(x, at, axis),
        seed,
        derivatives: 2,
      });
    },
  );

  test('by a matrix of indices, i32 and u32: an embedding', async () => {
    for (const dtype of ['i32', 'u32'] as const) {
      const at = index([0, 4, 2, 2, 1, 0], [2, 3], dtype);
      await checkOp({
        name: 'gather',
        inputs: [normal([5, 4], 1)],
        apply: (x) => gather(x, at),
        shape: [2, 3, 4],
        derivatives: 2,
      });
    }
  });

  test('out of range gives NaN, and 0 for integers', async () => {
    const at = index([-4, 3, 1, 2 ** 30]);
    expect([...(await gather(tensor([1, 2, 3]), at).data())]).toEqual([Number.NaN, Number.NaN, 2, Number.NaN]);
    expect([...(await gather(tensor(Int32Array.of(1, 2, 3)), at).data())]).toEqual([0, 0, 2, 0]);
  });

  test('of computed and transposed tables by computed indices', async () => {
    const at = index([3, 1, 0]);
    const apply = (x: Tensor) => gather(transpose(square(x)), at, 0);
    await checkOp({ name: 'gather', inputs: [normal([3, 4], 7)], apply, shape: [3, 3] });
  });
});

describe('scatterAdd', () => {
  test.each(
    cases({
      axis: [0, 1, -1],
      indices: [
        [0, 1, 2],
        [2, 2, 2],
        [-1, 0, -1],
        [5, 1, -9],
      ],
    }),
  )('$label', async ({ axis, indices, label }) => {
    const seed = seedOf(label);
    const at = index(indices);
    await checkOp({
      name: 'scatterAdd',
      inputs: [normal([3, 3], seed)],
      apply: (x) => scatterAdd(x, at, 4, axis),
      seed,
      derivatives: 2,
    });
  });

  test('many at one index add up in order: the same bits twice', async () => {
    const at = index(Array.from({ length: 2000 }, (_, i) => (i * i) % 7));
    const x = normal([2000, 3], 11);
    await checkOp({ name: 'scatterAdd', inputs: [x], apply: (one) => scatterAdd(one, at, 7) });
    expect(await scatterAdd(x, at, 7).data()).toEqual(await scatterAdd(x, at, 7).data());
  });

  test('into nothing and from nothing', async () => {
    expect((await scatterAdd(normal([0, 3], 1), index([]), 2).data()).every((x) => x === 0)).toBe(true);
    expect((await scatterAdd(normal([2, 3], 1), index([0, 1]), 0).data()).length).toBe(0);
  });
});

describe('takeByLabel', () => {
  test.each(cases({ rows: [1, 3, 257], classes: [1, 2, 33], dtype: ['i32', 'u32'] }))(
    '$label',
    async ({ rows, classes, dtype, label }) => {
      const r = random(seedOf(label));
      const labels = index(
        Array.from({ length: rows }, () => r.below(classes)),
        [rows],
        dtype,
      );
      await checkOp({
        name: 'takeByLabel',
        inputs: [normal([rows, classes], r.below(1000))],
        apply: (x) => takeByLabel(x, labels),
        shape: [rows],
        derivatives: 2,
      });
    },
  );

  test('a label out of range gives 0 and no gradient', async () => {
    await checkOp({
      name: 'takeByLabel',
      inputs: [normal([3, 4], 1)],
      apply: (x) => takeByLabel(x, index([-1, 4, 2])),
    });
    expect([...(await takeByLabel(tensor([[5, 6]]), index([-1])).data())]).toEqual([0]);
  });
});
