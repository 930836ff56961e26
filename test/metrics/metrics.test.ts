import { describe, expect, test } from 'vitest';
import { metrics, type Tensor, tensor } from '../../src/index.js';
import { cases } from '../support/cases.js';
import { useEngine } from '../support/engine.js';
import { random, seedOf } from '../support/random.js';
import {
  areaByPairs,
  type Bounded,
  binsByMass,
  binsByWidth,
  brier,
  confidences,
  confusion,
  draw,
  errorsOf,
  type Labelled,
  logOdds,
  meanOf,
  nll,
  perClassAccuracy,
  topK,
} from './reference.js';

useEngine();

const logitsOf = ({ rows, classes }: Labelled): Tensor =>
  tensor(Float32Array.from(rows.flat()), { shape: [rows.length, classes] });

function expectWithin(got: number, { value, bound }: Bounded, label: string): void {
  if (Math.abs(got - value) <= bound) return;
  expect.fail(`${label}: ${got}, reference ${value}, off by ${Math.abs(got - value)} (allowed ${bound})`);
}

const table = cases({
  kind: ['normal', 'tied', 'extreme'],
  rows: [1, 33, 257],
  classes: [1, 2, 3, 7, 33],
});

describe.each(table)('$label', ({ kind, rows, classes, label }) => {
  const seed = seedOf(label);
  const data = draw(random(seed), kind, rows, classes);
  const labels = Int32Array.from(data.labels);
  const name = `${label}, seed ${seed}`;

  test('counts are exact: accuracy, top k, confusion, accuracy by class', async () => {
    const logits = logitsOf(data);
    expect(await metrics.accuracy().of(logits, labels), name).toBe(topK(data, 1));
    for (const k of [1, 2, 5]) expect(await metrics.topK(k).of(logits, labels), name).toBe(topK(data, k));
    const matrix = await metrics.confusionMatrix().of(logits, labels);
    expect(matrix, name).toEqual(confusion(data));
    const sums = matrix.map((row) => row.reduce((a, b) => a + b, 0));
    expect(sums, name).toEqual(matrix.map((_, y) => data.labels.filter((one) => one === y).length));
    expect(await metrics.perClassAccuracy().of(logits, labels), name).toEqual(perClassAccuracy(data));
  });

  test('likelihood and Brier score follow float64', async () => {
    const logits = logitsOf(data);
    expectWithin(await metrics.negativeLogLikelihood().of(logits, labels), meanOf(data, nll), `nll, ${name}`);
    expectWithin(await metrics.brier().of(logits, labels), meanOf(data, brier), `brier, ${name}`);
  });

  test('calibration errors follow float64', async () => {
    const logits = logitsOf(data);
    const points = confidences(data);
    const lost = Math.max(...points.map(({ bound }) => bound));
    const sorted = points.map(({ c }) => c).sort((a, b) => a - b);
    for (const bins of [4, 15]) {
      // A confidence nearer to a bound than its own error may be in either bin, and there move both bins' sums by 1.
      const nearBound = points.filter(({ c }) => Math.abs(c * bins - Math.round(c * bins)) <= bins * lost).length;
      const nearEnd = Array.from({ length: bins - 1 }, (_, m) => sorted[Math.floor(((m + 1) * rows) / bins)] ?? 2)
        .map((end) => sorted.filter((c) => Math.abs(c - end) <= 2 * lost).length)
        .reduce((sum, near) => sum + (near > 1 ? near : 0), 0);
      for (const [binning, wanted, near] of [
        ['width', binsByWidth(points, bins), nearBound],
        ['mass', binsByMass(points, bins), nearEnd],
      ] as const) {
        const what = `${binning}, ${bins} bins, ${name}`;
        const { expected, maximum } = errorsOf(wanted);
        const got = await metrics.reliabilityDiagram({ bins, binning }).of(logits, labels);
        expectWithin(got.expected, { value: expected, bound: lost + (2 * near) / rows + 2 ** -40 }, what);
        // Where a row changes over, a bin's mean may become any.
        expectWithin(got.maximum, { value: maximum, bound: near > 0 ? 1 : lost + 2 ** -40 }, what);
        expect(
          got.bins.reduce((sum, { count }) => sum + count, 0),
          what,
        ).toBe(rows);
        if (near === 0)
          expect(
            got.bins.map(({ count }) => count),
            what,
          ).toEqual(wanted.map(({ count }) => count));
      }
    }
  });

  test('areas under the ROC curve are those of all pairs', async () => {
    const got = await metrics.perClassAuroc().of(logitsOf(data), labels);
    expect(got).toHaveLength(classes);
    got.forEach((area, k) => {
      const scores = data.rows.map((z) => logOdds(z, k));
      const positive = data.labels.map((y) => y === k);
      // Four powers or more that are summed in another order: equal probabilities may come out a rounding apart.
      const wanted = areaByPairs(scores, positive, classes > 3 ? 'either way' : 'a tie');
      if (Number.isNaN(wanted.value)) expect(area, name).toBeNaN();
      else expectWithin(area, wanted, `class ${k}, ${name}`);
    });
  });
});
