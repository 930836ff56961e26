import { describe, expect, test } from 'vitest';
import { compile, grad, hvp, losses, multiply, Parameter, sum, type Tensor, tensor } from '../../src/index.js';
import { cases } from '../support/cases.js';
import { useEngine } from '../support/engine.js';
import { random, seedOf } from '../support/random.js';
import { compSum } from './reference.js';

useEngine();

const EPSILON = 2 ** -24;

function logitsOf(kind: string, rows: number, classes: number, seed: number): Float32Array {
  const draw = random(seed);
  return draw.floats(rows * classes, ({ normal, unit }) => {
    if (kind === 'tied') return Math.round(normal());
    if (kind === 'extreme') return unit() < 0.3 ? (unit() - 0.5) * 2e4 : normal();
    if (kind === 'masked') return unit() < 0.3 ? Number.NEGATIVE_INFINITY : 3 * normal();
    return 2 * normal();
  });
}

describe.each([0, 0.5, 1, 1.5, 2, 3])('compSum tau %f', (tau) => {
  test.each(
    cases({
      // Around the short host's 16 classes a lane, the workgroup's 64 rows, and unrolled loops of 8.
      size: ['1x1', '3x2', '257x3', '65x10', '64x16', '65x17', '63x33', '3x257', '33x1000', '2x5003'],
      kind: ['normal', 'tied', 'extreme', 'masked'],
    }),
  )('$label follows the float64 reference', async ({ size, kind, label }) => {
    const [rows = 0, classes = 0] = size.split('x').map(Number);
    const seed = seedOf(`${tau} ${label}`);
    const draw = random(seed + 1);
    const data = logitsOf(kind, rows, classes, seed);
    const labels = Int32Array.from({ length: rows }, () => draw.below(classes));
    // A masked label has an infinite loss; that is tested on its own.
    labels.forEach((y, i) => {
      if (data[i * classes + y] === Number.NEGATIVE_INFINITY) data[i * classes + y] = 0.5;
    });
    const logits = new Parameter(tensor(data, { shape: [rows, classes] }));
    const cotangents = draw.floats(rows, ({ normal }) => normal());
    const values = losses.compSum(logits, labels, { tau, reduction: 'none' });
    const [gradient] = grad(sum(multiply(values, tensor(cotangents))), [logits]) as [Tensor];
    const [value, slope] = await Promise.all([values.data(), gradient.data()]);
    let moved = 0;
    for (let i = 0; i < rows; i++) {
      const z = Array.from(data.subarray(i * classes, (i + 1) * classes));
      const reference = compSum(z, labels[i] ?? 0, tau);
      const c = compSum(z, labels[i] ?? 0, 1).value;
      // Roundings: c itself carries those of z - m (half an ulp of it), of a sum of `classes` exponentials, of
      // log; the weight e^((1-tau) c) multiplies its error by |1 - tau| c; exp adds 3 + 2|x| ulp.
      const x = Math.min(Math.abs(1 - tau) * c, 40);
      const relative = EPSILON * (24 + 2 * Math.sqrt(classes) + (4 + 6) * x);
      expect(
        Math.abs((value[i] ?? Number.NaN) - reference.value),
        `seed ${seed} row ${i}: ${value[i]} for ${reference.value}`,
      ).toBeLessThanOrEqual(relative * Math.abs(reference.value) + 1e-37);
      const maximum = Math.max(...z);
      // A probability below 2^-126 may be flushed to 0, before the weight multiplies it.
      const flushed = 2 ** -126 * Math.exp(Math.min((1 - tau) * c, 40)) * Math.abs(cotangents[i] ?? 0);
      reference.gradient.forEach((g, j) => {
        const wanted = g * (cotangents[i] ?? 0);
        const got = slope[i * classes + j] ?? Number.NaN;
        // A probability's exponent is at most half an ulp of |z - m| off.
        const spread = Math.min(200, Math.abs((z[j] ?? 0) - maximum));
        const allowed = (relative + EPSILON * 6 * spread) * Math.abs(wanted) + 1e-37 + flushed;
        if (Math.abs(got - wanted) > allowed) {
          expect.fail(`seed ${seed}: gradient[${i}, ${j}] is ${got}, reference ${wanted}, allowed ${allowed}`);
        }
        if (got !== 0) moved++;
      });
    }
    // Where the label is out by thousands and tau > 1, every weight has faded to 0.
    if (classes > 1 && kind !== 'extreme') expect(moved, 'some gradient is not zero').toBeGreaterThan(0);
  });
});

describe('cross-entropy near certainty', () => {
  test('keeps a relative accuracy of 1e-5 down to 1e-37', async () => {
    const gaps = [0.5, 5, 15, 16.7, 30, 60, 80, 85];
    const data = gaps.flatMap((gap) => [gap, 0, -1]);
    const logits = new Parameter(tensor(data, { shape: [gaps.length, 3] }));
    const labels = new Int32Array(gaps.length);
    const values = losses.crossEntropy(logits, labels, { reduction: 'none' });
    const [gradient] = grad(sum(values), [logits]) as [Tensor];
    const [value, slope] = await Promise.all([values.data(), gradient.data()]);
    gaps.forEach((gap, i) => {
      const reference = compSum([Math.fround(gap), 0, -1], 0, 1);
      expect(Math.abs((value[i] ?? 0) / reference.value - 1), `gap ${gap}`).toBeLessThan(1e-5);
      expect(Math.abs((slope[3 * i] ?? 0) / (reference.gradient[0] ?? 0) - 1), `gap ${gap}`).toBeLessThan(1e-5);
    });
  });

  test('a masked label costs infinity, a label that is no class NaN, and an ignored one nothing', async () => {
    const z = tensor([
      [1, Number.NEGATIVE_INFINITY, 2],
      [1, 2, 3],
      [Number.NaN, 1, 2],
      [4, 1, 0],
    ]);
    const values = losses.crossEntropy(z, new Int32Array([1, 7, -1, 0]), {
      reduction: 'none',
      ignoreIndex: -1,
      check: 'none',
    });
    const data = await values.data();
    expect(data[0]).toBe(Number.POSITIVE_INFINITY);
    expect(data[1]).toBeNaN();
    expect(data[2]).toBe(0);
    expect(data[3]).toBeCloseTo(compSum([4, 1, 0], 0, 1).value, 6);
  });

  test("an ignored row's logits reach no gradient by the temperature", async () => {
    const z = [4, 1, 0];
    const temperature = new Parameter(2);
    const byTemperature = async (logits: number[][], labels: number[]) => {
      const loss = losses.crossEntropy(tensor(logits), labels, { temperature, ignoreIndex: -1, reduction: 'sum' });
      return (grad(loss, [temperature])[0] as Tensor).item();
    };
    const alone = await byTemperature([z], [0]);
    // d (-log softmax(z / T)[0]) / dT = (z_0 - sum of p_j z_j) / T², p = softmax(z / T).
    const weights = z.map((value) => Math.exp(value / 2));
    const total = weights.reduce((s, x) => s + x);
    const mean = z.reduce((s, value, j) => s + (value * (weights[j] ?? 0)) / total, 0);
    expect(alone).toBeCloseTo(((z[0] ?? 0) - mean) / 4, 6);
    expect(await byTemperature([[Number.NaN, 1, Number.POSITIVE_INFINITY], z], [-1, 0])).toBe(alone);
  });

  // The kernel says so of values and gradients; the definition, of what is derived from it.
  test.each([
    ['a label that is no class gives NaN', 7, [1, 2, 3], Number.isNaN],
    ['a label below 0 gives NaN', -2, [1, 2, 3], Number.isNaN],
    [
      'an ignored row gives 0, whatever its logits',
      -1,
      [Number.NaN, 1, Number.POSITIVE_INFINITY],
      (x: number) => x === 0,
    ],
  ])('%s, in second derivatives and gradients by tau too', async (_, label, row, expected) => {
    const logits = new Parameter([row, [0, 1, 0.5]]);
    const tau = new Parameter(1.3);
    const rows = (choose: number) =>
      sum(
        multiply(
          losses.compSum(logits, new Int32Array([label, 2]), { tau, ignoreIndex: -1, reduction: 'none' }),
          tensor(choose === 0 ? [1, 0] : [0, 1]),
        ),
      );
    const vector = tensor([
      [1, 2, 3],
      [3, 2, 1],
    ]);
    const product = Array.from(await hvp(rows(0), logits, vector).data());
    expect(product.slice(0, 3).every(expected), `${product}`).toBe(true);
    const [byTau] = grad(rows(0), [tau]) as [Tensor];
    expect(expected(await byTau.item()), `${await byTau.item()}`).toBe(true);
    // Mixed: the gradient of a logit by tau.
    const [byLogits] = grad(rows(0), [logits]) as [Tensor];
    const mixed = grad(sum(multiply(byLogits, vector)), [tau])[0] as Tensor;
    expect(expected(await mixed.item()), `${await mixed.item()}`).toBe(true);
    // Of the other row nothing changes.
    const beside = Array.from(await hvp(rows(1), logits, vector).data()).slice(3);
    const alone = new Parameter([[0, 1, 0.5]]);
    const loss = losses.compSum(alone, new Int32Array([2]), { tau, reduction: 'sum' });
    expect(beside).toEqual(Array.from(await hvp(loss, alone, tensor([[3, 2, 1]])).data()));
  });

  test('NaN logits give NaN, in value and gradient', async () => {
    const logits = new Parameter([
      [Number.NaN, 1],
      [0, 1],
    ]);
    const values = losses.crossEntropy(logits, new Int32Array([1, 0]), { reduction: 'none' });
    const [gradient] = grad(sum(values), [logits]) as [Tensor];
    expect((await values.data())[0]).toBeNaN();
    const slope = await gradient.data();
    expect([slope[0], slope[1]].every(Number.isNaN)).toBe(true);
    expect([slope[2], slope[3]].every(Number.isFinite)).toBe(true);
  });
});

describe('laws', () => {
  const rows = 64;
  const classes = 33;
  const seed = 7;
  const make = () => new Parameter(tensor(logitsOf('normal', rows, classes, seed), { shape: [rows, classes] }));
  const labels = Int32Array.from({ length: rows }, (_, i) => (i * 7) % classes);

  test.each([0, 1, 1.7])('tau %f: each row of the gradient sums to zero', async (tau) => {
    const logits = make();
    const [gradient] = grad(losses.compSum(logits, labels, { tau, reduction: 'sum' }), [logits]) as [Tensor];
    const data = (await gradient.data()) as Float32Array;
    for (let i = 0; i < rows; i++) {
      const row = data.subarray(i * classes, (i + 1) * classes);
      const total = row.reduce((a, b) => a + b, 0);
      const size = row.reduce((a, b) => a + Math.abs(b), 0);
      // 33 terms, each rounded a dozen times relative to itself.
      expect(Math.abs(total), `row ${i}`).toBeLessThanOrEqual(12 * EPSILON * size);
    }
  });

  test('tau 2 is 1 - p, tau 0 the sum of e^(z_j - z_y), and the value falls as tau grows', async () => {
    const logits = make();
    const at = async (tau: number) => losses.compSum(logits, labels, { tau, reduction: 'none' }).data();
    const [zero, near, one, two] = [await at(0), await at(0.999), await at(1), await at(2)];
    const data = await logits.data();
    for (let i = 0; i < rows; i++) {
      const z = Array.from(data.subarray(i * classes, (i + 1) * classes));
      const y = labels[i] ?? 0;
      const odds = z.reduce((total, x, j) => total + (j === y ? 0 : Math.exp(x - (z[y] ?? 0))), 0);
      expect((zero[i] ?? 0) / odds).toBeCloseTo(1, 5);
      expect(two[i]).toBeCloseTo(odds / (1 + odds), 5);
      expect(zero[i]).toBeGreaterThanOrEqual(one[i] ?? 0);
      expect(one[i]).toBeGreaterThanOrEqual(two[i] ?? 0);
      // Continuous at tau = 1: relative slope c / 2.
      expect(Math.abs((near[i] ?? 0) / (one[i] ?? 1) - 1)).toBeLessThan(0.001 * ((one[i] ?? 0) / 2 + 0.01) * 1.1);
    }
  });

  test('one value and gradient kernel in a training step, two when the cotangent needs the value', () => {
    const logits = make();
    const lines = (body: () => Tensor) =>
      compile(body)
        .explain()
        .split('\n')
        .filter((line) => /^ +\d+ .*compSum/.test(line));
    const loss = () => losses.compSum(logits, labels, { tau: 1.5 });
    const merged = lines(() => {
      const value = loss();
      logits.assign(grad(multiply(value, 0.3), [logits])[0] as Tensor);
      return value;
    });
    expect(merged.length, merged.join('\n')).toBe(1);
    const squared = lines(() => {
      const value = loss();
      logits.assign(grad(multiply(value, value), [logits])[0] as Tensor);
      return value;
    });
    expect(squared.length, squared.join('\n')).toBe(2);
  });

  test('the Hessian-vector product has its closed form', async () => {
    for (const tau of [0, 0.5, 1, 1.5, 2]) {
      const logits = new Parameter([
        [0.3, -1, 2, 0.5],
        [1, 1, 1, -2],
      ]);
      const y = [2, 0];
      const v = [
        [1, -0.5, 0.25, 2],
        [0.5, 0.5, -1, 1],
      ];
      const [product] = hvp(
        losses.compSum(logits, new Int32Array(y), { tau, reduction: 'sum' }),
        [logits],
        [tensor(v)],
      ) as [Tensor];
      const got = await product.data();
      [
        [0.3, -1, 2, 0.5],
        [1, 1, 1, -2],
      ].forEach((row, i) => {
        const z = row.map(Math.fround);
        const { gradient, value } = compSum(z, y[i] ?? 0, 1);
        const p = gradient.map((g, j) => (j === y[i] ? 1 + g : g));
        const dot = (a: number[], b: number[]) => a.reduce((total, x, j) => total + x * (b[j] ?? 0), 0);
        const direction = v[i] ?? [];
        const weight = Math.exp((1 - tau) * value);
        p.forEach((pj, j) => {
          // LOSSES.md 1.2: H v = e^((1-tau) c) [p v - p (p.v) + (1-tau) g (g.v)].
          const wanted =
            weight *
            (pj * (direction[j] ?? 0) -
              pj * dot(p, direction) +
              (1 - tau) * (gradient[j] ?? 0) * dot(gradient, direction));
          expect(got[4 * i + j], `tau ${tau} [${i}, ${j}]`).toBeCloseTo(wanted, 4);
        });
      });
    }
  });
});

test('the second derivative by tau holds around tau = 1, on both sides of its seam', async () => {
  const z = [0.4, 0, -0.7];
  const { value: c } = compSum(z.map(Math.fround), 0, 1);
  for (const x of [-0.3, -0.126, -0.124, -0.05, -0.009, -1e-3, 0, 1e-3, 0.009, 0.05, 0.124, 0.126, 0.3]) {
    const tau = tensor(1 - x / c);
    const loss = losses.compSum(tensor([z]), new Int32Array([0]), { tau });
    const [product] = hvp(loss, [tau], [tensor(1)]) as [Tensor];
    // The second derivative of expm1(x) / x, term by term; c comes in once from the value and twice from x.
    let series = 0;
    for (let k = 2, factorial = 6; k < 20; k++, factorial *= k + 1) series += (k * (k - 1) * x ** (k - 2)) / factorial;
    const wanted = c ** 3 * series;
    expect(Math.abs((await product.item()) / wanted - 1), `x = ${x}`).toBeLessThan(1e-4);
  }
});

describe('weights and reductions follow PyTorch', () => {
  const z = [
    [1, 2, 0.5],
    [0.1, -1, 3],
    [2, 2, -1],
  ];
  const y = new Int32Array([1, 2, 0]);
  const each = z.map((row, i) => compSum(row.map(Math.fround), y[i] ?? 0, 1).value);

  test('mean, sum, none', async () => {
    const logits = tensor(z);
    expect(await losses.crossEntropy(logits, y).item()).toBeCloseTo(each.reduce((a, b) => a + b) / 3, 6);
    expect(await losses.crossEntropy(logits, y, { reduction: 'sum' }).item()).toBeCloseTo(
      each.reduce((a, b) => a + b),
      5,
    );
    const none = await losses.crossEntropy(logits, y, { reduction: 'none' }).data();
    none.forEach((value, i) => {
      expect(value).toBeCloseTo(each[i] ?? 0, 6);
    });
  });

  test('class weights divide by their sum, ignored rows leave it', async () => {
    const weights = [0.5, 2, 3];
    const logits = tensor(z);
    const w = Array.from(y, (label) => weights[label] ?? 0);
    const wanted = each.reduce((total, value, i) => total + value * (w[i] ?? 0), 0) / w.reduce((a, b) => a + b);
    expect(await losses.crossEntropy(logits, y, { classWeights: weights }).item()).toBeCloseTo(wanted, 6);
    const without = ((each[0] ?? 0) * 2 + (each[2] ?? 0) * 0.5) / 2.5;
    const ignoring = losses.crossEntropy(logits, y, { classWeights: weights, ignoreIndex: 2 });
    expect(await ignoring.item()).toBeCloseTo(without, 6);
  });

  test('sample weights, temperature, and batches of any rank', async () => {
    const logits = tensor(z);
    const weighed = losses.crossEntropy(logits, y, { sampleWeights: [1, 0, 3] });
    expect(await weighed.item()).toBeCloseTo(((each[0] ?? 0) + 3 * (each[2] ?? 0)) / 4, 6);
    const cooled = await losses.crossEntropy(logits, y, { temperature: 2, reduction: 'none' }).data();
    z.forEach((row, i) => {
      expect(cooled[i]).toBeCloseTo(
        compSum(
          row.map((x) => Math.fround(x) / 2),
          y[i] ?? 0,
          1,
        ).value,
        6,
      );
    });
    const cube = losses.crossEntropy(
      tensor([z, z]),
      tensor(
        [
          [1, 2, 0],
          [1, 2, 0],
        ],
        { dtype: 'i32' },
      ),
      { reduction: 'none' },
    );
    expect(cube.shape).toEqual([2, 3]);
    expect((await cube.data())[4]).toBeCloseTo(each[1] ?? 0, 6);
  });

  test('labels may be arrays of integers, nested as the batch is', async () => {
    const logits = tensor([z, z]);
    const nested = [
      [1, 2, 0],
      [0, 1, 2],
    ];
    const wanted = losses.crossEntropy(logits, tensor(nested, { dtype: 'i32' }), { reduction: 'none' });
    const given = losses.crossEntropy(logits, nested, { reduction: 'none' });
    expect(given.shape).toEqual([2, 3]);
    expect(await given.data()).toEqual(await wanted.data());
    const ignoring = losses.crossEntropy(tensor(z), [1, -1, 0], { reduction: 'sum', ignoreIndex: -1 });
    expect(await ignoring.item()).toBeCloseTo((each[0] ?? 0) + (each[2] ?? 0), 6);
    expect(await losses.crossEntropy(tensor([], { shape: [0, 3] }), [], { reduction: 'sum' }).item()).toBe(0);
  });

  test('an empty batch sums to 0, and its mean is NaN', async () => {
    const logits = tensor([], { shape: [0, 3] });
    const none = new Int32Array(0);
    expect(await losses.crossEntropy(logits, none, { reduction: 'sum' }).item()).toBe(0);
    expect(await losses.crossEntropy(logits, none).item()).toBeNaN();
  });
});

test('wrong use is refused in words', () => {
  const logits = tensor([
    [1, 2],
    [3, 4],
  ]);
  const labels = new Int32Array([0, 1]);
  const text = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message.replace(/\n {2}at .*/, '')}`;
    }
    return 'no error';
  };
  expect(text(() => losses.compSum(logits, labels, { tau: -1 }))).toBe(
    'ValueError: losses.compSum: tau is -1; it must be at least 0.',
  );
  expect(text(() => losses.compSum(logits, labels, { taw: 1 } as object))).toBe(
    "ValueError: losses.compSum: unknown option 'taw'. Did you mean 'tau'?",
  );
  expect(text(() => losses.compSum(logits, new Int32Array([0])))).toBe(
    'ShapeError: losses.compSum: logits are [2, 2], labels [1]; labels must be [2].\n  Mend: give one label for each row of logits.',
  );
  expect(text(() => losses.compSum(logits, tensor([0.5, 1])))).toBe(
    'DtypeError: losses.compSum: the labels are f32; they must be i32 or u32.\n  Mend: cast them: toI32(labels).',
  );
  expect(text(() => losses.compSum(logits, [1, 0.5]))).toBe(
    'ValueError: losses.compSum: a label is 0.5; it must be an integer of 32 bits.',
  );
  expect(text(() => losses.compSum(logits, [2 ** 31, 0]))).toBe(
    'ValueError: losses.compSum: a label is 2147483648; it must be an integer of 32 bits.',
  );
  expect(text(() => losses.compSum(logits, [true, false]))).toBe(
    'ValueError: losses.compSum: a label is true; it must be an integer of 32 bits.',
  );
  expect(text(() => losses.compSum(logits, [[1, 0]]))).toBe(
    'ShapeError: losses.compSum: logits are [2, 2], soft targets [1, 2]; they must be equal.\n  Mend: give a weight for each class of each row, or a label for each row.',
  );
  expect(text(() => losses.compSum(logits, labels, { reduction: 'avg' as 'mean' }))).toBe(
    "ValueError: losses.compSum: reduction is 'avg'; it must be 'mean', 'sum' or 'none'.",
  );
  expect(text(() => losses.compSum(logits, labels, { classWeights: [1, 2, 3] }))).toBe(
    'ShapeError: losses.compSum: classWeights are [3]; they must be [2].',
  );
  expect(text(() => losses.meanSquaredError(logits, tensor([1, 2])))).toBe(
    'ShapeError: losses.meanSquaredError: predictions are [2, 2], targets [2]; they must be equal.\n  Mend: reshape one of them.',
  );
});
