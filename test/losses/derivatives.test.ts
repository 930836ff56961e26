import { describe, expect, test } from 'vitest';
import { grad, hvp, losses, Parameter, type Tensor, tensor } from '../../src/index.js';
import { useEngine } from '../support/engine.js';
import { compSum, statistics } from './reference.js';

useEngine();

const EPSILON = 2 ** -24;
const E40 = Math.exp(40);

/** Beyond (1 - tau) c = 40 the loss is a line in c; its point of contact is at c = 40 / (1 - tau). */
describe.each([0, 0.5, 0.75])('rows on the linear continuation, tau %f', (tau) => {
  const slope = 1 - tau;
  // c is the gap to within e^-gap: far beyond, where e^x leaves float32, and further.
  const gaps = [44 / slope, 100 / slope, 1e4];
  const rows = gaps.map((gap) => [Math.fround(gap), 0, Math.fround(gap) - 1]);
  const labels = gaps.map(() => 1);
  const q = rows.map(() => [0, 1, 0]);

  test.each([
    ['labels', labels],
    ['soft targets', q],
  ])('%s: the gradient by tau is that of the point of contact', async (_, target) => {
    const at = new Parameter(tau);
    const loss = losses.compSum(tensor(rows), target, { tau: at, reduction: 'sum' });
    // d(expm1(s c) / s) / d tau at s c = 40; what moves the point moves line and curve alike.
    const wanted = (-gaps.length * (39 * E40 + 1)) / slope ** 2;
    // A quotient of about 40 / s beside one of 1 / s, a product and a difference: some 40 roundings in all.
    expect(Math.abs((await (grad(loss, [at])[0] as Tensor).item()) / wanted - 1)).toBeLessThan(40 * EPSILON);
  });

  test.each([
    ['labels', labels],
    ['soft targets', q],
  ])("%s: the second derivative is cross-entropy's, e^40 times", async (_, target) => {
    const logits = new Parameter(rows);
    const v = [1, -2, 0.5];
    const [product] = hvp(
      losses.compSum(logits, target, { tau: tensor(tau), reduction: 'sum' }),
      [logits],
      [tensor(rows.map(() => v))],
    ) as [Tensor];
    const got = await product.data();
    rows.forEach((row, i) => {
      const { p } = statistics(row, 1);
      const inner = p.reduce((total, pj, j) => total + pj * (v[j] ?? 0), 0);
      p.forEach((pj, j) => {
        // Some thirty roundings of terms that do not exceed |v|, and of the exponent of p, of 1e4 at most.
        const wanted = E40 * pj * ((v[j] ?? 0) - inner);
        expect(Math.abs((got[3 * i + j] ?? Number.NaN) - wanted)).toBeLessThan(60 * EPSILON * E40);
      });
    });
  });
});

test('a hopeless class without a share spoils no derivative of soft targets, and costs its line by the targets', async () => {
  const z = [300, -300, 0];
  const [logits, q, tau] = [new Parameter([z]), new Parameter([[1, 0, 0]]), new Parameter(0.5)];
  const loss = losses.compSum(logits, q, { tau, reduction: 'sum' });
  const { q: byTargets, tau: byTau } = grad(loss, { q, tau });
  const [targets, rate] = await Promise.all([byTargets.data(), byTau.item()]);
  z.forEach((_, k) => {
    const { value } = compSum(z, k, 0.5);
    expect(Math.abs((targets[k] ?? Number.NaN) - value)).toBeLessThanOrEqual(400 * EPSILON * value + 1e-37);
  });
  // -c^2 / 2 at c of e^-300.
  expect(rate).toBeCloseTo(0, 30);
  const [product] = hvp(loss, [logits], [tensor([[1, 2, 3]])]) as [Tensor];
  expect(Array.from(await product.data(), Math.abs)).toEqual([0, 0, 0]);
});

test('an ignored row reaches no derivative where labels are smoothed, whatever its logits', async () => {
  const rows = [
    [Number.NaN, 1, Number.POSITIVE_INFINITY],
    [1, 2, 0],
  ];
  const derivatives = async (z: number[][], labels: number[]) => {
    const [logits, tau, weights] = [new Parameter(z), new Parameter(1.5), new Parameter([1, 2, 0.5])];
    const loss = losses.compSum(logits, labels, {
      ...{ tau, classWeights: weights, labelSmoothing: 0.1, ignoreIndex: -1, reduction: 'sum' },
    });
    const { tau: byTau, weights: byWeights } = grad(loss, { tau, weights });
    const [product] = hvp(loss, [logits], [tensor(z.map(() => [1, 2, 3]))]) as [Tensor];
    const found = await Promise.all([byTau.data(), byWeights.data(), product.data()]);
    return found.map((data) => Array.from(data));
  };
  const [byTau, byWeights, product] = await derivatives(rows, [-1, 0]);
  const [alone, apart, own] = await derivatives(rows.slice(1), [0]);
  expect([byTau, byWeights]).toEqual([alone, apart]);
  expect(product).toEqual([0, 0, 0, ...(own ?? [])]);
});

test('a masked class takes no part in the gradient by the temperature', async () => {
  const byTemperature = async (z: number[][], target: number[] | number[][]) => {
    const temperature = new Parameter(1.5);
    return (grad(losses.crossEntropy(tensor(z), target, { temperature }), [temperature])[0] as Tensor).item();
  };
  const masked = [[Number.NEGATIVE_INFINITY, 1, 2]];
  expect(await byTemperature(masked, [1])).toBe(await byTemperature([[1, 2]], [0]));
  expect(await byTemperature(masked, [[0, 0.5, 0.5]])).toBe(await byTemperature([[1, 2]], [[0.5, 0.5]]));
});
