import { beforeAll, describe, expect, test } from 'vitest';
import {
  compile,
  grad,
  init,
  mean,
  nn,
  optim,
  type Parameter,
  random,
  square,
  type Tensor,
  tensor,
} from '../../src/index.js';

beforeAll(async () => {
  await init();
});

test('parameters have stable dotted names, nested and tied ones too', () => {
  const shared = nn.linear(3, 3);
  const model = nn.sequential(shared, nn.relu(), nn.sequential(nn.linear(3, 2, { bias: false }), shared));
  expect([...model.namedParameters().keys()]).toEqual(['0.weight', '0.bias', '2.0.weight']);
  expect(model.parameters().map((p) => p.name)).toEqual(['0.weight', '0.bias', '2.0.weight']);
});

test('linear is x W + b over the last axis of any batch', async () => {
  const layer = nn.linear(2, 3);
  const [weight, bias] = layer.parameters() as [Parameter, Parameter];
  weight.assign([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  bias.assign([10, 20, 30]);
  const y = layer(tensor([[[1, 0]], [[0, 1]]]));
  expect(y.shape).toEqual([2, 1, 3]);
  expect(Array.from(await y.data())).toEqual([11, 22, 33, 14, 25, 36]);
});

test("linear of f16 rounds what it multiplies, and neither its weight nor the weight's moves", async () => {
  const layer = nn.linear(1, 1, { dtype: 'f16', bias: false });
  const [weight] = layer.parameters() as [Parameter];
  // Halfway and a little more between two f16, and a step of a fifth of their distance.
  const start = 1 + 0.6 * 2 ** -10;
  weight.assign([[start]]);
  expect(await layer(tensor([[3 + 2 ** -11]])).data()).toEqual(Float32Array.of(3 * (1 + 2 ** -10)));
  const rate = 2 ** -12;
  const optimizer = optim.sgd([weight], { learningRate: rate });
  const step = compile((x: Tensor) => {
    const loss = mean(layer(x));
    optimizer.update(grad(loss, [weight]));
    return loss;
  });
  for (let i = 0; i < 5; i++) step({ data: Float32Array.of(1), shape: [1, 1] });
  // The gradient is the input, 1: five moves that f16 would have lost.
  expect((await weight.data())[0]).toBeCloseTo(start - 5 * rate, 6);
  expect(() => nn.linear(1, 1, { dtype: 'f64' as never })).toThrow(
    "nn.linear: dtype is 'f64'; it must be 'f32' or 'f16'.",
  );
});

test('linear refuses an input of another width', () => {
  expect(() => nn.linear(4, 2)(tensor([[1, 2, 3]]))).toThrow(
    'nn.linear: the input is [1, 3]; its last axis must be 4.',
  );
  expect(() => nn.linear(0, 2)).toThrow('nn.linear: inputs is 0; it must be an integer of at least 1.');
  expect(() => nn.sequential((() => 1) as never)).toThrow('nn.sequential: part 0 is not a module.');
  expect(() => nn.dropout(1)).toThrow('nn.dropout: probability is 1; it must be in [0, 1).');
});

describe('initialisation', () => {
  const draws: [string, nn.Initialiser, number, 'uniform' | 'normal'][] = [
    ['kaimingUniform', nn.kaimingUniform, Math.sqrt(2 / 200), 'uniform'],
    ['kaimingNormal', nn.kaimingNormal, Math.sqrt(2 / 200), 'normal'],
    ['xavierUniform', nn.xavierUniform, Math.sqrt(2 / 500), 'uniform'],
    ['xavierNormal', nn.xavierNormal, Math.sqrt(2 / 500), 'normal'],
    ['torchUniform', nn.torchUniform, Math.sqrt(1 / 600), 'uniform'],
  ];
  test.each(draws)('%s has its standard deviation', async (_name, rule, deviation, kind) => {
    const data = (await rule([200, 300], random.generator(3)).data()) as Float32Array;
    const average = data.reduce((sum, x) => sum + x, 0) / data.length;
    const spread = Math.sqrt(data.reduce((sum, x) => sum + (x - average) ** 2, 0) / data.length);
    // 60,000 draws: the mean's standard error is deviation / 245, that of the spread less; five of them.
    expect(Math.abs(average)).toBeLessThan((5 * deviation) / 245);
    expect(Math.abs(spread / deviation - 1)).toBeLessThan(5 / 245);
    const bound = Math.max(...data.map(Math.abs));
    if (kind === 'uniform') expect(bound).toBeLessThanOrEqual(Math.fround(Math.sqrt(3) * deviation) * (1 + 2 ** -22));
    else expect(bound).toBeGreaterThan(3 * deviation);
  });

  test('one seed gives one model, another another', async () => {
    const first = async (seed: number) => {
      random.seed(seed);
      return Array.from(await (nn.linear(5, 7).parameters()[0] as Parameter).data());
    };
    expect(await first(1)).toEqual(await first(1));
    expect(await first(1)).not.toEqual(await first(2));
  });
});

describe('dropout', () => {
  test('drops its part and scales the rest; evaluation lets all through', async () => {
    const layer = nn.dropout(0.25, { generator: random.generator(7) });
    const x = tensor(new Float32Array(40000).fill(3));
    const data = (await layer(x).data()) as Float32Array;
    const kept = data.filter((value) => value !== 0);
    expect(new Set(kept)).toEqual(new Set([4]));
    // 40,000 draws: standard error sqrt(0.25 * 0.75 / 40000) = 0.0022; five of them.
    expect(Math.abs(kept.length / data.length - 0.75)).toBeLessThan(0.011);
    layer.eval();
    expect(new Set(await layer(x).data())).toEqual(new Set([3]));
  });

  test('its gradient uses the mask of the value, and each step draws another', async () => {
    const layer = nn.dropout(0.5, { generator: random.generator(11) });
    const step = compile((x: Tensor) => {
      const y = layer(x);
      return { y, g: grad(mean(square(y)), [x])[0] as Tensor };
    });
    const masks: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { y, g } = step(new Float32Array(64).fill(1));
      const [value, gradient] = [await y.data(), await g.data()];
      value.forEach((v, j) => {
        // d mean(y^2)/dx = 2 y * 2 / 64 where kept (y = 2), 0 where dropped.
        expect(gradient[j]).toBe(v === 0 ? 0 : 8 / 64);
      });
      masks.push(value.join());
    }
    expect(new Set(masks).size).toBe(3);
  });
});

test('a compiled step follows train and eval', async () => {
  const model = nn.sequential(nn.dropout(0.5, { generator: random.generator(1) }));
  const step = compile((x: Tensor) => model(x));
  const x = new Float32Array(100).fill(1);
  expect(await step(x).data()).toContain(0);
  model.eval();
  expect(new Set(await step(x).data())).toEqual(new Set([1]));
  model.train();
  expect(await step(x).data()).toContain(0);
});

test('accumulated micro-batches equal the big batch', async () => {
  const data = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
  const train = async (micro: boolean) => {
    random.seed(5);
    const model = nn.sequential(nn.linear(4, 8), nn.tanh(), nn.linear(8, 1));
    const parameters = model.parameters();
    const optimizer = optim.sgd(parameters, { learningRate: 0.5 });
    const loss = (x: Tensor) => mean(square(model(x)));
    if (micro) {
      const sums = new optim.Accumulator(parameters);
      const add = compile((x: Tensor) => sums.add(grad(loss(x), parameters)));
      const update = compile(() => optimizer.update(sums.takeMean(4)));
      for (let epoch = 0; epoch < 2; epoch++) {
        for (let i = 0; i < 4; i++) add({ data: data.slice(16 * i, 16 * i + 16), shape: [4, 4] });
        update();
      }
    } else {
      const step = compile((x: Tensor) => optimizer.update(grad(loss(x), parameters)));
      for (let epoch = 0; epoch < 2; epoch++) step({ data, shape: [16, 4] });
    }
    return Promise.all(parameters.map((p) => p.data()));
  };
  const [small, big] = [await train(true), await train(false)];
  small.forEach((values, i) => {
    values.forEach((value, j) => {
      // Two updates of gradients below 1, sums of 16 in two orders: 2 * 16 * 2^-24, times the rate.
      expect(Math.abs(value - (big[i]?.[j] ?? Number.NaN))).toBeLessThan(2e-6);
    });
  });
});
