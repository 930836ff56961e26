import { describe, expect, test } from 'vitest';
import {
  add,
  broadcastTo,
  compile,
  concatenate,
  customGradient,
  divide,
  type Engine,
  exp,
  flatten,
  flip,
  full,
  grad,
  init,
  losses,
  matmul,
  max,
  multiply,
  optim,
  Parameter,
  pad,
  permute,
  random,
  reshape,
  scalar,
  slice,
  softmax,
  squeeze,
  stopGradient,
  subtract,
  sum,
  type Tensor,
  tensor,
  toF32,
  transpose,
  vjp,
  zeros,
} from '../../src/index.js';
import { complaint } from '../support/complaint.js';
import { useEngine } from '../support/engine.js';

// What a hostile reader found, each with its smallest case: wrong numbers that nothing announced.

const engine = useEngine();
const read = async (x: Tensor) => Array.from(await x.data());

describe('an epilogue that reads its kernel at another place', () => {
  const y = () =>
    matmul(
      tensor([
        [1, 2],
        [3, 4],
      ]),
      tensor([
        [1, 1],
        [0, 1],
      ]),
    );

  test('a broadcast part of it', async () => {
    expect(await read(subtract(y(), slice(y(), [null, null], [0, 1])))).toEqual([0, 2, 0, 4]);
    const one = y();
    expect(await read(subtract(one, slice(one, [null, null], [0, 1])))).toEqual([0, 2, 0, 4]);
  });

  test('its transpose, its flip, and a chain with both', async () => {
    const one = y();
    expect(await read(add(one, transpose(one)))).toEqual([2, 6, 6, 14]);
    const two = y();
    expect(await read(add(two, transpose(multiply(two, 2))))).toEqual([3, 9, 9, 21]);
    const rows = sum(
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]),
      { axes: 1 },
    );
    expect(await read(subtract(rows, flip(rows)))).toEqual([-9, 9]);
    const p = softmax(tensor([[0, Math.log(3)]]));
    const both = await read(add(p, flip(p, 1)));
    for (const value of both) expect(value).toBeCloseTo(1, 6);
    const three = y();
    const z = exp(multiply(three, 0));
    expect(await read(add(z, transpose(add(three, z))))).toEqual([3, 5, 5, 9]);
  });
});

describe('an op that has nothing to do gives the value, not the parameter', () => {
  const forms: Record<string, (w: Parameter) => Tensor> = {
    toF32,
    reshape: (w) => reshape(w, [2]),
    flatten: (w) => flatten(w),
    squeeze: (w) => squeeze(w),
    broadcastTo: (w) => broadcastTo(w, [2]),
    permute: (w) => permute(w, [0]),
    slice: (w) => slice(w, [null, null]),
    flip: (w) => flip(w, []),
    sum: (w) => sum(w, { axes: [] }),
    max: (w) => max(w, { axes: [] }),
    concatenate: (w) => concatenate([w]),
    pad: (w) => pad(w, { low: [0], high: [0] }),
    multiply: (w) => multiply(w, 1),
    vjp: (w) => {
      const x = tensor([1, 1]);
      return vjp(add(x, 1), x, w);
    },
    stopGradient,
  };

  test.each(Object.entries(forms))('%s', async (_, form) => {
    const w = new Parameter(tensor([1, 2]));
    const before = form(w);
    expect(await read(before)).toEqual([1, 2]);
    w.assign([7, 8]);
    expect(await read(before)).toEqual([1, 2]);
    expect(await read(form(w))).toEqual([7, 8]);
    const step = compile(() => {
      const value = form(w);
      w.assign(add(w, 1));
      return value;
    });
    const [first, second] = [step(), step()];
    expect(await read(first)).toEqual([7, 8]);
    expect(await read(second)).toEqual([8, 9]);
  });

  test('and the way back to the parameter stays', async () => {
    const w = new Parameter(tensor([1, 2]));
    const [slope] = grad(sum(multiply(reshape(w, [2]), flip(w, []))), [w]) as [Tensor];
    expect(await read(slope)).toEqual([2, 4]);
  });
});

describe('fusions that would need their own result first', () => {
  const logits = () =>
    tensor([
      [1, 2, 0.5],
      [0, 1, 2],
      [0.3, 0.1, 0.2],
    ]);
  const labels = new Int32Array([0, 2, 1]);

  test.each<[string, (r: Tensor) => Tensor]>([
    ['the value', (r) => r],
    ['its flip', (r) => flip(r)],
    ['a part of it', (r) => broadcastTo(slice(r, [0, 1]), [3])],
    ['what is computed from it', (r) => exp(r)],
  ])('the gradient of a row loss by %s', async (_, cotangentOf) => {
    // Made anew each time: what was computed once is a leaf.
    const graph = () => {
      const x = logits();
      const r = losses.crossEntropy(x, labels, { reduction: 'none' });
      return { r, cotangent: cotangentOf(r), product: vjp(r, x, cotangentOf(r)) };
    };
    const [value, gradient] = compile(() => {
      const { r, product } = graph();
      return [r, product] as [Tensor, Tensor];
    })();
    const alone = graph().product;
    const c = await read(graph().cotangent);
    const p = await read(softmax(logits()));
    const wanted = p.map((one, k) => (c[Math.floor(k / 3)] ?? 0) * (one - Number(k % 3 === labels[Math.floor(k / 3)])));
    const logOf = [0, 5, 7].map((k) => -Math.log(p[k] ?? 0));
    (await read(value)).forEach((one, i) => {
      expect(one).toBeCloseTo(logOf[i] ?? 0, 5);
    });
    for (const result of [await read(gradient), await read(alone)]) {
      result.forEach((one, k) => {
        expect(one).toBeCloseTo(wanted[k] ?? Number.NaN, 5);
      });
    }
  });

  test('squared errors weighted by themselves', async () => {
    const [value, slope] = compile(() => {
      const x = tensor([1, 2, 4]);
      const r = losses.meanSquaredError(x, tensor([0, 0, 0]), { reduction: 'none' });
      return [r, vjp(r, x, r)] as [Tensor, Tensor];
    })();
    expect(await read(value)).toEqual([1, 4, 16]);
    expect(await read(slope)).toEqual([2, 16, 128]);
  });
});

describe('keys of plans', () => {
  test('tell infinities and zeros of both signs apart', async () => {
    const at = async (value: number) => read(pad(tensor([1]), { low: [1], value }));
    expect(await at(Number.POSITIVE_INFINITY)).toEqual([Number.POSITIVE_INFINITY, 1]);
    expect(await at(Number.NEGATIVE_INFINITY)).toEqual([Number.NEGATIVE_INFINITY, 1]);
    expect(await at(Number.NaN)).toEqual([Number.NaN, 1]);
    expect(Object.is((await at(0))[0], 0)).toBe(true);
    expect(Object.is((await at(-0))[0], -0)).toBe(true);
  });
});

describe('gradients by constants', () => {
  test('full, zeros and a broadcast', async () => {
    const x = tensor([1, 2, 3]);
    const d = full([3], 2);
    expect(await read(grad(sum(multiply(x, d)), d))).toEqual([1, 2, 3]);
    const z = zeros([3]);
    expect(await read(grad(sum(multiply(add(x, z), x)), z))).toEqual([1, 2, 3]);
    const ones = full([3], 1);
    expect(await read(grad(sum(multiply(x, ones)), ones))).toEqual([1, 2, 3]);
  });

  test('a scalar, also behind stopGradient', async () => {
    const x = tensor([1, 2, 3]);
    const s = scalar(() => 2);
    expect(await read(grad(sum(multiply(x, s)), s))).toEqual([6]);
    expect(await read(grad(sum(multiply(x, stopGradient(s))), s))).toEqual([0]);
  });

  test('a custom gradient over zeros', async () => {
    const x = new Parameter([1, 2]);
    const f = customGradient({ forward: (v) => zeros(v.shape), backward: ({ cotangent }) => [multiply(cotangent, 5)] });
    expect(await read(grad(sum(add(f(x), 1)), x))).toEqual([5, 5]);
  });

  test('integers are not rounded through f32, and a fraction beside one is refused', async () => {
    expect(await read(add(full([1], 16777217, { dtype: 'i32' }), 1))).toEqual([16777218]);
    expect(await read(add(full([1], 4294967290, { dtype: 'u32' }), 5))).toEqual([4294967295]);
    expect(await complaint(() => multiply(tensor([4], { dtype: 'i32' }), 0.5))).toContain(
      'DtypeError: multiply: the number 0.5 is no i32, the dtype of the tensor beside it.',
    );
  });
});

describe('what a step captures', () => {
  test('a lazy result is computed once; one made from a parameter is refused', async () => {
    const once = multiply(tensor([2]), 3);
    const f = compile((x: Tensor) => add(x, once));
    expect(await read(f(tensor([1])))).toEqual([7]);
    expect(await read(f(tensor([1, 1])))).toEqual([7, 7]);
    const w = new Parameter([1], { name: 'w' });
    const y = multiply(w, 2);
    const g = compile((x: Tensor) => add(x, y), { name: 'g' });
    expect(await complaint(() => g(tensor([0])))).toContain(
      "ValueError: g: it captured a result of 'multiply' [1], made outside from parameter 'w'.",
    );
    await y.data();
    expect(await read(g(tensor([0])))).toEqual([2]);
  });

  test("another step's output that was overwritten, and a parameter that was disposed of", async () => {
    const a = compile((x: Tensor) => add(x, 1));
    const held = a(tensor([1]));
    const b = compile((y: Tensor) => add(y, held));
    expect(await read(b(tensor([0])))).toEqual([2]);
    for (let i = 0; i < 70; i++) a(tensor([100]));
    expect(await complaint(() => b(tensor([0])))).toContain('StaleTensorError');
    const p = new Parameter([1]);
    const c = compile(() => multiply(p, 2));
    c();
    p.dispose();
    expect(await complaint(() => c())).toContain('FreedError');
  });

  test('a bool input is not fed with other integers', async () => {
    const f = compile((x: Tensor) => toF32(x));
    expect(await read(f(tensor([true, false])))).toEqual([1, 0]);
    expect(await read(f(new Uint32Array([5, 7])))).toEqual([5, 7]);
  });

  test('a scalar is asked once a step, and one that is returned keeps its number', async () => {
    let asked = 0;
    const s = scalar(() => ++asked);
    const f = compile((x: Tensor) => ({ a: matmul(multiply(x, s), x), b: sum(multiply(x, s)), s }));
    const results = [1, 2].map(() => f({ data: new Float32Array([1]), shape: [1, 1] }));
    expect(asked).toBe(2);
    for (const [i, { a, b, s: own }] of results.entries()) {
      expect([await a.item(), await b.item(), await own.item()]).toEqual([i + 1, i + 1, i + 1]);
    }
  });
});

describe('optimizers', () => {
  test('updating twice in one step is refused', async () => {
    const w = new Parameter([0]);
    const o = optim.sgd([w], { learningRate: 1 });
    const f = compile((x: Tensor) => {
      o.update([x]);
      o.update([multiply(x, 10)]);
    });
    expect(await complaint(() => f(tensor([1])))).toContain(
      'ValueError: optim.sgd: update is called twice in one step.',
    );
    expect(await read(w)).toEqual([0]);
  });

  test('what froze does not count in the global norm', async () => {
    const [a, b] = [new Parameter([0]), new Parameter([0])];
    const o = optim.sgd([a, b], { learningRate: 1, clip: { globalNorm: 1 } });
    o.update([tensor([0.001]), tensor([1000])]);
    b.trainable = false;
    a.assign([0]);
    o.update([tensor([0.5]), tensor([1000])]);
    expect(await read(a)).toEqual([-0.5]);
  });

  test('goes on after dispose, from a fresh state', async () => {
    const w = new Parameter([0]);
    const o = optim.adam([w], { learningRate: 0.1 });
    const step = compile((g: Tensor) => o.update([g]));
    o.update([tensor([1])]);
    step(tensor([1]));
    o.dispose();
    const before = await w.item();
    o.update([tensor([1])]);
    expect(await w.item()).toBeCloseTo(before - 0.1, 6);
    step(tensor([1]));
    expect(o.step).toBe(2);
    expect(await w.item()).toBeCloseTo(before - 0.2, 6);
  });

  test('an assignment traced before the first update reaches the parameter, and wins over it', async () => {
    const a = new Parameter([8]);
    const o = optim.sgd([a], { learningRate: 1 });
    const f = compile((x: Tensor) => {
      a.assign(multiply(a, 0.5));
      o.update([x]);
    });
    f(tensor([1]));
    expect(await read(a)).toEqual([4]);
    f(tensor([1]));
    expect(await read(a)).toEqual([2]);
  });

  test('refuses a parameter of another without touching the rest', async () => {
    const [a, b] = [new Parameter([1]), new Parameter([1])];
    optim.sgd([b], { learningRate: 1 }).update([tensor([0])]);
    const both = optim.sgd([a, b], { learningRate: 1 });
    const held = engine().memory().bytesInUse;
    expect(await complaint(() => both.update([tensor([0]), tensor([0])]))).toContain('already belongs to an optimizer');
    expect(engine().memory().bytesInUse).toBeLessThanOrEqual(held + 4);
    const alone = optim.sgd([a], { learningRate: 1 });
    alone.update([tensor([1])]);
    expect(await read(a)).toEqual([0]);
  });

  test('settings of a group are checked', async () => {
    const groups = [{ parameters: [new Parameter([1])], settings: { weightdecay: 0 } as object }];
    expect(await complaint(() => optim.adam(groups))).toContain(
      "unknown option 'weightdecay'. Did you mean 'weightDecay'?",
    );
    expect(await complaint(() => optim.adam([new Parameter([1])], { learningRate: undefined } as object))).toContain(
      'optim.adam: learningRate is undefined.',
    );
  });
});

describe('host state', () => {
  test('does not move when a step is refused', async () => {
    const w = new Parameter([0]);
    const o = optim.sgd([w], { learningRate: 1 });
    const f = compile((x: Tensor) => o.update([x]));
    const source = compile((x: Tensor) => add(x, 0));
    const stale = source(tensor([1]));
    for (let i = 0; i < 70; i++) source(tensor([1]));
    f(tensor([1]));
    expect(await complaint(() => f(stale))).toContain('StaleTensorError');
    expect(o.step).toBe(1);
  });

  test('a parameter made of another starts from its value now', async () => {
    const w = new Parameter([1]);
    const target = new Parameter(w);
    w.assign([5]);
    expect(await read(target)).toEqual([1]);
  });

  test('one times a parameter is its value of now', async () => {
    const w = new Parameter([1]);
    const now = multiply(w, 1);
    expect(await read(now)).toEqual([1]);
    w.assign([5]);
    expect(await read(now)).toEqual([1]);
    const unread = multiply(1, w);
    w.assign([6]);
    expect(await complaint(() => unread.data())).toContain('StaleTensorError');
  });

  test('seed reaches compiled steps', async () => {
    const f = compile(() => random.uniform([4]));
    random.seed(1);
    const first = await read(f());
    await read(f());
    random.seed(1);
    expect(await read(f())).toEqual(first);
    random.seed(0);
  });

  test('awaiting each turn never outruns the bound, whatever runs between', async () => {
    const f = compile((x: Tensor) => add(x, 1));
    let last = 0;
    for (let i = 0; i < 1100; i++) last = await add(f(tensor([1])), 1).item();
    expect(last).toBe(3);
  });
});

describe('memory', () => {
  test('numbers as inputs, disposed steps and uncached plans give all back', async () => {
    const own: Engine = await init({ planCache: false });
    const f = compile((x: Tensor) => divide(x, 2));
    const once = async () => {
      f(scalar(() => 3));
      const g = compile((x: Tensor) => add(x, 1));
      expect(await g(tensor([1])).item()).toBe(2);
      g.dispose();
      (await add(tensor([1]), 2).data()).slice();
      await f.ready();
    };
    for (let i = 0; i < 3; i++) await once();
    const { buffersCreated, bytesHeld } = own.memory();
    for (let i = 0; i < 20; i++) await once();
    // What JavaScript has not collected yet may hold a few small tensors.
    expect(own.memory().bytesHeld - bytesHeld).toBeLessThanOrEqual(20 * 3 * 256);
    expect(own.memory().buffersCreated - buffersCreated).toBeLessThanOrEqual(20 * 3);
    own.destroy();
  });
});

test('after a lost device a run goes on from its checkpoint', async () => {
  const { loadCheckpoint, nn, saveCheckpoint } = await import('../../src/index.js');
  const first = await init();
  random.seed(4);
  const model = nn.sequential(nn.linear(2, 3), nn.relu(), nn.linear(3, 2));
  const optimizer = optim.adamw(model.parameters(), { learningRate: 0.1 });
  const step = compile((x: Tensor) => {
    const loss = sum(model(x));
    optimizer.update(grad(loss, model.parameters()));
    return loss;
  });
  const x = { data: new Float32Array([1, 2, 3, 4]), shape: [2, 2] };
  step(x);
  const bytes = await saveCheckpoint({ model, optimizer });
  const wanted = await step(x).item();
  first.device.gpu.destroy();
  await first.device.lost;
  expect(await complaint(() => step(x))).toContain('DeviceLostError');
  const second = await init();
  expect(await complaint(() => step(x))).toContain('belongs to an engine whose device is gone');
  loadCheckpoint(bytes, { model, optimizer });
  expect(await step(x).item()).toBe(wanted);
  second.destroy();
  engine().use();
});
