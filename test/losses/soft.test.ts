import { describe, expect, test } from 'vitest';
import {
  compile,
  defineLoss,
  grad,
  hvp,
  losses,
  multiply,
  Parameter,
  softmax,
  sum,
  type Tensor,
  tensor,
} from '../../src/index.js';
import { cases } from '../support/cases.js';
import { complaint } from '../support/complaint.js';
import { useEngine, useVariantsOf } from '../support/engine.js';
import { type Random, random, seedOf } from '../support/random.js';
import { type RowResult, softAllowance, softCompSum } from './reference.js';

/** Rows of weights that sum to one, some of them 0; or one 1. */
function sharesOf(kind: string, classes: number, draw: Random): number[] {
  if (kind === 'one-hot') {
    const y = draw.below(classes);
    return Array.from({ length: classes }, (_, j) => Number(j === y));
  }
  const parts = Array.from(draw.floats(classes, ({ unit }) => (unit() < 0.3 ? 0 : unit())));
  const total = parts.reduce((a, b) => a + b, 0);
  return total === 0 ? sharesOf('one-hot', classes, draw) : parts.map((x) => x / total);
}

function within(got: number | undefined, wanted: number, allowed: number, what: string): void {
  if (!(Math.abs((got ?? Number.NaN) - wanted) <= allowed)) {
    expect.fail(`${what} is ${got}, reference ${wanted}, allowed ${allowed}`);
  }
}

async function checkRows(tau: number, rows: number, classes: number, kind: string, label: string): Promise<void> {
  const seed = seedOf(`${tau} ${label}`);
  const draw = random(seed);
  const data = draw.floats(rows * classes, ({ normal, unit }) => {
    if (kind === 'extreme') return unit() < 0.3 ? (unit() - 0.5) * 2e4 : normal();
    if (kind === 'tied') return Math.round(normal());
    if (kind === 'masked') return unit() < 0.3 ? Number.NEGATIVE_INFINITY : 3 * normal();
    return 2 * normal();
  });
  const shares = Float32Array.from({ length: rows }, () => 0)
    .reduce<number[]>((all) => [...all, ...sharesOf(kind, classes, draw)], [])
    .map(Math.fround);
  // A class with a share has a finite logit: a masked one with a share costs infinity.
  shares.forEach((share, i) => {
    if (share !== 0 && data[i] === Number.NEGATIVE_INFINITY) data[i] = 0.5;
  });
  const logits = new Parameter(tensor(data, { shape: [rows, classes] }));
  const cotangents = draw.floats(rows, ({ normal }) => normal());
  const targets = tensor(Float32Array.from(shares), { shape: [rows, classes] });
  const values = losses.compSum(logits, targets, { tau, reduction: 'none' });
  const [gradient] = grad(sum(multiply(values, tensor(cotangents))), [logits]) as [Tensor];
  const [value, slope] = await Promise.all([values.data(), gradient.data()]);
  for (let i = 0; i < rows; i++) {
    const z = Array.from(data.subarray(i * classes, (i + 1) * classes));
    const q = shares.slice(i * classes, (i + 1) * classes);
    const wanted = softCompSum(z, q, tau);
    const allowed = softAllowance(z, q, tau);
    within(value[i], wanted.value, allowed.value + 1e-37, `seed ${seed}: value[${i}]`);
    const cotangent = cotangents[i] ?? 0;
    wanted.gradient.forEach((g, j) => {
      const limit = Math.abs(cotangent) * (allowed.gradient[j] ?? 0) + 1e-37;
      within(slope[i * classes + j], g * cotangent, limit, `seed ${seed}: gradient[${i}, ${j}]`);
    });
  }
}

describe.each([
  ['a thread a row', useEngine],
  ['lanes of a GPU', () => useVariantsOf('gpu')],
] as const)('soft targets, %s', (_, use) => {
  use();
  test.each(
    cases({
      tau: [0, 0.5, 1, 1.5, 2, 3],
      size: ['1x1', '5x2', '67x10', '9x33', '3x257'],
      kind: ['normal', 'one-hot', 'tied', 'extreme', 'masked'],
    }),
  )('$label follow the float64 reference', async ({ tau, size, kind, label }) => {
    const [rows = 0, classes = 0] = size.split('x').map(Number);
    await checkRows(tau, rows, classes, kind, label);
  });
});

describe('soft targets', () => {
  useEngine();
  const z = [
    [1, -0.5, 2],
    [0.25, 3, -1],
  ];
  const q = [
    [0.5, 0.25, 0.25],
    [0.125, 0.75, 0.125],
  ];
  const each = (tau: number): RowResult[] => z.map((row, i) => softCompSum(row, q[i] ?? [], tau));

  test('given one-hot they are the label, to the last bits of the value near certainty', async () => {
    const gaps = [0.5, 15, 30, 80];
    const logits = new Parameter(gaps.map((gap) => [gap, 0, -1]));
    const soft = losses.crossEntropy(
      logits,
      gaps.map(() => [1, 0, 0]),
      { reduction: 'none' },
    );
    const [gradient] = grad(sum(soft), [logits]) as [Tensor];
    const [value, slope] = await Promise.all([soft.data(), gradient.data()]);
    gaps.forEach((gap, i) => {
      const wanted = softCompSum([Math.fround(gap), 0, -1], [1, 0, 0], 1);
      expect(Math.abs((value[i] ?? 0) / wanted.value - 1), `gap ${gap}`).toBeLessThan(1e-5);
      expect(Math.abs((slope[3 * i] ?? 0) / (wanted.gradient[0] ?? 0) - 1), `gap ${gap}`).toBeLessThan(1e-5);
    });
  });

  test('have gradients themselves: the loss of each label, and through them those of a teacher', async () => {
    const targets = new Parameter(q);
    const tau = 1.5;
    const loss = losses.compSum(tensor(z), targets, { tau, reduction: 'sum' });
    const got = await (grad(loss, [targets])[0] as Tensor).data();
    z.forEach((row, i) => {
      row.forEach((_, k) => {
        const one = row.map((_, j) => Number(j === k));
        expect(got[3 * i + k]).toBeCloseTo(softCompSum(row, one, tau).value, 5);
      });
    });
    const teacher = new Parameter([
      [0.5, 1, -1],
      [2, 0, 0],
    ]);
    const distilled = losses.crossEntropy(tensor(z), softmax(teacher), { reduction: 'sum' });
    const byTeacher = await (grad(distilled, [teacher])[0] as Tensor).data();
    // A constant added to a row of logits changes nothing.
    for (const i of [0, 1]) {
      const row = Array.from(byTeacher.subarray(3 * i, 3 * i + 3));
      expect(Math.abs(row.reduce((a, b) => a + b, 0))).toBeLessThan(1e-6);
      expect(Math.max(...row.map(Math.abs))).toBeGreaterThan(0.1);
    }
  });

  test('have second derivatives, and a gradient by tau', async () => {
    const step = 1e-4;
    for (const at of [0.5, 1, 1.5]) {
      const tau = new Parameter(at);
      const logits = new Parameter(z);
      const loss = losses.compSum(logits, q, { tau, reduction: 'sum' });
      const total = (t: number) => each(t).reduce((all, { value }) => all + value, 0);
      const byTau = await (grad(loss, [tau])[0] as Tensor).item();
      expect(byTau).toBeCloseTo((total(at + step) - total(at - step)) / (2 * step), 4);
      const v = [
        [1, -1, 0.5],
        [0.25, 2, -1],
      ];
      const [product] = hvp(loss, [logits], [tensor(v)]) as [Tensor];
      const got = await product.data();
      z.forEach((row, i) => {
        const moved = (by: number) =>
          softCompSum(
            row.map((x, j) => x + by * (v[i]?.[j] ?? 0)),
            q[i] ?? [],
            at,
          ).gradient;
        const [up, down] = [moved(step), moved(-step)];
        row.forEach((_, j) => {
          expect(got[3 * i + j]).toBeCloseTo(((up[j] ?? 0) - (down[j] ?? 0)) / (2 * step), 4);
        });
      });
    }
  });

  test('that do not sum to one are taken as they are, or divided by their sum', async () => {
    const doubled = q.map((row) => row.map((x) => 2 * x));
    const wanted = each(1.5).reduce((all, { value }) => all + value, 0);
    const logits = tensor(z);
    const as = (targets: 'accept' | 'normalise') =>
      losses.compSum(logits, doubled, { tau: 1.5, targets, reduction: 'sum' }).item();
    expect(await as('accept')).toBeCloseTo(2 * wanted, 5);
    expect(await as('normalise')).toBeCloseTo(wanted, 5);
  });

  test('may be of either sign where they are accepted, and cancel to nothing but in the gradient', async () => {
    const logits = new Parameter([[3, 1, 0]]);
    const shares = [0, 1, -1];
    const loss = losses.crossEntropy(logits, [shares], { targets: 'accept', reduction: 'sum' });
    const got = await (grad(loss, [logits])[0] as Tensor).data();
    softCompSum([3, 1, 0], shares, 1).gradient.forEach((g, j) => {
      expect(got[j]).toBeCloseTo(g, 6);
    });
  });

  test('take class weights by class, and divide the mean by the number of rows, as PyTorch does', async () => {
    const weights = [0.5, 2, 3];
    const wanted = z.map(
      (row, i) =>
        softCompSum(
          row,
          (q[i] ?? []).map((x, k) => x * (weights[k] ?? 0)),
          1,
        ).value,
    );
    const logits = tensor(z);
    const loss = losses.crossEntropy(logits, q, { classWeights: weights });
    expect(await loss.item()).toBeCloseTo(((wanted[0] ?? 0) + (wanted[1] ?? 0)) / 2, 5);
    const weighed = losses.crossEntropy(logits, q, { classWeights: weights, sampleWeights: [1, 3] });
    expect(await weighed.item()).toBeCloseTo(((wanted[0] ?? 0) + 3 * (wanted[1] ?? 0)) / 4, 5);
  });

  test('made by label smoothing are never stored: one kernel makes value and gradient', () => {
    const logits = new Parameter(z);
    const lines = compile(() => {
      const loss = losses.crossEntropy(logits, [0, 1], { labelSmoothing: 0.1 });
      logits.assign(grad(loss, [logits])[0] as Tensor);
      return loss;
    })
      .explain()
      .split('\n')
      .filter((line) => /^ +\d+ /.test(line));
    expect(lines.filter((line) => line.includes('compSum.soft')).length, lines.join('\n')).toBe(1);
    // Beside it, the sum of the rows.
    expect(lines.length, lines.join('\n')).toBe(2);
  });

  test('are refused in words where they do not fit', async () => {
    const logits = tensor(z);
    const bare = defineLoss({
      name: 'bare',
      source: 'a test',
      wgsl: `// include losses/row.wgsl
        fn finish(row: Row, parameters: Parameters) -> f32 { return row.complement; }
        fn gradient(row: Row, j: Logit, parameters: Parameters) -> f32 { return row.probability * j.residual; }`,
    });
    expect(await complaint(() => bare(logits, q))).toBe(
      "ValueError: losses.bare: soft targets need a loss of the label's probability alone; its WGSL gives no slope.\n" +
        '  Mend: write fn slope(row: Row, parameters: Parameters) -> f32, its derivative by row.crossEntropy, instead of gradient.',
    );
    expect(await complaint(() => losses.crossEntropy(logits, [[0.5, 0.5]]))).toBe(
      'ShapeError: losses.crossEntropy: logits are [2, 3], soft targets [1, 2]; they must be equal.\n' +
        '  Mend: give a weight for each class of each row, or a label for each row.',
    );
    expect(await complaint(() => losses.crossEntropy(logits, tensor(q, { dtype: 'i32' })))).toBe(
      'DtypeError: losses.crossEntropy: the soft targets are i32; they must be f32.\n' +
        '  Mend: cast them: toF32(targets); or give one label for each row.',
    );
    expect(await complaint(() => losses.crossEntropy(logits, q, { ignoreIndex: 1 }))).toBe(
      'ValueError: losses.crossEntropy: ignoreIndex is for labels; the targets are soft.\n' +
        '  Mend: give the rows to ignore sampleWeights of 0.',
    );
  });
});

describe("label smoothing follows PyTorch's convention", () => {
  useEngine();
  const z = [
    [1, -0.5, 2, 0],
    [0.25, 3, -1, 1],
    [-1, 0.5, 0.75, 2],
  ];
  const y = [2, 0, 1];
  const smoothed = (label: number, smoothing: number, weights = [1, 1, 1, 1]) =>
    weights.map((w, k) => w * ((k === label ? 1 - smoothing : 0) + smoothing / 4));

  test.each([0, 0.1, 0.5, 1])(
    '%f: each class has smoothing / classes, the label the rest besides',
    async (smoothing) => {
      for (const tau of [0.5, 1, 1.5]) {
        const logits = new Parameter(z);
        const values = losses.compSum(logits, y, { tau, labelSmoothing: smoothing, reduction: 'none' });
        const [gradient] = grad(sum(values), [logits]) as [Tensor];
        const [value, slope] = await Promise.all([values.data(), gradient.data()]);
        z.forEach((row, i) => {
          const shares = smoothed(y[i] ?? 0, smoothing);
          const wanted = softCompSum(row, shares, tau);
          // The shares themselves are rounded thrice.
          const allowed = softAllowance(row, shares, tau);
          within(value[i], wanted.value, 1.2 * allowed.value, `value[${i}]`);
          wanted.gradient.forEach((g, j) => {
            within(slope[4 * i + j], g, 1.2 * (allowed.gradient[j] ?? 0), `gradient[${i}, ${j}]`);
          });
        });
      }
    },
  );

  test('class weights weigh each class, the mean divides by those of the labels; ignored rows leave both', async () => {
    const weights = [0.5, 2, 3, 1];
    const logits = tensor(z);
    const rows = z.map((row, i) => softCompSum(row, smoothed(y[i] ?? 0, 0.2, weights), 1).value);
    const [a = 0, b = 0, c = 0] = rows;
    const options = { classWeights: weights, labelSmoothing: 0.2 };
    expect(await losses.crossEntropy(logits, y, options).item()).toBeCloseTo((a + b + c) / (3 + 0.5 + 2), 5);
    const ignoring = losses.crossEntropy(logits, y, { ...options, ignoreIndex: 0 });
    expect(await ignoring.item()).toBeCloseTo((a + c) / (3 + 2), 5);
  });

  test('an ignored row has value and gradient 0, whatever its logits', async () => {
    const logits = new Parameter([
      [Number.NaN, 1, Number.POSITIVE_INFINITY],
      [1, 2, 0],
    ]);
    const values = losses.crossEntropy(logits, [-1, 0], { labelSmoothing: 0.1, ignoreIndex: -1, reduction: 'none' });
    const [gradient] = grad(sum(values), [logits]) as [Tensor];
    expect((await values.data())[0]).toBe(0);
    expect(Array.from((await gradient.data()).subarray(0, 3))).toEqual([0, 0, 0]);
    expect((await values.data())[1]).toBeGreaterThan(0);
  });

  test('soft targets are smoothed too, and smoothing may be a slider', async () => {
    const q = [
      [0.5, 0.25, 0.25, 0],
      [0, 1, 0, 0],
      [0.25, 0.25, 0.25, 0.25],
    ];
    const wanted = z.map(
      (row, i) =>
        softCompSum(
          row,
          (q[i] ?? []).map((x) => 0.7 * x + 0.3 / 4),
          1,
        ).value,
    );
    const loss = losses.crossEntropy(tensor(z), q, { labelSmoothing: tensor(0.3), reduction: 'sum' });
    expect(await loss.item()).toBeCloseTo(
      wanted.reduce((s, x) => s + x),
      5,
    );
  });

  test('outside [0, 1] it is refused', async () => {
    for (const labelSmoothing of [-0.1, 1.1, Number.NaN]) {
      expect(await complaint(() => losses.crossEntropy(tensor(z), y, { labelSmoothing }))).toBe(
        `ValueError: losses.crossEntropy: labelSmoothing is ${labelSmoothing}; it must be from 0 to 1.`,
      );
    }
  });
});
