import { describe, expect, test } from 'vitest';
import {
  compile,
  grad,
  losses,
  multiply,
  Parameter,
  scalar,
  subtract,
  sum,
  type Tensor,
  tensor,
} from '../../src/index.js';
import { useEngine } from '../support/engine.js';
import { random } from '../support/random.js';
import { compSum, softAllowance, softCompSum } from './reference.js';

useEngine();

const EPSILON = 2 ** -24;

describe('tau', () => {
  const z = [
    [1, -0.5, 2],
    [0.25, 3, -1],
    [-2, 4, 1],
  ];
  const y = [0, 1, 2];
  const total = (tau: number) => z.reduce((all, row, i) => all + compSum(row, y[i] ?? 0, tau).value, 0);

  test('moves on a slider without a new plan, as a number in the uniforms', async () => {
    let tau = 1;
    const step = compile(() => losses.compSum(tensor(z), y, { tau: scalar(() => tau), reduction: 'sum' }));
    await step.prepare();
    const plan = step.explain();
    for (tau of [0, 0.5, 1, 1.7, 2]) {
      expect(Math.abs((await step().item()) - total(tau))).toBeLessThan(60 * EPSILON * total(tau));
      expect(step.explain()).toBe(plan);
    }
    step.dispose();
  });

  test.each([0.25, 1, 1.8])('has the gradient -c^2 (x e^x - e^x + 1) / x^2, x = (1 - tau) c, at %f', async (at) => {
    const tau = new Parameter(at);
    const [byTau] = grad(losses.compSum(tensor(z), y, { tau, reduction: 'sum' }), [tau]) as [Tensor];
    const wanted = z.reduce((all, row, i) => {
      const { value: c } = compSum(row, y[i] ?? 0, 1);
      // The series of the same, term by term: k / (k + 1)! x^(k - 1).
      const x = (1 - Math.fround(at)) * c;
      let series = 0;
      for (let k = 1, factorial = 2; k < 60; k++, factorial *= k + 1) series += (k / factorial) * x ** (k - 1);
      return all - c * c * series;
    }, 0);
    // At x = 0.125 the quotient loses three digits of 24 bits.
    expect(Math.abs((await byTau.item()) / wanted - 1)).toBeLessThan(1e-5);
  });

  test('runs away when the training loss is minimised over it', async () => {
    // Minimised on the training loss, tau grows at every step.
    const tau = new Parameter(1);
    const step = compile(() => {
      const loss = losses.compSum(tensor(z), y, { tau });
      tau.assign(subtract(tau, multiply(0.1, grad(loss, [tau])[0] as Tensor)));
      return loss;
    });
    let before = 1;
    for (let i = 0; i < 10; i++) {
      step();
      const now = (await tau.data())[0] ?? 0;
      expect(now).toBeGreaterThan(before);
      before = now;
    }
    step.dispose();
  });
});

describe.each([0, 0.5, 1, 1.5, 2])('extremes at tau %f', (tau) => {
  const check = async (z: readonly (readonly number[])[], y: readonly number[]) => {
    const logits = new Parameter(z as number[][]);
    const values = losses.compSum(logits, y, { tau, reduction: 'none' });
    const [gradient] = grad(sum(values), [logits]) as [Tensor];
    const [value, slope] = await Promise.all([values.data(), gradient.data()]);
    z.forEach((row, i) => {
      const shares = row.map((_, j) => Number(j === y[i]));
      const exact = row.map(Math.fround);
      const wanted = softCompSum(exact, shares, tau);
      const allowed = softAllowance(exact, shares, tau);
      expect(Math.abs((value[i] ?? Number.NaN) - wanted.value), `row ${i}`).toBeLessThanOrEqual(allowed.value + 1e-37);
      wanted.gradient.forEach((g, j) => {
        const got = slope[i * row.length + j] ?? Number.NaN;
        expect(Math.abs(got - g), `row ${i}, ${j}`).toBeLessThanOrEqual((allowed.gradient[j] ?? 0) + 1e-37);
      });
    });
    return { value, slope };
  };

  test('logits of 1e4 and -1e4, either of them the label', async () => {
    const { value, slope } = await check(
      [
        [1e4, -1e4, 0],
        [1e4, -1e4, 0],
        [-1e4, -1e4, -1e4],
      ],
      [0, 1, 2],
    );
    expect([...value, ...slope].every(Number.isFinite)).toBe(true);
  });

  test('masks of -infinity take no part; equal logits are uniform; one class costs nothing', async () => {
    const masked = Number.NEGATIVE_INFINITY;
    await check(
      [
        [1, masked, 2, masked],
        [masked, masked, masked, -3],
      ],
      [2, 3],
    );
    const { value } = await check([[7, 7, 7, 7]], [1]);
    const uniform = tau === 1 ? Math.log(4) : (4 ** (1 - tau) - 1) / (1 - tau);
    expect(Math.abs((value[0] ?? 0) / uniform - 1)).toBeLessThan(20 * EPSILON);
    const single = await check([[3], [-1e4]], [0, 0]);
    expect([...single.value, ...single.slope].every((x) => x === 0)).toBe(true);
  });
});

test('100,000 classes, by label and by smoothed targets', async () => {
  const classes = 100_000;
  const data = random(3).floats(2 * classes, ({ normal }) => normal());
  const y = [99_999, 17];
  const logits = new Parameter(tensor(data, { shape: [2, classes] }));
  for (const labelSmoothing of [0, 0.1]) {
    const values = losses.crossEntropy(logits, y, { labelSmoothing, reduction: 'none' });
    const [gradient] = grad(sum(values), [logits]) as [Tensor];
    const [value, slope] = await Promise.all([values.data(), gradient.data()]);
    for (const i of [0, 1]) {
      const z = data.subarray(i * classes, (i + 1) * classes);
      const lse = Math.log(z.reduce((all, x) => all + Math.exp(x), 0));
      const label = lse - (z[y[i] ?? 0] ?? 0);
      const even = lse - z.reduce((all, x) => all + x, 0) / classes;
      const wanted = (1 - labelSmoothing) * label + labelSmoothing * even;
      // Sums of 1e5 terms, in 390 blocks of 256: 650 roundings one way at worst, about 2 sqrt(1e5) of them.
      expect(Math.abs((value[i] ?? 0) / wanted - 1)).toBeLessThan(2 * Math.sqrt(classes) * EPSILON);
      const row = slope.subarray(i * classes, (i + 1) * classes);
      for (const j of [0, 17, 50_000, 99_999]) {
        const p = Math.exp((z[j] ?? 0) - lse);
        const q = labelSmoothing / classes + (j === y[i] ? 1 - labelSmoothing : 0);
        const allowed = 2 * Math.sqrt(classes) * EPSILON * (p + q);
        expect(Math.abs((row[j] ?? 0) - (p - q)), `${i}, ${j}`).toBeLessThan(allowed);
      }
    }
  }
});

test('rows on the linear continuation are counted, from both sides of it', async () => {
  // c is the gap to within e^-gap.
  const gaps = [0, 39.9, 40.1, 79.9, 80.1, 1e4];
  const logits = tensor(gaps.map((gap) => [0, gap]));
  const y = new Int32Array(gaps.length);
  const counted = (tau: number, options = {}) => losses.heldRows(logits, y, { tau, ...options }).item();
  expect(await counted(0)).toBe(4);
  expect(await counted(0.5)).toBe(2);
  expect(await counted(1)).toBe(0);
  expect(await counted(2)).toBe(0);
  expect(await counted(0, { temperature: 2 })).toBe(2);
  expect(await counted(0, { ignoreIndex: 0 })).toBe(0);
});
