import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { grad } from '../../src/autograd/grad.js';
import { compile } from '../../src/graph/compile.js';
import { Engine } from '../../src/graph/engine.js';
import { Parameter } from '../../src/graph/parameter.js';
import { keep, scope } from '../../src/graph/scope.js';
import { constant, scalar, tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { add, multiply, square } from '../../src/ops/arithmetic.js';
import { full } from '../../src/ops/create.js';
import { matmul } from '../../src/ops/matmul.js';
import { max, sum } from '../../src/ops/reduce.js';
import { flip, transpose } from '../../src/ops/shaping.js';
import { softmax } from '../../src/ops/softmax.js';
import * as optim from '../../src/optim/index.js';
import { complaint } from '../support/complaint.js';
import { useOwnEngine } from '../support/engine.js';

const engine = useOwnEngine({ limits: 'default' });

const values = async (x: Tensor) => [...(await x.data())];

describe('lazy graphs', () => {
  test('what has run is cached on the node', async () => {
    const x = tensor([1, 2]);
    const y = square(x);
    await y.data();
    const { submits } = engine();
    expect(await values(y)).toEqual([1, 4]);
    expect(engine().submits).toBe(submits);
  });

  test('graphs of one structure share a plan; their constants stay apart', async () => {
    const results: number[] = [];
    for (let i = 0; i < 5; i++) results.push(await add(multiply(tensor([2]), i), 10 * i).item());
    expect(results).toEqual([0, 12, 24, 36, 48]);
    // The input and the result of the first; the others take them from the pool.
    const { buffersCreated } = engine().memory();
    for (let i = 5; i < 10; i++) await scope(() => add(multiply(tensor([2]), i), 10 * i).item());
    expect(engine().memory().buffersCreated).toBeLessThanOrEqual(buffersCreated + 2);
  });

  test('a chain of 20,000 ops that nobody reads meanwhile', async () => {
    let x: Tensor = tensor([0, 1]);
    for (let i = 0; i < 20_000; i++) x = add(x, 1);
    expect(await values(x)).toEqual([20_000, 20_001]);
  });

  test('a compiled step of 5,000 ops, and a chain of 5,000 views', async () => {
    const step = compile((input: Tensor) => {
      let x = input;
      for (let i = 0; i < 5000; i++) x = add(x, 1);
      return x;
    });
    expect(await step(2).item()).toBe(5002);
    let view: Tensor = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    for (let i = 0; i < 5000; i++) view = transpose(flip(view, 0));
    expect(view.shape).toEqual([2, 3]);
    // Four quarter turns (transpose of a flip) are none.
    expect(await values(view)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('more than 65,535 workgroups fold over two dimensions', async () => {
    // 64 elements a workgroup: 65,535 of them hold 4,194,240.
    const size = 4_194_240 + 131;
    const x = tensor(Float32Array.from({ length: size }, (_, i) => i % 251));
    const y = add(x, 1);
    const wrong = (await y.data()).findIndex((value, i) => value !== (i % 251) + 1);
    expect(wrong).toBe(-1);
    // Whole numbers, whose sum passes 2^24: a float64 sum to within its n / 2 roundings of half an ulp.
    const total = await sum(x).item();
    let exact = 0;
    for (let i = 0; i < size; i++) exact += i % 251;
    expect(Math.abs(total / exact - 1)).toBeLessThan(2 * Math.sqrt(size) * 2 ** -23);
    for (const one of [x, y]) one.dispose();
  });

  test('nothing at all, through every kind of op', async () => {
    const x = tensor([], { shape: [0, 3] });
    expect(await values(square(add(x, 1)))).toEqual([]);
    expect(await values(sum(x, { axes: 0 }))).toEqual([0, 0, 0]);
    expect(await values(max(x, { axes: 0 }))).toEqual(new Array(3).fill(Number.NEGATIVE_INFINITY));
    expect(await values(softmax(x))).toEqual([]);
    expect(await values(matmul(tensor([], { shape: [2, 0] }), x))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(await values(sum(square(add(x, 1)), { axes: 0 }))).toEqual([0, 0, 0]);
    const w = new Parameter(tensor([], { shape: [0] }));
    w.assign(add(w, 1));
    expect(await values(w)).toEqual([]);
    const step = compile((input: Tensor) => sum(input));
    expect(await step(new Float32Array(0)).item()).toBe(0);
  });
});

test('a tensor above the limits of the device says which', async () => {
  const most = engine().device.gpu.limits.maxStorageBufferBindingSize;
  const text = await complaint(() => add(full([most / 4 + 1], 1), full([most / 4 + 1], 2)).data());
  expect(text).toMatch(/^OutOfMemoryError: /);
  expect(text).toContain(`${most + 4} bytes`);
  expect(text).toContain('maxStorageBufferBindingSize');
  // The engine goes on.
  expect(await add(tensor([1]), 1).item()).toBe(2);
});

describe('memory', () => {
  test('scope frees all but what it returns, and parameters', async () => {
    const before = engine().memory().bytesInUse;
    let w: Parameter | undefined;
    const kept = await scope(async () => {
      w = new Parameter(tensor([1, 2]));
      const lost = [multiply(w, 2), multiply(w, 3)];
      await Promise.all(lost.map((x) => x.data()));
      const result = square(w);
      await result.data();
      return { result };
    });
    // The parameter and the result, 8 bytes each.
    expect(engine().memory().bytesInUse - before).toBe(16);
    expect(await values(kept.result)).toEqual([1, 4]);
    kept.result.dispose();
    w?.dispose();
    expect(engine().memory().bytesInUse).toBe(before);
  });

  test('scope frees everything when its body throws', async () => {
    const before = engine().memory().bytesInUse;
    const run = scope(async () => {
      await square(tensor([1, 2])).data();
      throw new RangeError('mine');
    });
    await expect(run).rejects.toThrow(new RangeError('mine'));
    expect(engine().memory().bytesInUse).toBe(before);
  });

  test('scopes nest: what the inner one returns belongs to the outer', async () => {
    const before = engine().memory().bytesInUse;
    await scope(async () => {
      const inner = await scope(async () => {
        const x = square(tensor([3]));
        await x.data();
        return x;
      });
      expect(await inner.item()).toBe(9);
      return undefined;
    });
    expect(engine().memory().bytesInUse).toBe(before);
  });

  test('dispose frees at once, twice does no harm, and a read says so', async () => {
    const x = square(tensor(new Float32Array(64)));
    await x.data();
    const before = engine().memory().held.tensors;
    x.dispose();
    x.dispose();
    expect(before - engine().memory().held.tensors).toBe(256);
    expect(await complaint(() => x.data())).toBe(
      'FreedError: data: the tensor [64] was disposed of.\n  Mend: dispose of it after its last use, or keep(tensor) a copy.',
    );
    expect(await complaint(() => add(x, 1))).toContain('FreedError: add: the tensor [64] was disposed of.');
  });

  test('a compiled step’s buffers go with it', async () => {
    const { bytesInUse } = engine().memory();
    const step = compile((x: Tensor) => sum(square(x)));
    await step(new Float32Array(1000)).item();
    expect(engine().memory().bytesInUse).toBeGreaterThan(bytesInUse);
    step.dispose();
    expect(engine().memory().bytesInUse).toBe(bytesInUse);
  });

  test('a kept number holds what it is, and gives all of it back', async () => {
    const { tensors } = engine().memory().held;
    const slider = scalar(() => 7);
    for (const [number, value] of [
      [constant(3), 3],
      [slider, 7],
    ] as const) {
      const kept = keep(number);
      expect(await kept.item()).toBe(value);
      kept.dispose();
      const w = new Parameter(number);
      expect(await w.item()).toBe(value);
      w.dispose();
    }
    expect(engine().memory().held.tensors).toBeLessThanOrEqual(tensors);
  });

  test('is told by holder', async () => {
    const before = engine().memory().held;
    const w = new Parameter(tensor(new Float32Array(100)));
    await w.data();
    const { held } = engine().memory();
    expect(held.parameters - before.parameters).toBe(400);
    w.dispose();
    expect(engine().memory().held).toEqual(before);
  });
});

describe('two engines on one page', () => {
  let other: Engine;
  beforeAll(async () => {
    other = await Engine.create();
    engine().use();
  });
  afterAll(() => other.destroy());

  test('each computes its own', async () => {
    const here = keep(square(tensor([3])));
    other.use();
    expect(await square(tensor([4])).item()).toBe(16);
    engine().use();
    expect(await here.item()).toBe(9);
  });

  test('a tensor of one is refused by the other', async () => {
    const x = square(tensor([1, 2, 3]));
    await x.data();
    other.use();
    expect(await complaint(() => add(x, 1).data())).toBe(
      'ValueError: square: a tensor [3] belongs to another engine.\n  Mend: read it there (data) and make a tensor of it here.',
    );
    engine().use();
    expect(
      await add(x, 1)
        .item()
        .catch(() => 'several'),
    ).toBe('several');
  });

  test('what a destroyed one ran goes on elsewhere, and is disposed of without a word', async () => {
    const lone = (await Engine.create()).use();
    const w = new Parameter([1, 2]);
    const sgd = optim.sgd([w], { learningRate: 0.5 });
    const step = compile((x: Tensor) => {
      const loss = sum(multiply(w, sum(x)));
      sgd.update(grad(loss, [w]));
      return loss;
    });
    expect(await step(Float32Array.of(1)).item()).toBe(3);
    lone.destroy();
    engine().use();
    const before = engine().memory().held;
    w.assign([3, 4]);
    expect(await step(Float32Array.of(1)).item()).toBe(7);
    expect(await step(Float32Array.of(1, 1)).item()).toBe(2 * (2.5 + 3.5));
    step.dispose();
    sgd.dispose();
    expect(await w.data()).toEqual(Float32Array.of(1.5, 2.5));
    w.dispose();
    const { parameters, optimizers, inputs } = engine().memory().held;
    expect(parameters).toBeLessThanOrEqual(before.parameters);
    expect(optimizers).toBeLessThanOrEqual(before.optimizers);
    expect(inputs).toBeLessThanOrEqual(before.inputs);
  });

  test('destroyed, it leaves its steps and optimizers to be disposed of afterwards', async () => {
    const lone = (await Engine.create()).use();
    const w = new Parameter([1, 2]);
    const sgd = optim.sgd([w], { learningRate: 0.5 });
    const step = compile(() => sgd.update(grad(sum(w), [w])));
    step();
    lone.destroy();
    engine().use();
    step.dispose();
    sgd.dispose();
    expect(sgd.step).toBe(0);
    // Its value is gone, and it can be given another.
    w.assign([5, 6]);
    expect(await w.data()).toEqual(Float32Array.of(5, 6));
  });

  test('without one there is an error that names init', async () => {
    const lone = await Engine.create();
    lone.use().destroy();
    expect(await complaint(() => add(tensor([1]), 1).data())).toBe(
      'ValueError: data: no engine is running.\n  Mend: call await init() first.',
    );
    expect(await complaint(() => compile((x: Tensor) => x, { name: 'mine' })(1))).toBe(
      'ValueError: mine: no engine is running.\n  Mend: call await init() first.',
    );
    engine().use();
  });
});

test('a caller who outruns the bound is told to wait', async () => {
  const small = (await Engine.create({ maximumInFlight: 10 })).use();
  const step = compile((x: Tensor) => square(x), { name: 'fast' });
  for (let i = 0; i < 10; i++) step(i);
  expect(await complaint(() => step(10))).toBe(
    'ValueError: fast: 10 steps are under way and none has been waited for (at most 10).\n' +
      '  Mend: await step.ready() now and then, or loop with "for await (… of batches(…))".',
  );
  await step.ready();
  expect(await step(12).item()).toBe(144);
  small.destroy();
  engine().use();
});

test.each([0, -1, 1.5, Number.NaN])('maximumInFlight %d is refused', async (maximumInFlight) => {
  expect(await complaint(() => Engine.create({ maximumInFlight }))).toBe(
    `ValueError: init: maximumInFlight is ${maximumInFlight}; it must be an integer of at least 1.`,
  );
});
