import { describe, expect, test } from 'vitest';
import { theory } from '../../src/index.js';
import { random } from '../support/random.js';
import { drawDistribution } from './pairs.js';

const TAUS = [0, 0.5, 1, 1.5, 2, 3];

/** Scores of `x -> (w x + b, 0)` at x = -1, 0, 1: two classes, one line. */
function line(w: number, b: number): number[][] {
  return [-1, 0, 1].map((x) => [w * x + b, 0]);
}

const inputs = [0.25, 0.5, 0.25];
/** No line fits: the middle input wants the other class. */
const conditionals = [
  [0.8, 0.2],
  [0.1, 0.9],
  [0.8, 0.2],
];
const distribution = { inputs, conditionals };
const grid = Array.from({ length: 41 }, (_, i) => (i - 20) / 5);
const lines = grid.flatMap((w) => grid.map((b) => line(w, b)));

describe.each(TAUS)('tau %f', (tau) => {
  test('all measurable functions have none', () => {
    const { gap, bestRisk, pointwiseBest } = theory.minimizabilityGap(distribution, 'measurable', { tau });
    expect(gap).toBe(0);
    expect(bestRisk).toBe(pointwiseBest);
    const expected = inputs.reduce(
      (sum, weight, x) => sum + weight * theory.bestConditionalRisk(conditionals[x] ?? [], { tau }),
      0,
    );
    expect(bestRisk).toBeCloseTo(expected, 15);
  });

  test('a finite set has the difference of its two infima', () => {
    const got = theory.minimizabilityGap(distribution, { finite: lines }, { tau });
    const at = (model: number[][], x: number) => theory.conditionalRisk(conditionals[x] ?? [], model[x] ?? [], { tau });
    const risks = lines.map((model) => inputs.reduce((sum, weight, x) => sum + weight * at(model, x), 0));
    const pointwise = inputs.reduce(
      (sum, weight, x) => sum + weight * Math.min(...lines.map((model) => at(model, x))),
      0,
    );
    expect(got.bestRisk).toBe(Math.min(...risks));
    expect(got.pointwiseBest).toBe(pointwise);
    expect(got.gap).toBeCloseTo(got.bestRisk - pointwise, 13);
    expect(got.gap).toBeGreaterThan(0.01);
    expect(got.method).toBe(
      'exact for the 1681 hypotheses given; of a larger set that they sample, both infima are estimated from above, and the gap errs either way.',
    );
    // One of them alone is best everywhere.
    expect(theory.minimizabilityGap(distribution, { finite: [line(1, 0)] }, { tau }).gap).toBe(0);
  });

  test('a complete set is estimated from above, and falls to what the finest sample gives', () => {
    const gapOf = (sample: number[][][]) => theory.minimizabilityGap(distribution, { complete: sample }, { tau }).gap;
    const coarse = gapOf(lines.slice(0, 50));
    const fine = gapOf(lines);
    expect(coarse).toBeGreaterThanOrEqual(fine);
    const { bestRisk, pointwiseBest } = theory.minimizabilityGap(distribution, { complete: lines }, { tau });
    expect(fine).toBeCloseTo(bestRisk - pointwiseBest, 13);
    // The grid's lines reach nearly any score at one input, so its own pointwise infimum is nearly the closed form,
    // from above: for tau < 2. From 2 on that is reached at infinity, and the grid ends at 8.
    const { pointwiseBest: ofGrid } = theory.minimizabilityGap(distribution, { finite: lines }, { tau });
    expect(ofGrid).toBeGreaterThanOrEqual(pointwiseBest - 1e-15);
    expect(ofGrid - pointwiseBest).toBeLessThan(0.02);
    // A set that holds a best function has no gap; for tau >= 2 only its limit does.
    const best = conditionals.map((p) => theory.bestScores(p, { tau }));
    expect(gapOf([line(1, 1), best])).toBeLessThan(1e-30);
    // Nor does a small gap drown in the risks: it is the expected regret, digit for digit.
    const near = best.map(([first = 0, ...rest]) => [first + 1e-7, ...rest]);
    expect(gapOf([line(1, 1), near])).toBe(
      inputs.reduce(
        (sum, weight, x) => sum + weight * theory.conditionalRegret(conditionals[x] ?? [], near[x] ?? [], { tau }),
        0,
      ),
    );
  });

  test("Jensen's bound holds for any hypothesis's sum-exponential risk", () => {
    const draw = random(17);
    for (let i = 0; i < 50; i++) {
      const known = {
        inputs: drawDistribution(draw, 5),
        conditionals: inputs.concat(0, 0).map(() => drawDistribution(draw, 3)),
      };
      const model = known.conditionals.map((p) => p.map(() => draw.normal()));
      const { bestRisk } = theory.minimizabilityGap(known, { complete: [model] }, { tau: 0 });
      const { gap } = theory.minimizabilityGap(known, { complete: [model] }, { tau });
      expect(gap).toBeLessThanOrEqual(theory.minimizabilityGapBound(known, bestRisk, { tau }) + 1e-14 * (1 + bestRisk));
    }
  });
});

test("with deterministic labels Jensen's bound falls as tau grows", () => {
  const known = { inputs: [0.5, 0.5], conditionals: [[1, 0], [0, 1]] }; // biome-ignore format: a table
  const bounds = TAUS.map((tau) => theory.minimizabilityGapBound(known, 0.7, { tau }));
  for (let i = 1; i < bounds.length; i++) expect(bounds[i]).toBeLessThan(bounds[i - 1] ?? 0);
});

test('zero-one: the best line errs at one input that a better choice there would get right', () => {
  const wanted = { bestRisk: 0.25 * 0.2 + 0.5 * 0.1 + 0.25 * 0.8, pointwiseBest: 0.25 * 0.2 + 0.5 * 0.1 + 0.25 * 0.2 };
  for (const hypotheses of [{ finite: lines }, { complete: lines }]) {
    const { gap, bestRisk, pointwiseBest } = theory.zeroOneMinimizabilityGap(distribution, hypotheses);
    expect(bestRisk).toBeCloseTo(wanted.bestRisk, 14);
    expect(pointwiseBest).toBeCloseTo(wanted.pointwiseBest, 14);
    expect(gap).toBeCloseTo(0.25 * 0.6, 14);
  }
  expect(theory.zeroOneMinimizabilityGap(distribution, 'measurable').gap).toBe(0);
});
