import { describe, expect, test } from 'vitest';
import {
  add,
  compile,
  defineLoss,
  grad,
  hvp,
  losses,
  matmul,
  memory,
  multiply,
  optim,
  Parameter,
  sum,
  type Tensor,
  tensor,
  transpose,
} from '../../src/index.js';
import { cases } from '../support/cases.js';
import { complaint } from '../support/complaint.js';
import { useOwnEngine, useVariantsOf } from '../support/engine.js';
import { random, seedOf } from '../support/random.js';
import { softCompSum } from './reference.js';

const EPSILON = 2 ** -24;

interface Sizes {
  readonly rows: number;
  readonly inputs: number;
  readonly classes: number;
}

function draw({ rows, inputs, classes }: Sizes, seed: number) {
  const r = random(seed);
  const normal = (size: number, by: number) => r.floats(size, ({ normal: one }) => by * one());
  return {
    hidden: normal(rows * inputs, 1),
    weight: normal(inputs * classes, 1 / Math.sqrt(Math.max(1, inputs))),
    bias: normal(classes, 0.5),
    labels: Int32Array.from({ length: rows }, () => r.below(classes)),
    cotangents: normal(rows, 1),
  };
}

type Drawn = ReturnType<typeof draw>;

/** Values and gradients in float64, row by row, with the sums of their terms' sizes: what roundings are relative to. */
function reference({ rows, inputs, classes }: Sizes, given: Drawn, tau: number, smoothing = 0) {
  const { hidden, weight, bias, labels, cotangents } = given;
  const zeros = (size: number) => new Float64Array(size);
  const result = {
    value: zeros(rows),
    hidden: zeros(rows * inputs),
    weight: zeros(inputs * classes),
    bias: zeros(classes),
  };
  const size = { hidden: zeros(rows * inputs), weight: zeros(inputs * classes), bias: zeros(classes) };
  for (let i = 0; i < rows; i++) {
    const z = Array.from({ length: classes }, (_, j) => {
      let total = bias[j] ?? 0;
      for (let k = 0; k < inputs; k++) total += (hidden[i * inputs + k] ?? 0) * (weight[k * classes + j] ?? 0);
      return total;
    });
    const q = z.map((_, j) => (j === labels[i] ? 1 - smoothing : 0) + smoothing / classes);
    const { value, gradient } = softCompSum(z, q, tau);
    result.value[i] = value;
    gradient.forEach((slope, j) => {
      const g = slope * (cotangents[i] ?? 0);
      const addTo = (name: 'hidden' | 'weight' | 'bias', at: number, term: number) => {
        result[name][at] = (result[name][at] ?? 0) + term;
        size[name][at] = (size[name][at] ?? 0) + Math.abs(term);
      };
      addTo('bias', j, g);
      for (let k = 0; k < inputs; k++) {
        addTo('hidden', i * inputs + k, g * (weight[k * classes + j] ?? 0));
        addTo('weight', k * classes + j, g * (hidden[i * inputs + k] ?? 0));
      }
    });
  }
  return { result, size };
}

function compare(name: string, got: ArrayLike<number>, wanted: Float64Array, allowed: (i: number) => number): void {
  wanted.forEach((x, i) => {
    if (Math.abs((got[i] ?? Number.NaN) - x) <= allowed(i)) return;
    expect.fail(`${name}[${i}] is ${got[i]}, reference ${x}, allowed ${allowed(i)}`);
  });
}

async function check(sizes: Sizes, tau: number, smoothing: number, label: string): Promise<void> {
  const given = draw(sizes, seedOf(label));
  const { rows, inputs, classes } = sizes;
  const hidden = new Parameter(tensor(given.hidden, { shape: [rows, inputs] }));
  const weight = new Parameter(tensor(given.weight, { shape: [inputs, classes] }));
  const bias = new Parameter(tensor(given.bias));
  const values = losses.linear(losses.compSum, hidden, weight, bias, given.labels, {
    tau,
    reduction: 'none',
    labelSmoothing: smoothing,
  });
  const gradients = grad(sum(multiply(values, tensor(given.cotangents))), { hidden, weight, bias });
  const [value, byHidden, byWeight, byBias] = await Promise.all([
    values.data(),
    gradients.hidden.data(),
    gradients.weight.data(),
    gradients.bias.data(),
  ]);
  const { result, size } = reference(sizes, given, tau, smoothing);
  // Logits of about 1, sums of `inputs` products, are off by some sqrt(inputs) roundings of at most 4; the loss's own
  // some thirty; a gradient's sums by sqrt(classes) or sqrt(rows) more, of their terms' sizes.
  const relative = EPSILON * (60 + 16 * Math.sqrt(inputs) + 4 * Math.sqrt(classes) + 4 * Math.sqrt(rows));
  compare('value', value, result.value, (i) => relative * (1 + Math.abs(result.value[i] ?? 0)) * 2);
  compare('hidden', byHidden, result.hidden, (i) => relative * (size.hidden[i] ?? 0) * 2);
  compare('weight', byWeight, result.weight, (i) => relative * (size.weight[i] ?? 0) * 2);
  compare('bias', byBias, result.bias, (i) => relative * (size.bias[i] ?? 0) * 2);
}

describe.each([
  ['quads', () => useOwnEngine()],
  ['blocks of a GPU', () => useVariantsOf('gpu')],
  ['registers', () => useVariantsOf('plain')],
] as const)('losses.linear by %s', (_, use) => {
  use();

  test.each(cases({ size: ['1x1x1', '5x3x2', '33x17x10'], loss: ['crossEntropy', 'compSum 1.5', 'smoothed'] }))(
    '$label: value and all three gradients follow float64',
    async ({ size, loss, label }) => {
      const [rows = 0, inputs = 0, classes = 0] = size.split('x').map(Number);
      const smoothing = loss === 'smoothed' ? 0.2 : 0;
      await check({ rows, inputs, classes }, loss === 'compSum 1.5' ? 1.5 : 1, smoothing, label);
    },
  );

  test('70,000 classes make chunks of 32 rows: two, and a part of a third, add up', async () => {
    await check({ rows: 67, inputs: 1, classes: 70_000 }, 1, 0, 'chunks');
  });
});

describe('losses.linear', () => {
  useOwnEngine();
  const sizes = { rows: 12, inputs: 5, classes: 7 };
  const given = draw(sizes, 9);
  const make = () => ({
    hidden: new Parameter(tensor(given.hidden, { shape: [12, 5] })),
    weight: new Parameter(tensor(given.weight, { shape: [5, 7] })),
    bias: new Parameter(tensor(given.bias)),
  });

  test('is the loss of the linear layer, for every option and every shape of it', async () => {
    const { hidden, weight, bias } = make();
    const q = tensor(
      random(4).floats(84, ({ unit }) => unit()),
      { shape: [12, 7] },
    );
    const all: [Tensor | Int32Array, object][] = [
      [given.labels, { temperature: 2 }],
      [given.labels, { ignoreIndex: 3, classWeights: [1, 2, 3, 4, 5, 6, 7], reduction: 'sum' }],
      [given.labels, { sampleWeights: given.cotangents.map(Math.abs), labelSmoothing: 0.1 }],
      [q, { targets: 'normalise' }],
    ];
    for (const [target, options] of all) {
      for (const shift of [bias, undefined]) {
        const logits = matmul(hidden, weight);
        const plain = losses.crossEntropy(shift === undefined ? logits : add(logits, shift), target, options);
        const fused = losses.linear(losses.crossEntropy, hidden, weight, shift, target, options);
        expect(fused.shape).toEqual(plain.shape);
        const wanted = await plain.item();
        expect(Math.abs((await fused.item()) - wanted)).toBeLessThan(100 * EPSILON * (1 + Math.abs(wanted)));
        for (const wrt of [hidden, weight]) {
          const [a, b] = await Promise.all([
            (grad(plain, [wrt])[0] as Tensor).data(),
            (grad(fused, [wrt])[0] as Tensor).data(),
          ]);
          const scale = Math.max(...Array.from(a, Math.abs));
          a.forEach((x, i) => {
            expect(Math.abs((b[i] ?? 0) - x)).toBeLessThan(100 * EPSILON * scale);
          });
        }
      }
    }
  });

  test('takes a transposed weight as a view, batches of any rank, and the bias alone to differentiate by', async () => {
    const { hidden, weight, bias } = make();
    const embedding = new Parameter(transpose(weight));
    const cube = tensor(given.hidden, { shape: [3, 4, 5] });
    const labels = tensor(given.labels, { shape: [3, 4] });
    const values = losses.linear(losses.compSum, cube, transpose(embedding), bias, labels, {
      tau: 0.5,
      reduction: 'none',
    });
    expect(values.shape).toEqual([3, 4]);
    const plain = losses.compSum(add(matmul(hidden, weight), bias), given.labels, { tau: 0.5, reduction: 'none' });
    const [got, wanted] = await Promise.all([values.data(), plain.data()]);
    wanted.forEach((x, i) => {
      expect(Math.abs((got[i] ?? 0) - x)).toBeLessThan(100 * EPSILON * (1 + x));
    });
    const [byBias] = grad(sum(values), [bias]) as [Tensor];
    const [expected] = grad(sum(plain), [bias]) as [Tensor];
    const [b, e] = await Promise.all([byBias.data(), expected.data()]);
    e.forEach((x, i) => {
      expect(Math.abs((b[i] ?? 0) - x)).toBeLessThan(200 * EPSILON);
    });
  });

  test('is differentiable again, and by tau', async () => {
    const { hidden, weight, bias } = make();
    const tau = new Parameter(1.25);
    const fused = losses.linear(losses.compSum, hidden, weight, bias, given.labels, { tau });
    const plain = losses.compSum(add(matmul(hidden, weight), bias), given.labels, { tau });
    const [a, b] = [fused, plain].map((loss) => grad(loss, [tau])[0] as Tensor) as [Tensor, Tensor];
    expect(await a.item()).toBeCloseTo(await b.item(), 5);
    const v = tensor(given.weight, { shape: [5, 7] });
    const [c, d] = await Promise.all([hvp(fused, weight, v).data(), hvp(plain, weight, v).data()]);
    d.forEach((x, i) => {
      expect(c[i]).toBeCloseTo(x, 5);
    });
  });

  test('gives two parameters of one step the gradients of two sums, each its own', async () => {
    const { hidden, weight, bias } = make();
    const step = compile(() => {
      const values = losses.linear(losses.crossEntropy, hidden, weight, bias, given.labels, { reduction: 'none' });
      const all = sum(values);
      const half = multiply(all, 0.5);
      const apart = [grad(all, [weight])[0], grad(half, [bias])[0], grad(multiply(all, 2), [hidden])[0]] as Tensor[];
      const { weight: byWeight, bias: byBias, hidden: byHidden } = grad(all, { weight, bias, hidden });
      return { apart, wanted: [byWeight, multiply(byBias, 0.5), multiply(byHidden, 2)] };
    });
    const { apart, wanted } = step();
    const found = await Promise.all([...apart, ...wanted].map(async (one) => Array.from(await one.data())));
    // Powers of two: the same bits.
    expect(found.slice(0, 3)).toEqual(found.slice(3));
    step.dispose();
  });

  test('takes any loss of defineLoss', async () => {
    const { hidden, weight, bias } = make();
    const brier = defineLoss({
      name: 'brier',
      source: 'a test: the sum over j of (p_j - [j = y])^2',
      wgsl: `// include losses/row.wgsl
        fn reduce(row: Row, j: Logit, parameters: Parameters) -> vec4<f32> {
          return vec4(j.residual * j.residual, j.probability * j.residual, 0.0, 0.0);
        }
        fn finish(row: Row, parameters: Parameters) -> f32 { return row.reduced.x; }
        fn gradient(row: Row, j: Logit, parameters: Parameters) -> f32 {
          return 2.0 * j.probability * (j.residual - row.reduced.y);
        }`,
    });
    const fused = losses.linear(brier, hidden, weight, bias, given.labels);
    const plain = brier(add(matmul(hidden, weight), bias), given.labels);
    expect(await fused.item()).toBeCloseTo(await plain.item(), 6);
    const [a, b] = [fused, plain].map((loss) => grad(loss, [weight])[0] as Tensor) as [Tensor, Tensor];
    const [got, wanted] = await Promise.all([a.data(), b.data()]);
    wanted.forEach((x, i) => {
      expect(got[i]).toBeCloseTo(x, 6);
    });
  });

  test('trains, in one pass over the chunks, with the gradients that the optimizer takes', async () => {
    const train = async (fused: boolean) => {
      const { hidden, weight, bias } = make();
      const optimizer = optim.sgd([weight, bias], { learningRate: 0.5 });
      const step = compile(() => {
        const loss = fused
          ? losses.linear(losses.crossEntropy, hidden, weight, bias, given.labels)
          : losses.crossEntropy(add(matmul(hidden, weight), bias), given.labels);
        optimizer.update(grad(loss, [weight, bias]));
        return loss;
      });
      let last = Number.NaN;
      for (let i = 0; i < 10; i++) last = await step().item();
      const products = step
        .explain()
        .split('\n')
        .filter((line) => /^ +\d+ .*linear\.value/.test(line));
      step.dispose();
      return { last, products };
    };
    const [fused, plain] = [await train(true), await train(false)];
    expect(Math.abs(fused.last - plain.last)).toBeLessThan(1000 * EPSILON);
    // Logits, rows, and the weight's gradient with the bias's: one chunk.
    expect(fused.products.length, fused.products.join('\n')).toBe(3);
  });

  test('holds two chunks where the logits and their gradient would take ten times as much', async () => {
    const [rows, inputs, classes] = [1024, 16, 50_257];
    const weight = new Parameter(tensor(new Float32Array(inputs * classes), { shape: [inputs, classes] }));
    const hidden = new Parameter(tensor(draw({ rows, inputs, classes: 1 }, 3).hidden, { shape: [rows, inputs] }));
    const labels = Int32Array.from({ length: rows }, (_, i) => (i * 49) % classes);
    const step = compile(() => {
      const loss = losses.linear(losses.crossEntropy, hidden, weight, undefined, labels);
      const [byHidden, byWeight] = grad(loss, [hidden, weight]) as [Tensor, Tensor];
      hidden.assign(byHidden);
      weight.assign(byWeight);
      return loss;
    });
    const before = memory().held.temporaries;
    expect(await step().item()).toBeCloseTo(Math.log(classes), 4);
    const temporaries = memory().held.temporaries - before - 4 * (hidden.size + weight.size);
    expect(temporaries).toBeLessThan((2 * 4 * rows * classes) / 10);
    step.dispose();
  });

  test('reports a label that is no class with its row of the whole batch', async () => {
    const classes = 70_000;
    const labels = new Int32Array(67).fill(3);
    labels[65] = classes;
    const hidden = tensor(new Float32Array(67), { shape: [67, 1] });
    const weight = tensor(new Float32Array(classes), { shape: [1, classes] });
    const loss = losses.linear(losses.crossEntropy, hidden, weight, undefined, labels);
    expect(await complaint(() => loss.item())).toBe(
      'ValueError: losses.crossEntropy: the label of row 65 is not one of the 70000 classes.\n' +
        '  Mend: labels go from 0 to 69999; ignoreIndex names one to leave out.',
    );
  });

  test('sums an empty batch to 0', async () => {
    const { weight, bias } = make();
    const none = losses.linear(losses.crossEntropy, tensor([], { shape: [0, 5] }), weight, bias, [], {
      reduction: 'sum',
    });
    expect(await none.item()).toBe(0);
    const [byWeight] = grad(none, [weight]) as [Tensor];
    expect(Array.from(await byWeight.data()).every((x) => x === 0)).toBe(true);
  });

  test('refuses what does not fit, in words', async () => {
    const { hidden, weight, bias } = make();
    const fused = (h: Tensor, w: Tensor, b: Tensor | undefined) => () =>
      losses.linear(losses.crossEntropy, h, w, b, given.labels);
    expect(await complaint(fused(hidden, tensor(given.weight, { shape: [7, 5] }), bias))).toBe(
      'ShapeError: losses.linear: hidden is [12, 5], weight [7, 5]; weight must be [inputs, classes], inputs the last axis of hidden.\n' +
        '  Mend: give the transpose of the weight: transpose(weight).',
    );
    expect(await complaint(fused(hidden, weight, hidden))).toBe(
      'ShapeError: losses.linear: bias is [12, 5]; it must be [7].',
    );
    expect(await complaint(fused(tensor([1], { dtype: 'i32' }), weight, bias))).toBe(
      'DtypeError: losses.linear: hidden is i32; it must be f32.\n  Mend: cast it: toF32(hidden).',
    );
    expect(await complaint(() => losses.linear(losses.compSum, hidden, weight, bias, given.labels, { tau: -1 }))).toBe(
      'ValueError: losses.compSum: tau is -1; it must be at least 0.',
    );
  });
});
