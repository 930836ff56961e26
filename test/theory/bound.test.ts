import { describe, expect, test } from 'vitest';
import { theory } from '../../src/index.js';
import { random, seedOf } from '../support/random.js';
import { drawDistribution, drawPair } from './pairs.js';

/**
 * The tempting explicit form for 1 < tau < 2, with the factor 2 - tau that belongs to tau < 1. Below 1 the two agree to
 * leading order for two classes, which is what tempts.
 */
function wrongExplicitInverse(t: number, tau: number, classes: number): number {
  return Math.sqrt(2 * (2 - tau) * classes ** (tau - 1) * t);
}

/** Both sides are known to some dozens of roundings of 1e-16: probabilities near 1/2 leave no more. */
const ROUNDING = 1e-14;

const CLASSES = [2, 3, 4, 5, 6, 7, 8, 9, 10];

describe('at one input', () => {
  test.each(CLASSES)('%i classes: the zero-one regret is at most Gamma of the comp-sum regret', (classes) => {
    const seed = seedOf(`bound ${classes}`);
    const draw = random(seed);
    let wrong = 0;
    let closest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3000; i++) {
      const { label, tau, p, z } = drawPair(draw, classes);
      const left = theory.conditionalZeroOneRegret(p, z, { ties: 'worst' });
      const t = theory.conditionalRegret(p, z, { tau });
      const right = theory.inverseTransform(t, { tau, classes });
      const upper = theory.explicitInverse(t, { tau, classes });
      const failure = `seed ${seed}, pair ${i} (${label}): p ${p}, scores ${z}: ${left} against ${right}, ${upper}`;
      if (!(left <= right + ROUNDING)) expect.fail(`Gamma: ${failure}`);
      if (!(right <= Math.min(1, upper) + ROUNDING)) expect.fail(`explicit form: ${failure}`);
      // Tight for two classes, and so for two of many, the others next to impossible.
      if (tau <= 1 && left > 0.01) closest = Math.min(closest, right / left);
      if (tau > 1 && tau < 2 && left > wrongExplicitInverse(t, tau, classes) + ROUNDING) wrong++;
    }
    expect(closest, 'some pair comes near').toBeLessThan(1.01);
    // For two classes at any tau between, for more at least where 2 - tau is small.
    expect(wrong, 'the same pairs refute the wrong variant').toBeGreaterThan(50);
  });

  test('the wrong variant fails at two classes, tau 1.5, beta 0.4, and the right one holds', () => {
    const [tau, classes] = [1.5, 2];
    const t = theory.conditionalRegret([0.7, 0.3], [0, 0], { tau });
    expect(wrongExplicitInverse(t, tau, classes)).toBeLessThan(0.4 - 1e-3);
    expect(theory.inverseTransform(t, { tau, classes })).toBeCloseTo(0.4, 12);
    expect(theory.explicitInverse(t, { tau, classes })).toBeGreaterThan(0.4);
  });

  test.each(CLASSES)('tau 2: the factor of %i classes is no slack, it is attained', (classes) => {
    // All classes but one share the greatest probability, and equal scores take the one.
    const beta = 0.9 / (classes - 1);
    const p = Array.from({ length: classes }, (_, y) => (y === 0 ? 1 - (classes - 1) * beta : 1 + beta) / classes);
    const scores = p.map(() => 0);
    expect(theory.conditionalZeroOneRegret(p, scores)).toBeCloseTo(beta, 14);
    const t = theory.conditionalRegret(p, scores, { tau: 2 });
    expect(theory.inverseTransform(t, { tau: 2, classes })).toBeCloseTo(beta, 14);
  });

  test.each([0, 0.25, 0.5, 0.75, 0.9, 1])('tau %f: two classes come within 1 %% of the bound', (tau) => {
    for (const beta of [0.001, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.999]) {
      const p = [(1 + beta) / 2, (1 - beta) / 2];
      // The less probable class leads by a hair: no tie decides.
      const scores = [0, beta * 1e-6];
      const left = theory.conditionalZeroOneRegret(p, scores);
      const right = theory.inverseTransform(theory.conditionalRegret(p, scores, { tau }), { tau, classes: 2 });
      expect(left).toBeCloseTo(beta, 12);
      expect(right).toBeLessThan(1.01 * left);
    }
  });
});

describe('over a distribution of inputs', () => {
  test.each(CLASSES)('%i classes: left <= right <= explicit', (classes) => {
    const seed = seedOf(`distribution ${classes}`);
    const draw = random(seed);
    for (let i = 0; i < 150; i++) {
      const count = draw.integer(1, 8);
      const inputs = drawDistribution(draw, count);
      const { tau } = drawPair(draw, classes);
      const pairs = Array.from({ length: count }, () => drawPair(draw, classes));
      const scores = pairs.map(({ z }) => z);
      const distribution = { inputs, conditionals: pairs.map(({ p }) => p) };
      const got = theory.bound(distribution, scores, { tau });
      const label = `seed ${seed}, distribution ${i}, tau ${tau}: ${JSON.stringify(got)}`;
      expect(got.left, label).toBeLessThanOrEqual(got.right + ROUNDING);
      expect(got.right, label).toBeLessThanOrEqual(got.explicit + ROUNDING);
      // Each side by its definition: the expected conditional regrets.
      const expected = (part: (p: number[], z: number[]) => number) =>
        pairs.reduce((sum, { p, z }, x) => (inputs[x] === 0 ? sum : sum + (inputs[x] ?? 0) * part(p, z)), 0);
      expect(got.left).toBe(expected((p, z) => theory.conditionalZeroOneRegret(p, z)));
      expect(got.compSum.regret).toBe(expected((p, z) => theory.conditionalRegret(p, z, { tau })));
      expect([got.zeroOne.gap, got.compSum.gap, got.classes, got.tau]).toEqual([0, 0, classes, tau]);
    }
  });

  test('with a complete set the split moves, the two sides do not', () => {
    const seed = 5;
    const draw = random(seed);
    const inputs = [0.2, 0.3, 0.5];
    const conditionals = inputs.map(() => drawDistribution(draw, 4, 'mild'));
    const model = () => inputs.map(() => [0, 1, 2, 3].map(() => 2 * draw.normal()));
    const scores = model();
    const sampled = [model(), model(), model()];
    for (const tau of [0, 0.5, 1, 1.5, 2, 3]) {
      const all = theory.bound({ inputs, conditionals }, scores, { tau });
      const some = theory.bound({ inputs, conditionals }, scores, { tau, hypotheses: { complete: sampled } });
      expect([some.left, some.right, some.explicit]).toEqual([all.left, all.right, all.explicit]);
      expect(some.compSum.gap).toBeGreaterThan(0);
      for (const { risk, bestRisk, gap, regret } of [some.zeroOne, some.compSum, all.zeroOne, all.compSum]) {
        expect(risk).toBeGreaterThanOrEqual(bestRisk - ROUNDING);
        // Risks of tau = 0 are some hundreds, rounded by 1e-13.
        expect(Math.abs(risk - bestRisk + gap - regret)).toBeLessThan(1e-14 * (1 + risk));
      }
      expect(some.method).toBe(
        'from above: the least risk of 4 hypotheses stands for the least of the set; the best at each input is in closed form, for the set is complete.',
      );
    }
  });

  test('an input that never occurs counts for nothing, be its loss infinite', () => {
    const distribution = {
      inputs: [1, 0],
      conditionals: [
        [0.75, 0.25],
        [0.5, 0.5],
      ],
    };
    const scores = [
      [0, 1],
      [Number.NEGATIVE_INFINITY, 0],
    ];
    const { left, compSum } = theory.bound(distribution, scores, { tau: 1 });
    expect(left).toBe(0.5);
    expect(compSum.regret).toBe(theory.conditionalRegret([0.75, 0.25], [0, 1], { tau: 1 }));
  });

  test('tables may be typed arrays with a shape', () => {
    const inputs = new Float32Array([0.5, 0.5]);
    const conditionals = { data: new Float32Array([0.75, 0.25, 0.5, 0.5]), shape: [2, 2] };
    const scores = { data: new Float32Array([0, 1, 2, 3]), shape: [2, 2] };
    const nested = [
      [0.75, 0.25],
      [0.5, 0.5],
    ];
    const rows = [
      [0, 1],
      [2, 3],
    ];
    expect(theory.bound({ inputs, conditionals }, scores, { tau: 1.5 })).toEqual(
      theory.bound({ inputs: [0.5, 0.5], conditionals: nested }, rows, { tau: 1.5 }),
    );
  });
});
