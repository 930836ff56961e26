import { describe, expect, test } from 'vitest';
import { theory } from '../../src/index.js';
import { cases } from '../support/cases.js';
import { random, seedOf } from '../support/random.js';
import * as reference from './reference.js';

const TAUS = [0, 0.3, 0.5, 0.9, 1, 1.2, 1.5, 1.8, 2, 2.5, 3];
/** Just beside where the formula changes. */
const BESIDE = [1 - 1e-9, 1 + 1e-9, 2 - 1e-3, 2 - 1e-9];
const CLASSES = [2, 3, 10];

describe('T', () => {
  test.each(cases({ tau: TAUS, classes: CLASSES }))('$label is the formula of the table', ({ tau, classes }) => {
    for (let beta = 0; beta <= 1; beta += 1 / 64) {
      const got = theory.transform(beta, { tau, classes });
      // The printed formula subtracts numbers near 1 and divides by |1 - tau| >= 0.1: a dozen roundings of 2e-16.
      expect(Math.abs(got - reference.transform(beta, tau, classes)), `beta ${beta}`).toBeLessThan(3e-14);
    }
  });

  test.each(cases({ tau: [...TAUS, ...BESIDE].filter((tau) => tau < 2), classes: CLASSES }))(
    '$label keeps its digits near 0',
    ({ tau, classes }) => {
      // (2 / n)^(tau - 1) beta^2 / (2^tau (2 - tau)), and the next terms are smaller by (a beta)^2 or so.
      const a = 1 / (2 - tau);
      for (const beta of [1e-3, 1e-6, 1e-9, 1e-30, 1e-100].map((one) => one / a)) {
        const leading = (beta ** 2 * a * (tau > 1 ? (2 / classes) ** (tau - 1) : 1)) / 2 ** tau;
        const off = Math.abs(theory.transform(beta, { tau, classes }) / leading - 1);
        expect(off, `beta ${beta}`).toBeLessThan(2 * (a * beta) ** 2 + 4e-15);
      }
    },
  );

  test.each(CLASSES)('goes over 1 and 2 without a step, %i classes', (classes) => {
    for (let beta = 0; beta <= 1; beta += 1 / 16) {
      const at = (tau: number) => theory.transform(beta, { tau, classes });
      // By n the formula jumps at 1 in name only: 2^(1 - tau) and n^(1 - tau) meet there. |dT / dtau| < 4.
      expect(Math.abs(at(1 - 1e-9) - at(1))).toBeLessThan(4e-9);
      expect(Math.abs(at(1 + 1e-9) - at(1))).toBeLessThan(4e-9);
      expect(Math.abs(at(2 - 1e-9) - at(2))).toBeLessThan(4e-9);
    }
  });

  test.each([1e-3, 1e-6, 1e-9, 1e-12])('keeps its digits next to 2: %f below', (below) => {
    const tau = 2 - below;
    // What 2 - tau is in float64; the printed formula needs (1 + beta)^(1 / it), so its greater part comes out first.
    const order = 2 - tau;
    for (let beta = 1 / 16; beta <= 1; beta += 1 / 16) {
      const A = (1 + beta) * Math.exp(order * Math.log((1 + ((1 - beta) / (1 + beta)) ** (1 / order)) / 2));
      const wanted = (A - 1) / ((tau - 1) * 3 ** (tau - 1));
      // A - 1 is 1/16 or more of A, which has four roundings.
      expect(Math.abs(theory.transform(beta, { tau, classes: 3 }) / wanted - 1), `beta ${beta}`).toBeLessThan(2e-14);
    }
  });

  test.each(cases({ tau: [...TAUS, ...BESIDE], classes: CLASSES }))(
    '$label rises and is convex',
    ({ tau, classes }) => {
      const values = Array.from({ length: 129 }, (_, i) => theory.transform(i / 128, { tau, classes }));
      const steps = values.slice(1).map((value, i) => value - (values[i] ?? 0));
      expect(values[0]).toBe(0);
      expect(Math.min(...steps)).toBeGreaterThan(0);
      // A line for tau >= 2: equal steps up to the rounding of values below 1.
      steps.slice(1).forEach((step, i) => {
        expect(step).toBeGreaterThanOrEqual((steps[i] ?? 0) - 4e-16);
      });
    },
  );

  test.each(TAUS)('tau %f, 2 classes: no regret of the wrong class is less, and a tie attains it up to 2', (tau) => {
    for (const beta of [0.01, 0.1, 0.4, 0.7, 0.99]) {
      const p = [(1 + beta) / 2, (1 - beta) / 2];
      const least = theory.transform(beta, { tau, classes: 2 });
      const regretAt = (lead: number) => theory.conditionalRegret(p, [0, lead], { tau });
      for (let lead = 0; lead < 50; lead += 0.05) expect(regretAt(lead), `lead ${lead}`).toBeGreaterThan(least - 1e-15);
      if (tau <= 2) expect(regretAt(0) / least).toBeCloseTo(1, 12);
    }
  });
});

describe('Gamma', () => {
  test.each(cases({ tau: [...TAUS, ...BESIDE, 'random'], classes: [1, 2, 3, 5, 10] }))(
    '$label inverts T to 1e-10',
    ({ tau: given, classes, label }) => {
      const seed = seedOf(`inverse ${label}`);
      const draw = random(seed);
      for (let i = 0; i < 60; i++) {
        const tau = typeof given === 'number' ? given : draw.uniform(0, 3);
        const x = draw.pick([0, 1, 1 - 1e-12, draw.unit(), 10 ** draw.uniform(-12, 0)]);
        const back = theory.inverseTransform(theory.transform(x, { tau, classes }), { tau, classes });
        expect(Math.abs(back - x), `seed ${seed}: x ${x}, tau ${tau}`).toBeLessThan(1e-10);
        // Small ones too keep their digits: T goes like x^2, so its few ulps are half as many of x.
        expect(Math.abs(back - x), `seed ${seed}: x ${x}, tau ${tau}`).toBeLessThanOrEqual(1e-12 * x);
      }
    },
  );

  test.each(cases({ tau: [...TAUS, ...BESIDE], classes: CLASSES }))(
    '$label lies below its explicit form, and ends at 1',
    ({ tau, classes }) => {
      const options = { tau, classes };
      const end = theory.transform(1, options);
      for (let i = 0; i <= 64; i++) {
        const t = (end * i) / 64;
        const upper = theory.explicitInverse(t, options);
        expect(theory.inverseTransform(t, options), `t ${t}`).toBeLessThanOrEqual(upper * (1 + 1e-15));
      }
      for (const t of [end, 2 * end, Number.POSITIVE_INFINITY]) expect(theory.inverseTransform(t, options)).toBe(1);
    },
  );

  test('no regret allows none, even where T leaves float64', () => {
    const options = { tau: 2000, classes: 1000 };
    expect(theory.transform(1, options)).toBe(0);
    expect(theory.inverseTransform(0, options)).toBe(0);
    expect(theory.explicitInverse(0, options)).toBe(0);
    expect(theory.inverseTransform(Number.MIN_VALUE, options)).toBe(1);
  });

  test('the explicit forms are sharp at 0 up to tau = 1: no smaller constant would do', () => {
    for (const tau of [0, 0.5, 1]) {
      const t = 1e-12;
      const options = { tau, classes: 7 };
      expect(theory.inverseTransform(t, options) / theory.explicitInverse(t, options)).toBeCloseTo(1, 9);
    }
  });
});
