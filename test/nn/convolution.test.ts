import { beforeAll, describe, expect, test } from 'vitest';
import {
  averagePool2d,
  batchNorm,
  compile,
  conv2d,
  grad,
  init,
  layerNorm,
  losses,
  maxPool2d,
  mean,
  nn,
  optim,
  type Parameter,
  random,
  square,
  type Tensor,
  tensor,
  zeros,
} from '../../src/index.js';
import { readAll } from '../support/checkOp.js';
import { complaint } from '../support/complaint.js';
import '../support/matchers.js';
import { random as testRandom } from '../support/random.js';

beforeAll(async () => {
  await init();
});

function images(shape: readonly number[], seed: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    testRandom(seed).floats(size, (r) => r.normal()),
    { shape },
  );
}

const named = (model: nn.Module) => Object.fromEntries(model.namedParameters()) as Record<string, Parameter>;

describe('conv2d', () => {
  test('is the op with its weight, plus its bias', async () => {
    const layer = nn.conv2d(6, 4, [3, 2], { stride: 2, padding: [1, 0], groups: 2 });
    const { weight, bias } = named(layer) as { weight: Parameter; bias: Parameter };
    expect([weight.shape, bias.shape]).toEqual([[3, 2, 3, 4], [4]]);
    bias.assign([1, 2, 3, 4]);
    const x = images([2, 5, 6, 6], 1);
    const plain = conv2d(x, weight, { stride: 2, padding: [1, 0], groups: 2 });
    const [got, wanted] = await readAll([layer(x), plain]);
    got?.forEach((value, i) => {
      // One more rounding, of a sum below 32.
      expect(Math.abs(value - ((wanted?.[i] ?? Number.NaN) + (i % 4) + 1))).toBeLessThan(2 ** -19);
    });
    expect(
      nn
        .conv2d(1, 1, 3, { bias: false })
        .parameters()
        .map(({ shape }) => shape),
    ).toEqual([[3, 3, 1, 1]]);
  });

  test('starts within the bound of its fan', async () => {
    const layer = nn.conv2d(8, 64, 3, { generator: random.generator(1), groups: 2 });
    const data = (await named(layer).weight?.data()) as Float32Array;
    // kaimingUniform over 4 inputs of 9 taps each.
    const bound = Math.sqrt(6 / 36);
    const most = data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    expect(most).toBeLessThanOrEqual(Math.fround(bound) * (1 + 2 ** -22));
    expect(most).toBeGreaterThan(0.95 * bound);
  });
});

test('layerNorm and the pooling layers are their ops', async () => {
  const x = images([2, 4, 6, 3], 2);
  const norm = nn.layerNorm(3, { epsilon: 0.5 });
  const { weight, bias } = named(norm) as { weight: Parameter; bias: Parameter };
  weight.assign([1, 2, 3]);
  bias.assign([4, 5, 6]);
  const pairs: [Tensor, Tensor][] = [
    [norm(x), layerNorm(x, weight, bias, { epsilon: 0.5 })],
    [nn.maxPool2d(3, { stride: 2, padding: 1 })(x), maxPool2d(x, { window: 3, stride: 2, padding: 1 })],
    [
      nn.averagePool2d(2, { padding: 1, countPadding: false })(x),
      averagePool2d(x, { window: 2, padding: 1, countPadding: false }),
    ],
    [nn.globalAveragePool()(x), mean(x, { axes: [1, 2] })],
  ];
  for (const [layer, op] of pairs) {
    expect(layer.shape).toEqual(op.shape);
    expect(await layer.data()).toEqual(await op.data());
  }
  const most = nn.globalMaxPool()(x);
  expect(most.shape).toEqual([2, 3]);
  const values = (await x.data()) as Float32Array;
  const wanted = [0, 1].flatMap((n) =>
    [0, 1, 2].map((c) => Math.max(...values.subarray(72 * n, 72 * n + 72).filter((_, i) => i % 3 === c))),
  );
  expect([...(await most.data())]).toEqual(wanted);
});

describe('batchNorm', () => {
  const data = testRandom(3).floats(24, (r) => r.uniform(-3, 5));
  const batch = () => tensor(data, { shape: [2, 2, 2, 3] });

  /** The mean of a channel and its variance by the count less one, in float64. */
  const statistics = (channel: number) => {
    const values = Array.from(data).filter((_, i) => i % 3 === channel);
    const center = values.reduce((sum, x) => sum + x, 0) / 8;
    return { center, spread: values.reduce((sum, x) => sum + (x - center) ** 2, 0) / 7 };
  };

  test.each(['compiled', 'at once'])('its running statistics follow the batches, %s', async (how) => {
    const layer = nn.batchNorm(3, { momentum: 0.25 });
    const { runningMean, runningVariance } = named(layer) as Record<string, Parameter>;
    const step = how === 'compiled' ? compile((x: Tensor) => layer(x)) : layer;
    for (let i = 0; i < 3; i++) await step(batch()).data();
    const [center, spread] = await readAll([runningMean as Tensor, runningVariance as Tensor]);
    for (let channel = 0; channel < 3; channel++) {
      const wanted = statistics(channel);
      // Three moves by a quarter from 0 and from 1. A dozen roundings of numbers below 16.
      const kept = 0.75 ** 3;
      expect(Math.abs((center?.[channel] ?? Number.NaN) - (1 - kept) * wanted.center)).toBeLessThan(12 * 2 ** -21);
      expect(Math.abs((spread?.[channel] ?? Number.NaN) - (kept + (1 - kept) * wanted.spread))).toBeLessThan(
        12 * 2 ** -21,
      );
    }
  });

  test('evaluation uses them and leaves them alone', async () => {
    const layer = nn.batchNorm(3, { epsilon: 0 });
    const parts = named(layer) as Record<'runningMean' | 'runningVariance' | 'weight' | 'bias', Parameter>;
    parts.runningMean.assign([1, 2, 3]);
    parts.runningVariance.assign([4, 16, 1]);
    parts.weight.assign([2, 4, 1]);
    parts.bias.assign([0, 1, 0]);
    layer.eval();
    const step = compile((x: Tensor) => layer(x));
    expect([...(await step(tensor([[3, 6, 3]])).data())]).toEqual([2, 5, 0]);
    expect([...(await parts.runningMean.data()), ...(await parts.runningVariance.data())]).toEqual([1, 2, 3, 4, 16, 1]);
    layer.train();
    const trained = await step(batch()).data();
    const unit = batchNorm(batch(), parts.weight, parts.bias, { epsilon: 0 });
    expect(trained).toEqual(await unit.data());
  });

  test('an optimizer leaves the statistics to the layer', async () => {
    const layer = nn.batchNorm(3);
    const optimizer = optim.sgd(layer.parameters(), { learningRate: 1, weightDecay: 0.5 });
    const step = compile((x: Tensor) => {
      const loss = mean(square(layer(x)));
      optimizer.update(grad(loss, layer.parameters()));
      return loss;
    });
    await step(batch()).item();
    const { weight, runningMean } = named(layer) as Record<string, Parameter>;
    const center = await (runningMean as Parameter).data();
    for (let channel = 0; channel < 3; channel++) {
      expect(Math.abs((center[channel] ?? Number.NaN) - 0.1 * statistics(channel).center)).toBeLessThan(2 ** -20);
    }
    expect(await (weight as Parameter).data()).not.toEqual(new Float32Array(3).fill(1));
  });

  test('a batch of nothing moves nothing', async () => {
    const layer = nn.batchNorm(3);
    expect((await layer(tensor([], { shape: [0, 3] })).data()).length).toBe(0);
    expect([...(await (named(layer).runningMean as Parameter).data())]).toEqual([0, 0, 0]);
  });
});

test('residual adds what it is given, or what its shortcut makes of it', async () => {
  const same = nn.module({ description: 'same', forward: (x) => x });
  expect([
    ...(await nn
      .residual(same)(tensor([[1, 2]]))
      .data()),
  ]).toEqual([2, 4]);
  const model = nn.residual(nn.linear(2, 3), nn.linear(2, 3, { bias: false }));
  expect([...model.namedParameters().keys()]).toEqual(['body.weight', 'body.bias', 'shortcut.weight']);
  expect(model(tensor([[1, -1]])).shape).toEqual([1, 3]);
});

describe('resnet', () => {
  test('has the layers, names and shapes of the paper', () => {
    const plain = nn.resnet({ inputs: 3, classes: 10, blocks: 3 });
    // ResNet-20 on CIFAR-10 with projections: the paper counts 0.27 M with parameterless shortcuts; by hand:
    // 3x3 convolutions, two projections, scale and shift of each normalization, and the classifier.
    const stage = (width: number, before: number) => 9 * before * width + 5 * 9 * width * width + 6 * 2 * width;
    const projection = (width: number) => (width / 2) * width + 2 * width;
    const wanted =
      9 * 3 * 16 + 2 * 16 + stage(16, 16) + stage(32, 16) + stage(64, 32) + projection(32) + projection(64) + 650;
    const trainable = plain.parameters().filter((parameter) => parameter.trainable);
    expect(trainable.reduce((sum, { size }) => sum + size, 0)).toBe(wanted);
    expect(plain(images([2, 32, 32, 3], 1)).shape).toEqual([2, 10]);
    expect([...plain.namedParameters().keys()].slice(0, 6)).toEqual([
      '0.weight',
      '1.weight',
      '1.bias',
      '1.runningMean',
      '1.runningVariance',
      '3.0.0.body.0.weight',
    ]);
    const wide = nn.resnet({ inputs: 1, classes: 7, block: 'wide', widths: [8, 12], dropout: 0.25 });
    expect(wide(images([3, 9, 7, 1], 1)).shape).toEqual([3, 7]);
  });

  test('a wide block is the identity where its branch gives nothing, and a shortcut changes the shape', async () => {
    const block = nn.wideBlock(4, 4);
    const last = block.namedParameters().get('body.5.weight') as Parameter;
    last.assign(zeros(last.shape));
    block.eval();
    const x = images([1, 5, 5, 4], 2);
    expect(await block(x).data()).toEqual(await x.data());
    const [stride, shape] = [2, images([2, 5, 5, 4], 3)];
    expect(nn.wideBlock(4, 6, { stride })(shape).shape).toEqual([2, 3, 3, 6]);
    expect(nn.basicBlock(4, 6, { stride })(shape).shape).toEqual([2, 3, 3, 6]);
  });

  test.each(['basic', 'wide'] as const)('%s: learns which half of an image is bright', async (block) => {
    const model = nn.resnet({ inputs: 1, classes: 2, widths: [4, 8], block, generator: random.generator(4) });
    const optimizer = optim.adam(model.parameters(), { learningRate: 0.02 });
    const step = compile((x: Tensor, y: Tensor) => {
      const loss = losses.crossEntropy(model(x), y);
      optimizer.update(grad(loss, model.parameters()));
      return loss;
    });
    const draw = testRandom(5);
    const labels = Uint32Array.from({ length: 16 }, (_, i) => i % 2);
    const data = draw.floats(16 * 64, (r) => r.normal() / 2);
    for (let i = 0; i < data.length; i++) {
      if (Math.floor((i % 64) / 32) === (labels[Math.floor(i / 64)] ?? 0)) data[i] = (data[i] ?? 0) + 2;
    }
    const x = tensor(data, { shape: [16, 8, 8, 1] });
    const first = await step(x, labels).item();
    let last = first;
    for (let i = 0; i < 25; i++) last = await step(x, labels).item();
    expect(last).toBeLessThan(first / 5);
    // The statistics have followed far enough that evaluation tells the halves apart as well.
    model.eval();
    const logits = (await model(x).data()) as Float32Array;
    const right = Array.from(labels).filter((y, i) => (logits[2 * i + y] ?? 0) > (logits[2 * i + 1 - y] ?? 0));
    expect(right.length).toBeGreaterThanOrEqual(15);
  });
});

test.each<[() => unknown, string]>([
  [
    () => nn.conv2d(3, 4, 3)(images([1, 3, 8, 8], 1)),
    'ShapeError: nn.conv2d: the input is [1, 3, 8, 8]; its last axis must be 3.\n  Mend: channels come last: permute(x, [0, 2, 3, 1]).',
  ],
  [() => nn.conv2d(0, 4, 3), 'ValueError: nn.conv2d: inputs is 0; it must be an integer of at least 1.'],
  [
    () => nn.conv2d(1, 4, [3, 0]),
    'ValueError: nn.conv2d: window is [3, 0]; it must be an integer of at least 1, or two of them: [down, across].',
  ],
  [() => nn.layerNorm(1.5), 'ValueError: nn.layerNorm: size is 1.5; it must be an integer of at least 1.'],
  [
    () => nn.layerNorm(4)(tensor([[1, 2]])),
    'ShapeError: nn.layerNorm: the input is [1, 2]; its last axis must be 4.\n  Mend: check the sizes of the layers before it.',
  ],
  [() => nn.batchNorm(3, { momentum: 2 }), 'ValueError: nn.batchNorm: momentum is 2; it must be in [0, 1].'],
  [
    () => nn.batchNorm(2)(tensor([[1, 2]])),
    'ValueError: batchNorm: x is [1, 2]: one value for each channel has no variance.\n  Mend: train on more than one example at once, or evaluate: model.eval().',
  ],
  [
    () => nn.globalAveragePool()(tensor([[1, 2]])),
    'ShapeError: nn.globalAveragePool: x is [1, 2]; it must be [images, height, width, channels], with pixels.',
  ],
  [
    () => nn.residual(nn.linear(2, 3))(tensor([[1, 2]])),
    'ShapeError: nn.residual: the body gives [1, 3], the shortcut [1, 2].\n  Mend: give a shortcut that changes the shape alike: nn.residual(body, nn.conv2d(inputs, outputs, 1)).',
  ],
  [
    () => nn.conv2d(5, 4, 3, { groups: 2 }),
    'ValueError: nn.conv2d: groups is 2; it must divide 5 inputs and 4 outputs.',
  ],
  [
    () => nn.resnet({ inputs: 1, classes: 10, widths: [] }),
    'ValueError: nn.resnet: widths is empty; it needs one size for each stage.',
  ],
  [
    () => nn.resnet({ inputs: 1, classes: 10, widths: [4, 0] }),
    'ValueError: nn.resnet: widths[1] is 0; it must be an integer of at least 1.',
  ],
  [
    () => nn.resnet({ inputs: 1, classes: 10, block: 'bottleneck' as never }),
    "ValueError: nn.resnet: block is 'bottleneck'; it must be 'basic' or 'wide'.",
  ],
])('error %#', async (run, text) => {
  expect(await complaint(run)).toBe(text);
});
