import { describe, expect, test } from 'vitest';
import { hasHalves } from '../../src/graph/encoding.js';
import {
  add,
  compile,
  concatenate,
  conv2d,
  customGradient,
  gather,
  grad,
  keep,
  loadCheckpoint,
  losses,
  matmul,
  mean,
  multiply,
  nn,
  optim,
  Parameter,
  pad,
  permute,
  repeat,
  saveCheckpoint,
  scalar,
  scatterAdd,
  slice,
  softmax,
  sum,
  type Tensor,
  tanh,
  tensor,
  toF16,
  toF32,
  toI32,
  transpose,
  vjp,
} from '../../src/index.js';
import { HALVES, nearestHalf } from '../reference/half.js';
import { cases } from '../support/cases.js';
import { checkOp } from '../support/checkOp.js';
import { drawTensor } from '../support/drawTensor.js';
import { useEngineAndUnfused, useOwnEngine, useVariantsOf } from '../support/engine.js';
import { random, seedOf } from '../support/random.js';
import { checkColumnSums, columnSumSizes } from './columnSums.js';

const { fused, unfused } = useEngineAndUnfused();

const normal = (shape: readonly number[], seed: number) => drawTensor(shape, seed, (r) => r.normal());
const half = (shape: readonly number[], seed: number) => toF16(normal(shape, seed));
const rounded = (data: ArrayLike<number>) => Float32Array.from(data, nearestHalf);

/** Every f16, the middles between them, the f32 on either side of each middle, and what is no number or too large. */
function edges(): Float32Array<ArrayBuffer> {
  const middles = HALVES.map((value, i) => (value + (HALVES[i + 1] ?? 65536)) / 2);
  const beside = Uint32Array.from(new Uint32Array(Float32Array.from(middles).buffer));
  const [before, after] = [-1, 1].map((step) => new Float32Array(beside.map((bits) => bits + step).buffer));
  const sizes = [...HALVES, ...middles, ...(before ?? []), ...(after ?? []), 1e9, Number.POSITIVE_INFINITY];
  return Float32Array.from([...sizes, ...sizes.map((size) => -size), Number.NaN]);
}

describe('rounding', () => {
  test('toF16 gives the nearest f16 of every number beside which it may turn', async () => {
    const data = edges();
    const stored = toF16(tensor(data));
    await stored.data();
    // In a register; through a buffer to the host; through a buffer into a kernel; on the host, then so.
    const ways = [toF32(toF16(tensor(data))), stored, multiply(toF32(stored), 1), tensor(data, { dtype: 'f16' })];
    for (const [way, values] of (await Promise.all(ways.map((one) => one.data()))).entries()) {
      const wrong = data.findIndex((value, i) => !Object.is(values[i], nearestHalf(value)));
      if (wrong >= 0)
        expect.fail(`way ${way}: ${data[wrong]} is ${values[wrong]}, not ${nearestHalf(data[wrong] ?? 0)}`);
    }
  });

  test.each([0, 1, 2, 3, 257])('%i of the host come back rounded, and so they lie in a buffer', async (size) => {
    const data = random(size).floats(size, (r) => 100 * r.normal());
    const x = tensor(data, { dtype: 'f16' });
    expect(x.dtype).toBe('f16');
    expect(await x.data()).toEqual(rounded(data));
    expect(await toF16(tensor(data)).data()).toEqual(rounded(data));
    expect(await keep(x).data()).toEqual(rounded(data));
  });

  test('numbers are rounded too', async () => {
    expect(await tensor(0.1, { dtype: 'f16' }).item()).toBe(nearestHalf(0.1));
    expect(await toF32(scalar(() => 0.1, 'f16')).item()).toBe(nearestHalf(0.1));
  });

  test('nothing that was rounded is unrounded where it is fused', async () => {
    const data = random(5).floats(999, (r) => r.normal());
    const apply = (x: Tensor) => multiply(toF32(toF16(multiply(x, 1 / 3))), 3);
    const values = [];
    for (const engine of [fused(), unfused()]) {
      engine.use();
      values.push(await apply(tensor(data)).data());
    }
    fused().use();
    expect(values[0]).toEqual(values[1]);
    expect(values[0]).toEqual(data.map((value) => 3 * nearestHalf(Math.fround(value * Math.fround(1 / 3)))));
  });
});

describe('memory', () => {
  const engine = useOwnEngine();

  test('takes two bytes an element where the device has f16, whole words in all', async () => {
    const before = engine().memory().held.tensors;
    const x = tensor(new Float32Array(1001), { dtype: 'f16' });
    await x.data();
    expect(engine().memory().held.tensors - before).toBe(hasHalves(engine().device) ? 2004 : 4004);
    x.dispose();
    expect(engine().memory().held.tensors).toBe(before);
  });
});

test.each([
  ['transposed', (x: Tensor) => transpose(x)],
  ['permuted', (x: Tensor) => permute(x, [1, 0])],
  ['sliced', (x: Tensor) => slice(x, [1, 6], [null, null, 2])],
  ['gathered, some of it out of range', (x: Tensor) => gather(x, tensor(Int32Array.of(3, 0, 3, 99, -1)))],
  ['scattered', (x: Tensor) => scatterAdd(x, tensor(Int32Array.of(0, 2, 2, 1, 0, 2, 7)), 3)],
  ['padded', (x: Tensor) => pad(x, { low: [1, 0], high: [0, 2], value: 0.1 })],
  ['beside itself', (x: Tensor) => concatenate([x, x], 1)],
])('%s, with its gradient', async (name, apply) => {
  const data = drawTensor([7, 9], seedOf(name), (r) => r.normal());
  const inputs = [data];
  await checkOp({ name, inputs, apply: (x) => apply(toF16(x)), dtype: 'f16', derivatives: 0 });
  const own = tensor(await data.data(), { shape: [7, 9], dtype: 'f16' });
  await checkOp({ name, inputs: [own], apply, dtype: 'f16', differences: !name.includes('out of range') });
});

test.each([0, 1, [], undefined])('sums over %s are f32', async (axes) => {
  const data = await normal([33, 70], 8).data();
  const x = tensor(data, { shape: [33, 70], dtype: 'f16' });
  const options = axes === undefined ? {} : { axes };
  await checkOp({ name: 'sum', inputs: [x], apply: (one) => sum(one, options), dtype: 'f32' });
  await checkOp({ name: 'mean', inputs: [x], apply: (one) => mean(one, options), dtype: 'f32' });
});

describe('a cotangent of f16', () => {
  test('is widened, wherever it comes in', async () => {
    const [x, w] = [normal([1, 4, 4, 1], 1), normal([2, 2, 1, 1], 2)];
    const cotangent = toF16(normal([1, 3, 3, 1], 3));
    const wide = toF32(cotangent);
    const gradients = async (seed: Tensor) => {
      const all = vjp([conv2d(x, w)], [x, w], [seed]);
      expect(all.map(({ dtype }) => dtype)).toEqual(['f32', 'f32']);
      return Promise.all(all.map((one) => one.data()));
    };
    expect(await gradients(cotangent)).toEqual(await gradients(wide));
    const rounding = customGradient({ forward: (y) => y, backward: ({ cotangent: c }) => [toF16(c)] });
    const [through] = grad(sum(multiply(rounding(conv2d(x, w)), wide)), [x]);
    expect(await through?.data()).toEqual((await gradients(wide))[0]);
    const [twice] = vjp([toF16(x), x], [x], [toF16(x), x]);
    expect(await twice?.data()).toEqual(await add(toF32(toF16(x)), x).data());
  });

  test('of another dtype is refused, and an optimizer takes f32 alone', () => {
    const x = normal([3], 1);
    expect(() => vjp([x], [x], [toI32(x)])).toThrow('vjp: a cotangent is i32; it must be f32.');
    // Of an integer output nobody reads one.
    expect(vjp([multiply(x, 2), toI32(x)], [x], [x, toI32(x)]).map(({ dtype }) => dtype)).toEqual(['f32']);
    const w = new Parameter(normal([3], 2));
    const optimizer = optim.sgd([w], { learningRate: 1, clip: { globalNorm: 1 } });
    expect(() => optimizer.update([toF16(x)])).toThrow('optim.sgd: gradient 0 is f16; it must be f32.');
    optimizer.dispose?.();
  });
});

test('labels and inputs of another kind are refused as f32 ones are', () => {
  expect(() => losses.crossEntropy(normal([2, 3], 1), half([2], 1))).toThrow('the labels are f16; they must be i32');
  for (const dtype of ['f32', 'f16'] as const) {
    expect(() => nn.linear(2, 2, { dtype })(toI32(normal([1, 2], 1)))).toThrow('nn.linear: dtype is i32; it takes f32');
  }
});

describe('compiled', () => {
  test('f16 goes in, is carried round a loop, and comes out', async () => {
    const step = compile((x: Tensor) =>
      repeat(3, (state: Tensor) => toF16(multiply(toF32(state), 1.1)), toF16(add(toF32(x), 1))),
    );
    const data = random(7).floats(33, (r) => r.normal());
    const found = await step(tensor(data, { dtype: 'f16' })).data();
    const wanted = data.map((value) => {
      let state = nearestHalf(nearestHalf(value) + 1);
      for (let i = 0; i < 3; i++) state = nearestHalf(Math.fround(state * Math.fround(1.1)));
      return state;
    });
    expect(found).toEqual(wanted);
  });

  test('a parameter of f16 is assigned, saved and loaded', async () => {
    const model = nn.module({
      description: 'frozen',
      parameters: { weight: new Parameter(tensor([0.1, 0.2, 0.3], { dtype: 'f16' }), { trainable: false }) },
      forward: (x) => x,
    });
    const [weight] = model.parameters() as [Parameter];
    const bytes = await saveCheckpoint({ model });
    weight.assign(toF16(tensor([7, 8, 9])));
    expect([...(await weight.data())]).toEqual([7, 8, 9]);
    loadCheckpoint(bytes, { model });
    expect(await weight.data()).toEqual(rounded([0.1, 0.2, 0.3]));
    expect(() => weight.assign(tensor([1, 2, 3]))).toThrow('cast it: toF16(value).');
  });
});

describe.each(['own', 'gpu', 'plain'] as const)('products, by the kernels of an adapter: %s', (kind) => {
  if (kind === 'own') useOwnEngine();
  else useVariantsOf(kind);

  test.each(cases({ a: ['f16', 'f32'], b: ['f16', 'f32'], layout: ['nn', 'nt', 'tn', 'tt'] }))(
    '$label: the bits that f32 of the same values gives',
    async ({ a, b, layout, label }) => {
      if (a === 'f32' && b === 'f32') return;
      for (const [rows, inner, columns] of [
        [1, 1, 1],
        [33, 20, 12],
        [65, 37, 70],
      ] as const) {
        const seed = seedOf(label) + rows;
        const of = (dtype: string, shape: readonly number[], by: number) =>
          dtype === 'f16' ? half(shape, by) : normal(shape, by);
        const x = of(a, layout[0] === 't' ? [inner, rows] : [rows, inner], seed);
        const y = of(b, layout[1] === 't' ? [columns, inner] : [inner, columns], seed + 1);
        const apply = (p: Tensor, q: Tensor) =>
          matmul(layout[0] === 't' ? transpose(p) : p, layout[1] === 't' ? transpose(q) : q);
        const widened = await Promise.all([x, y].map(async (one) => tensor(await one.data(), { shape: one.shape })));
        const found = apply(x, y);
        expect(found.dtype).toBe('f32');
        expect(await found.data()).toEqual(await apply(...(widened as [Tensor, Tensor])).data());
      }
    },
  );

  test.each(columnSumSizes)('column sums beside it: batch %i, %i by %i', (batch, inputs, outputs) =>
    checkColumnSums(batch, inputs, outputs, 40 + batch, toF16),
  );

  test('with its gradients, which are f32, bias and activation before, a rounding after', async () => {
    await checkOp({
      name: 'a mixed layer',
      inputs: [normal([9, 17], 1), normal([17, 33], 2), normal([33], 3)],
      apply: (x, w, b) => toF16(tanh(add(matmul(toF16(x), toF16(w)), b))),
      dtype: 'f16',
    });
    const [x, w] = [half([5, 6], 4), half([6, 7], 5)];
    await x.data();
    await w.data();
    const gradients = grad(sum(matmul(x, w)), [x, w]);
    expect(gradients.map(({ dtype }) => dtype)).toEqual(['f32', 'f32']);
    await checkOp({ name: 'of f16 alone', inputs: [x, w], apply: matmul, differences: false });
  });
});

test('what takes f32 alone says how to give it', () => {
  expect(() => add(half([3], 1), 1)).toThrow('add: dtype is f16; it takes f32, i32, u32.');
  expect(() => add(half([3], 1), 1)).toThrow('cast it: toF32(x).');
  expect(() => softmax(half([3, 3], 1))).toThrow('cast it: toF32(x).');
  expect(() => add(half([3], 1), normal([3], 2))).toThrow('dtypes differ: f16 and f32.');
});
