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
  logProbability,
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
  rows: [1, 3, 33, 257],
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
    for (const k of [1, 2, 5, 33]) expect(await metrics.topK(k).of(logits, labels), name).toBe(topK(data, k));
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
    for (const bins of [1, 4, 15]) {
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
        const bound = lost + (2 * near) / rows + 2 ** -40;
        const { expected, maximum } = errorsOf(wanted);
        const options = { bins, binning };
        expectWithin(await metrics.expectedCalibrationError(options).of(logits, labels), { value: expected, bound }, what);
        // A bin's mean may change by its whole range where a row changes over: then the maximum says nothing.
        const loose = near > 0 ? 1 : lost + 2 ** -40;
        const mce = await metrics.maximumCalibrationError(options).of(logits, labels);
        expectWithin(mce, { value: maximum, bound: loose }, what);
      }
    }
  });

  test('areas under the ROC curve are those of all pairs', async () => {
    const got = await metrics.perClassAuroc().of(logitsOf(data), labels);
    got.forEach((area, k) => {
      // Rounded so that equal probabilities which were summed in another order are equal: ties as the data has them.
      const scores = data.rows.map((z) => Number(logProbability(z, k).toPrecision(12)));
      const wanted = areaByPairs(scores, data.labels.map((y) => y === k));
      if (kind === 'tied' && classes > 3) return;
      if (Number.isNaN(wanted)) expect(area, name).toBeNaN();
      else expect(Math.abs(area - wanted), `class ${k}, ${name}`).toBeLessThan(1e-12);
    });
  });
});
