import { beforeAll, describe, expect, test } from 'vitest';
import { compile, init, optim, Parameter, scalar, type Tensor, tensor } from '../../src/index.js';
import { ReferenceAdam, type ReferenceSettings, ReferenceSgd } from './reference.js';

/** A seeded stream of numbers in [-1, 1). */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

const draw = (next: () => number, length: number) => Float32Array.from({ length }, next);

// With fusion the kernels that make the gradients update the parameters; without, one dispatch over the arenas does.
describe.each([true, false])('fusion %s', (fusion) => {
  beforeAll(async () => {
    await init({ fusion });
  });

  type Make = (parameters: Parameter[]) => optim.Optimizer;
  const cases: [name: string, Make, 'sgd' | 'adam', ReferenceSettings][] = [
    ['sgd', (p) => optim.sgd(p, { learningRate: 0.1 }), 'sgd', { learningRate: 0.1 }],
    [
      'sgd with coupled decay',
      (p) => optim.sgd(p, { learningRate: 0.1, weightDecay: 0.1 }),
      'sgd',
      { learningRate: 0.1, coupled: 0.1 },
    ],
    [
      'sgd with decoupled decay',
      (p) => optim.sgd(p, { learningRate: 0.1, weightDecay: 0.1, decay: 'decoupled' }),
      'sgd',
      { learningRate: 0.1, decoupled: 0.1 },
    ],
    [
      'momentum',
      (p) => optim.sgd(p, { learningRate: 0.05, momentum: 0.9 }),
      'sgd',
      { learningRate: 0.05, momentum: 0.9 },
    ],
    [
      'Nesterov with coupled decay',
      (p) => optim.sgd(p, { learningRate: 0.05, momentum: 0.8, nesterov: true, weightDecay: 0.1 }),
      'sgd',
      { learningRate: 0.05, momentum: 0.8, nesterov: true, coupled: 0.1 },
    ],
    [
      'momentum with decoupled decay',
      (p) => optim.sgd(p, { learningRate: 0.05, momentum: 0.8, weightDecay: 0.1, decay: 'decoupled' }),
      'sgd',
      { learningRate: 0.05, momentum: 0.8, decoupled: 0.1 },
    ],
    ['adam', (p) => optim.adam(p, { learningRate: 0.01 }), 'adam', { learningRate: 0.01 }],
    [
      'adam with coupled decay',
      (p) => optim.adam(p, { learningRate: 0.01, weightDecay: 0.1, beta1: 0.8, beta2: 0.99, epsilon: 1e-6 }),
      'adam',
      { learningRate: 0.01, coupled: 0.1, beta1: 0.8, beta2: 0.99, epsilon: 1e-6 },
    ],
    ['adamw', (p) => optim.adamw(p, { learningRate: 0.01 }), 'adam', { learningRate: 0.01, decoupled: 0.01 }],
  ];

  describe.each(cases)('%s', (_name, make, kind, settings) => {
    test.each([false, true])('follows the float64 reference for 20 updates (compiled: %s)', async (compiled) => {
      const next = numbers(5);
      const shapes = [[3, 5], [], [64], [65], [257]];
      const sizes = shapes.map((shape) => shape.reduce((a, b) => a * b, 1));
      const starts = sizes.map((size) => draw(next, size));
      const parameters = starts.map(
        (data, i) => new Parameter(tensor(data, { shape: shapes[i] as number[] }), { name: `p${i}` }),
      );
      const optimizer = make(parameters);
      const references = starts.map((data) =>
        kind === 'sgd'
          ? new ReferenceSgd(Float64Array.from(data), settings)
          : new ReferenceAdam(Float64Array.from(data), settings),
      );
      const step = compile((...gradients: Tensor[]) => optimizer.update(gradients));
      for (let k = 0; k < 20; k++) {
        const gradients = sizes.map((size) => draw(next, size));
        const given = gradients.map((data, i) => ({ data, shape: shapes[i] as number[] }));
        if (compiled) step(...given);
        else optimizer.update(given.map((one) => tensor(one)));
        references.forEach((reference, i) => {
          reference.update(gradients[i] as Float32Array);
        });
      }
      expect(optimizer.step).toBe(20);
      for (const [i, parameter] of parameters.entries()) {
        const data = await parameter.data();
        const wanted = (references[i] as ReferenceSgd).parameter;
        data.forEach((value, j) => {
          // 20 updates, each a dozen roundings of numbers below 4, and Adam's root and quotients: 20 * 12 * 2^-24 * 4.
          expect(Math.abs(value - (wanted[j] ?? 0)), `p${i}[${j}]`).toBeLessThan(6e-5);
        });
        expect(Array.from(data), 'it moved').not.toEqual(Array.from(starts[i] as Float32Array));
      }
      optimizer.dispose();
      step.dispose();
    });
  });

  test('groups have settings of their own, and biases need not decay', async () => {
    const weight = new Parameter([[1, 2]]);
    const bias = new Parameter([3]);
    const optimizer = optim.sgd(optim.decayWeightsOnly([weight, bias]), {
      learningRate: 0.5,
      weightDecay: 0.2,
      decay: 'decoupled',
    });
    optimizer.update([tensor([[0, 0]]), tensor([0])]);
    expect(Array.from(await weight.data())).toEqual(
      [Math.fround(1 - 0.5 * 0.2), Math.fround(2 - 0.5 * 0.4)].map((x) => expect.closeTo(x, 6)),
    );
    expect(Array.from(await bias.data())).toEqual([3]);
  });

  test('a frozen parameter stays, and thawing it traces anew', async () => {
    const a = new Parameter([1]);
    const b = new Parameter([1], { trainable: false });
    const optimizer = optim.sgd([a, b], { learningRate: 1 });
    const step = compile(() => optimizer.update([tensor([0.25]), tensor([0.25])]));
    step();
    expect([await a.item(), await b.item()]).toEqual([0.75, 1]);
    b.trainable = true;
    step();
    expect([await a.item(), await b.item()]).toEqual([0.5, 0.75]);
  });

  test('a schedule and a scalar are asked anew each update', async () => {
    const asked: number[] = [];
    const p = new Parameter([0]);
    const optimizer = optim.sgd([p], {
      learningRate: (count) => {
        asked.push(count);
        return 1 + count;
      },
    });
    const step = compile(() => optimizer.update([tensor([1])]));
    for (let i = 0; i < 3; i++) step();
    expect(asked).toEqual([0, 1, 2]);
    expect(await p.item()).toBe(-(1 + 2 + 3));
    const rate = { value: 1 };
    const q = new Parameter([0]);
    const other = optim.sgd([q], { learningRate: scalar(() => rate.value) });
    const otherStep = compile(() => other.update([tensor([1])]));
    otherStep();
    rate.value = 10;
    otherStep();
    expect(await q.item()).toBe(-11);
  });

  describe('clipping', () => {
    test('by global norm scales all gradients together', async () => {
      const a = new Parameter([0, 0]);
      const b = new Parameter([0]);
      const optimizer = optim.sgd([a, b], { learningRate: 1, clip: { globalNorm: 1 } });
      optimizer.update([tensor([3, 0]), tensor([4])]);
      const scale = 1 / (5 + 1e-6);
      expect(Array.from(await a.data())).toEqual([expect.closeTo(-3 * scale, 6), 0]);
      expect(await b.item()).toBeCloseTo(-4 * scale, 6);
    });

    test('by global norm leaves smaller ones, and does not overflow', async () => {
      const a = new Parameter([0, 0]);
      const optimizer = optim.sgd([a], { learningRate: 1, clip: { globalNorm: 10 } });
      optimizer.update([tensor([3, 4])]);
      expect(Array.from(await a.data())).toEqual([-3, -4]);
      const big = new Parameter([0, 0]);
      const huge = optim.sgd([big], { learningRate: 1, clip: { globalNorm: 1 } });
      huge.update([tensor([3e30, 4e30])]);
      expect(Array.from(await big.data())).toEqual([expect.closeTo(-0.6, 5), expect.closeTo(-0.8, 5)]);
    });

    test('by value holds each element, and keeps NaN', async () => {
      const a = new Parameter([0, 0, 0, 0]);
      const optimizer = optim.sgd([a], { learningRate: 1, clip: { value: 0.5 } });
      optimizer.update([tensor([3, -4, 0.25, Number.NaN])]);
      expect(Array.from(await a.data())).toEqual([-0.5, 0.5, -0.25, Number.NaN]);
    });

    test('of 100,000 parameters follows the norm in float64', async () => {
      const next = numbers(9);
      const gradients = [draw(next, 50001), draw(next, 50003)];
      const parameters = gradients.map((g) => new Parameter(tensor(new Float32Array(g.length))));
      const optimizer = optim.sgd(parameters, { learningRate: 1, clip: { globalNorm: 2 } });
      optimizer.update(gradients.map((g) => tensor(g)));
      const norm = Math.sqrt(gradients.reduce((sum, g) => g.reduce((s, x) => s + x * x, sum), 0));
      const data = await (parameters[1] as Parameter).data();
      data.forEach((value, i) => {
        // The norm's rounding grows with the 64 + 4096/64 + 25 terms added in a row: below 160 * 2^-24 relative.
        const wanted = (-2 * (gradients[1]?.[i] ?? 0)) / norm;
        expect(Math.abs(value - wanted)).toBeLessThanOrEqual(Math.abs(wanted) * 1e-5 + 1e-12);
      });
    });
  });

  test('at most one dispatch a step for 40 parameters, and none is left out', async () => {
    const parameters = Array.from({ length: 40 }, (_, i) => new Parameter(tensor(new Float32Array(i + 1))));
    const optimizer = optim.adamw(parameters);
    const step = compile((x: Tensor) =>
      optimizer.update(parameters.map((p) => (p.shape[0] === 1 ? x : tensor(new Float32Array(p.size).fill(1))))),
    );
    const text = step.explain(new Float32Array([1]));
    expect(text.split('\n').filter((line) => line.includes('optimizer')).length).toBe(fusion ? 0 : 1);
    expect(text).toContain(fusion ? '40 dispatches' : '41 dispatches');
    step(new Float32Array([1]));
    for (const p of parameters) expect((await p.data()).every((x) => Math.abs(x + 1e-3) < 1e-7)).toBe(true);
  });

  test('wrong use is refused in words', () => {
    const p = new Parameter([1, 2], { name: 'p' });
    const optimizer = optim.sgd([p], { learningRate: 0.1 });
    const text = (run: () => unknown) => {
      try {
        run();
      } catch (error) {
        return String((error as Error).message).replace(/\n {2}at .*/, '');
      }
      return 'no error';
    };
    expect(text(() => optimizer.update([]))).toBe(
      'optim.sgd: update got 0 gradients for 1 parameters.\n  Mend: pass grad(loss, optimizer.parameters).',
    );
    expect(text(() => optimizer.update([tensor([1])]))).toBe("optim.sgd: gradient 0 is [1], parameter 'p' [2].");
    expect(text(() => optim.sgd([], { learningRate: 1 }))).toBe(
      'optim.sgd: there are no parameters.\n  Mend: pass model.parameters().',
    );
    expect(text(() => optim.adam([p, p]))).toBe(
      "optim.adam: parameter 'p' is listed twice.\n  Mend: list a tied parameter once.",
    );
    expect(text(() => optim.adamw([p], { learningRat: 1 } as object))).toBe(
      "optim.adamw: unknown option 'learningRat'. Did you mean 'learningRate'?",
    );
    expect(text(() => optim.adamw([p], { beta1: 1 }))).toBe('optim.adamw: beta1 is 1; it must be in [0, 1).');
    expect(text(() => optim.sgd([p], { learningRate: -1 }))).toBe(
      'optim.sgd: learningRate is -1; it must be at least 0.',
    );
    expect(text(() => optim.sgd([p], { learningRate: 1, clip: { globalNorm: 0 } }))).toBe(
      'optim.sgd: clip.globalNorm is 0; it must be above 0.',
    );
    expect(text(() => optim.sgd([p], {} as optim.SgdOptions))).toBe(
      'optim.sgd: there is no learningRate.\n  Mend: set learningRate: 0.1, say.',
    );
    const odd = { decay: 'decoupld' as 'decoupled' };
    const unknown = "optim.sgd: decay is 'decoupld'; it must be 'coupled' or 'decoupled'.";
    expect(text(() => optim.sgd([p], { learningRate: 1, weightDecay: 0.1, ...odd }))).toBe(unknown);
    expect(text(() => optim.sgd([{ parameters: [p], settings: odd }], { learningRate: 1 }))).toBe(unknown);
    expect(text(() => optim.sgd([p], { learningRate: 1, nesterov: true }))).toBe(
      'optim.sgd: nesterov needs a momentum above 0.\n  Mend: set momentum: 0.9.',
    );
    optimizer.update([tensor([0, 0])]);
    const second = optim.adam([p]);
    expect(text(() => second.update([tensor([0, 0])]))).toBe(
      "optim.adam: parameter 'p' already belongs to an optimizer (optim.sgd).\n  Mend: give each parameter to one optimizer; groups can have settings of their own.",
    );
  });
});
