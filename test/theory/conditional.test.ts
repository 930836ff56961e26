import { describe, expect, test } from 'vitest';
import { theory } from '../../src/index.js';
import { random, seedOf } from '../support/random.js';
import { drawDistribution, drawPair } from './pairs.js';
import * as reference from './reference.js';

const TAUS = [0, 0.5, 0.9, 1, 1.1, 1.5, 1.9, 2, 2.5, 3];

describe.each(TAUS)('tau %f', (tau) => {
  test('the risk is the definition, the regret its difference to the least, for 1 to 10 classes', () => {
    const seed = seedOf(`risk ${tau}`);
    const draw = random(seed);
    for (let i = 0; i < 500; i++) {
      const classes = draw.integer(1, 10);
      const p = drawDistribution(draw, classes, draw.pick(['mild', 'sparse', 'nearly uniform', 'tied', 'certain']));
      const z = p.map(() => 3 * draw.normal());
      const label = `seed ${seed}, pair ${i}`;
      const wanted = reference.conditionalRisk(p, z, tau);
      const best = reference.bestConditionalRisk(p, tau);
      // The printed forms take differences of numbers of the risk's own size and divide by |1 - tau| >= 0.1: some
      // dozens of roundings of 1e-16, ten times over.
      const allowed = 1e-14 * (1 + wanted);
      expect(Math.abs(theory.conditionalRisk(p, z, { tau }) - wanted), label).toBeLessThan(allowed);
      expect(Math.abs(theory.bestConditionalRisk(p, { tau }) - best), label).toBeLessThan(allowed);
      const regret = theory.conditionalRegret(p, z, { tau });
      expect(Math.abs(regret - (wanted - best)), label).toBeLessThan(2 * allowed);
      expect(regret, label).toBeGreaterThanOrEqual(0);
    }
  });

  test('no search finds a lower risk than the closed form, and it comes near', () => {
    const seed = seedOf(`minimum ${tau}`);
    const draw = random(seed);
    for (let i = 0; i < 12; i++) {
      const classes = draw.integer(2, 4);
      const p = drawDistribution(draw, classes, 'mild');
      const best = theory.bestConditionalRisk(p, { tau });
      const risk = (z: readonly number[]) => reference.conditionalRisk(p, z, tau);
      const label = `seed ${seed}, distribution ${i}: ${p}`;
      const found = reference.searchMinimum(
        risk,
        p.map(() => draw.normal()),
      );
      expect(found, label).toBeGreaterThan(best - 1e-13);
      if (tau < 2) {
        expect(found, label).toBeLessThan(best + 1e-8);
        expect(risk(theory.bestScores(p, { tau })), label).toBeCloseTo(best, 13);
      } else {
        // The infimum is not attained; the least probability left over falls like e^-30.
        const top = p.indexOf(Math.max(...p));
        expect(risk(p.map((_, y) => (y === top ? 30 : 0))), label).toBeCloseTo(best, 11);
        expect(theory.conditionalRegret(p, theory.bestScores(p, { tau }), { tau })).toBe(0);
      }
    }
  });

  test('one class has no risk', () => {
    expect(theory.conditionalRisk([1], [3], { tau })).toBe(0);
    expect(theory.bestConditionalRisk([1], { tau })).toBe(0);
    expect(theory.conditionalRegret([1], [-1e4], { tau })).toBe(0);
  });
});

test.each([0, 0.5, 1 - 1e-9, 1, 1 + 1e-9, 1.4, 1.6, 1.99])('tau %f: a tiny regret keeps its digits', (tau) => {
  // Two equal classes, scores apart by 2 d: cosh of it, of which c and the best ones are known in closed form.
  for (const d of [1e-2, 1e-4, 1e-6, 1e-8]) {
    const regret = theory.conditionalRegret([0.5, 0.5], [d, -d], { tau });
    // The second derivative by d at 0 is 2^(1 - tau) (2 - tau); the next term is smaller by d^2 at most.
    const leading = (2 ** (1 - tau) * (2 - tau) * d ** 2) / 2;
    // d itself is known to an ulp of log 2.
    expect(Math.abs(regret / leading - 1), `d ${d}`).toBeLessThan(d ** 2 + 4e-16 / d);
  }
});

test('next to certainty the risk keeps its digits', () => {
  for (const gap of [20, 40, 300]) {
    // log1p(e^-gap) is e^-gap to 1e-9 and better, and Phi_tau(u) is u as closely.
    for (const tau of [0, 1, 2]) {
      expect(theory.conditionalRisk([1, 0], [gap, 0], { tau }) / Math.exp(-gap)).toBeCloseTo(1, 8);
      expect(theory.conditionalRisk([0, 1], [0, gap], { tau }) / Math.exp(-gap)).toBeCloseTo(1, 8);
    }
  }
});

test('extreme and masked scores: never NaN, infinite only where the loss is', () => {
  const seed = 11;
  const draw = random(seed);
  let infinite = 0;
  for (let i = 0; i < 20_000; i++) {
    const { label, tau, p, z } = drawPair(draw, draw.integer(1, 10));
    const risk = theory.conditionalRisk(p, z, { tau });
    const regret = theory.conditionalRegret(p, z, { tau });
    expect(risk, `seed ${seed}, pair ${i}: ${label}`).toBeGreaterThanOrEqual(0);
    expect(regret, `seed ${seed}, pair ${i}: ${label}`).toBeGreaterThanOrEqual(0);
    // The two disagree only where one of them overflows a step before the other.
    if (risk < 1e300)
      expect(regret, `seed ${seed}, pair ${i}: ${label}`).toBeLessThanOrEqual(risk * (1 + 1e-12) + 1e-300);
    if (risk === Number.POSITIVE_INFINITY) infinite++;
    if (tau > 1) expect(risk, `seed ${seed}, pair ${i}: ${label}`).toBeLessThanOrEqual((1 + 1e-12) / (tau - 1));
  }
  expect(infinite).toBeGreaterThan(100);
});

test('a masked class costs nothing where it never occurs, all of the range where it does', () => {
  const masked = [0, Number.NEGATIVE_INFINITY];
  for (const tau of [0, 0.5, 1, 1.5, 2, 3]) {
    expect(theory.conditionalRisk([1, 0], masked, { tau })).toBe(0);
    expect(theory.conditionalRegret([1, 0], masked, { tau })).toBe(0);
    const wanted = tau <= 1 ? Number.POSITIVE_INFINITY : 0.25 / (tau - 1);
    expect(theory.conditionalRisk([0.75, 0.25], masked, { tau })).toBe(wanted);
  }
});

describe('zero-one', () => {
  test('the risk and the regret are those of the class of greatest score', () => {
    const p = [0.5, 0.25, 0.125, 0.125];
    expect(theory.conditionalZeroOneRisk(p, [0, 3, 1, 2])).toBe(0.75);
    expect(theory.conditionalZeroOneRegret(p, [0, 3, 1, 2])).toBe(0.25);
    expect(theory.conditionalZeroOneRegret(p, [4, 3, 1, 2])).toBe(0);
  });

  test('a tie goes to the first class, or to the worst', () => {
    const p = [0.25, 0.5, 0.125, 0.125];
    expect(theory.conditionalZeroOneRegret(p, [1, 1, 1, 0])).toBe(0.25);
    expect(theory.conditionalZeroOneRegret(p, [1, 1, 1, 0], { ties: 'worst' })).toBe(0.375);
    expect(theory.conditionalZeroOneRisk(p, [1, 1, 1, 0], { ties: 'worst' })).toBe(0.875);
  });

  test('a rare error keeps its digits', () => {
    expect(theory.conditionalZeroOneRisk([1, 1e-20], [1, 0])).toBe(1e-20);
  });
});
