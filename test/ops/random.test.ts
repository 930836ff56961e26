import { describe, expect, test } from 'vitest';
import { compile } from '../../src/graph/compile.js';
import { Engine } from '../../src/graph/engine.js';
import { tensor } from '../../src/graph/source.js';
import { add, multiply } from '../../src/ops/arithmetic.js';
import { toF32 } from '../../src/ops/casts.js';
import * as random from '../../src/ops/random.js';
import { mean, variance } from '../../src/ops/reduce.js';
import { slice } from '../../src/ops/shaping.js';
import { evaluate } from '../reference/evaluate.js';
import { philox } from '../reference/philox.js';
import { cases } from '../support/cases.js';
import { checkOp } from '../support/checkOp.js';
import { expectClose } from '../support/compare.js';
import { useEngine } from '../support/engine.js';

useEngine();

// The known answers published with Random123 (kat_vectors, philox4x32 10).
test.each([
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
] as const)('the reference knows Philox %o', (counter, key, answer) => {
  expect(philox([...counter], key)).toEqual(answer);
});

describe('draws', () => {
  const generators = () => random.generator(123_456_789_012, 7);

  test.each(cases({ shape: [[], [1], [0], [3], [7, 33], [1025]] }))(
    'bits, uniform, normal and categorical follow the reference, $label',
    async ({ shape }) => {
      const generator = generators();
      for (const draw of [
        generator.bits(shape),
        generator.uniform(shape),
        generator.uniform(shape, -2, 3),
        generator.normal(shape, { mean: 1, standardDeviation: 2 }),
      ]) {
        expect(draw.shape).toEqual(shape);
        expectClose(await draw.data(), evaluate(draw), { what: 'value', label: `${draw} of [${shape}]` });
      }
    },
  );

  test.each([0, 1, 2, 3, 7, 64, 65, 1000, 5000])('a permutation of %i holds each number once', async (count) => {
    const order = generators().permutation(count);
    const got = await order.data();
    expect(Int32Array.from(got).sort()).toEqual(Int32Array.from({ length: count }, (_, i) => i));
    expectClose(got, evaluate(order), { what: 'value', label: `permutation of ${count}` });
  });

  test('bernoulli holds the probability', async () => {
    const generator = generators();
    expect([...(await generator.bernoulli([50], 0).data())]).toEqual(new Array(50).fill(0));
    expect([...(await generator.bernoulli([50], 1).data())]).toEqual(new Array(50).fill(1));
    const share = await mean(toF32(generator.bernoulli([20_000], 0.3))).item();
    // Standard deviation sqrt(0.21 / 20,000) = 0.0032; the draw is fixed, 5 of them would be a wrong law.
    expect(Math.abs(share - 0.3)).toBeLessThan(5 * 0.0033);
  });

  test('categorical never draws what is masked, and draws by weight', async () => {
    const logits = tensor(
      Float32Array.from(
        { length: 3 * 20_000 },
        (_, i) => [Math.log(0.25), Number.NEGATIVE_INFINITY, Math.log(0.75)][i % 3] ?? 0,
      ),
      { shape: [20_000, 3] },
    );
    const got = await generators().categorical(logits).data();
    const counts = [0, 0, 0];
    for (const one of got) counts[one] = (counts[one] ?? 0) + 1;
    expect(counts[1]).toBe(0);
    // Standard deviation sqrt(0.1875 / 20,000) = 0.0031.
    expect(Math.abs((counts[2] ?? 0) / 20_000 - 0.75)).toBeLessThan(5 * 0.0031);
  });

  test('normal has mean 0 and variance 1', async () => {
    const draw = generators().normal([40_000]);
    // Standard errors 1 / sqrt(n) = 0.005 and sqrt(2 / n) = 0.0071.
    expect(Math.abs(await mean(draw).item())).toBeLessThan(5 * 0.005);
    expect(Math.abs((await variance(draw).item()) - 1)).toBeLessThan(5 * 0.0071);
  });
});

describe('steps', () => {
  test('each draw takes the next, and keeps it', async () => {
    const generator = random.generator(1);
    const [a, b] = [generator.uniform([4]), generator.uniform([4])];
    expect(await b.data()).not.toEqual(await a.data());
    expect(generator.step).toBe(2);
    expect(await a.data()).toEqual(await multiply(a, 1).data());
    // A view of a draw, fused, draws the same numbers.
    const third = (await a.data())[2] ?? Number.NaN;
    expect(await add(slice(a, 2), 0).item()).toBe(third);
  });

  test('seeds, streams and steps tell draws apart; the same ones give the same', async () => {
    const draw = async (seed: number, stream: number, step = 0) => {
      const generator = random.generator(seed, stream);
      generator.step = step;
      return (await generator.bits([8]).data()).join();
    };
    const different = new Set([
      await draw(1, 0),
      await draw(2, 0),
      await draw(1, 1),
      await draw(1, 0, 1),
      await draw(1 + 2 ** 32, 0),
    ]);
    expect(different.size).toBe(5);
    expect(await draw(1, 0)).toBe(await draw(1, 0));
  });

  test('a compiled step draws anew each time, as eager code does', async () => {
    const inside = random.generator(9);
    const step = compile(() => [inside.uniform([3]), inside.uniform([3])] as const);
    const compiled: string[] = [];
    for (let i = 0; i < 3; i++) for (const draw of step()) compiled.push((await draw.data()).join());
    const outside = random.generator(9);
    const eager: string[] = [];
    for (let i = 0; i < 6; i++) eager.push((await outside.uniform([3]).data()).join());
    expect(compiled).toEqual(eager);
    expect(inside.step).toBe(6);
  });

  test('restore goes on where another stood', async () => {
    const first = random.generator(5, 2);
    await first.uniform([3]).data();
    const second = random.generator(0);
    second.restore({ seed: first.seed, stream: first.stream, step: first.step });
    expect(await second.uniform([3]).data()).toEqual(await first.uniform([3]).data());
  });

  test('the default generator follows seed', async () => {
    random.seed(42);
    const all = async () => [
      await random.bits([2]).data(),
      await random.uniform([2], 1, 2).data(),
      await random.normal([2]).data(),
      await random.bernoulli([9], 0.5).data(),
      await random.categorical(tensor([[0, 0, 0]])).data(),
      await random.permutation(5).data(),
    ];
    const first = await all();
    expect(random.defaultGenerator().step).toBe(6);
    random.seed(42);
    expect(await all()).toEqual(first);
    random.seed(0);
  });
});

test('a gradient flows through the scale of a draw', async () => {
  const generator = random.generator(3);
  const noise = generator.normal([4]);
  await checkOp({
    name: 'reparametrised',
    inputs: [tensor([1, 2, 3, 4]), tensor([0.5, 0.5, 1, 2])],
    apply: (mean_, scale) => add(mean_, multiply(noise, scale)),
  });
});

test('another workgroup size draws the same numbers', async () => {
  const draw = async (size: number | undefined) => {
    const { device } = (await Engine.create()).use();
    const { pipelines } = device;
    const create = pipelines.create.bind(pipelines);
    const sizes: unknown[] = [];
    if (size !== undefined) {
      // The grid was planned for 64 lanes: larger workgroups cover it, and their surplus is guarded.
      pipelines.create = (description) => {
        sizes.push(description.constants.WORKGROUP_SIZE);
        return create({ ...description, constants: { ...description.constants, WORKGROUP_SIZE: size } });
      };
    }
    const generator = random.generator(77, 3);
    const all = [
      generator.bits([1001]),
      generator.uniform([1001]),
      generator.normal([1001]),
      generator.permutation(1001),
    ];
    const data = await Promise.all(all.map((one) => one.data()));
    if (size !== undefined) expect(sizes).toEqual([64, 64, 64, 64]);
    device.destroy();
    return data.map((one) => Array.from(one));
  };
  const first = await draw(undefined);
  expect(await draw(128)).toEqual(first);
  expect(await draw(256)).toEqual(first);
});
