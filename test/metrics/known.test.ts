import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { losses, metrics, multiply, type Tensor, tensor } from '../../src/index.js';
import { accuracy } from '../../src/metrics/accuracy.js';
import { reliabilityOf } from '../../src/metrics/reliability.js';
import { complaint } from '../support/complaint.js';
import { useEngine } from '../support/engine.js';
import { random } from '../support/random.js';
import { areaByPairs, binsByMass, binsByWidth, draw, errorsOf } from './reference.js';

useEngine();

const NAN = Number.NaN;
const INFINITY = Number.POSITIVE_INFINITY;

/** Two classes: the logit of class 1 against 0. */
const binary = (...scores: number[]) => tensor(scores.map((score) => [0, score]));

describe('worked out by hand', () => {
  test('the area under the ROC curve counts a tie half', async () => {
    // Positives 3 and 1, negatives 1 and 0: 3 beats both, 1 ties with 1 and beats 0. 3.5 of 4 pairs.
    const labels = [1, 1, 0, 0];
    expect(metrics.areaUnderRoc([3, 1, 1, 0], labels)).toBe(3.5 / 4);
    expect(await metrics.auroc().of(binary(3, 1, 1, 0), labels)).toBe(3.5 / 4);
    expect(await metrics.perClassAuroc().of(binary(3, 1, 1, 0), labels)).toEqual([3.5 / 4, 3.5 / 4]);
    expect(metrics.areaUnderRoc([1, 1, 1], [true, false, false])).toBe(0.5);
    expect(metrics.areaUnderRoc([-INFINITY, INFINITY, -INFINITY], [0, 1, 1])).toBe(0.75);
  });

  test('probabilities that float32, and even float64, rounds to 1 are still told apart', async () => {
    expect(await metrics.auroc().of(binary(60, 50, 40, 30), [1, 1, 0, 0])).toBe(1);
    expect(await metrics.auroc().of(binary(30, 40, 50, 60), [1, 1, 0, 0])).toBe(0);
    // Beyond 745 even the logarithm of p is 0: the two classes' numbers must not part.
    expect(await metrics.perClassAuroc().of(binary(3000, 2000, 1000, -1e4), [1, 1, 0, 0])).toEqual([1, 1]);
    expect(await metrics.auroc().of(binary(1000, 2000), [1, 0])).toBe(0);
    const third = tensor([
      [-3000, -2000, 0],
      [-3000, -1000, 0],
      [0, -INFINITY, -INFINITY],
    ]);
    // p_2 is 1 twice, by odds of e^2000 and e^1000; p_0 is 1 with no other class left.
    expect(await metrics.perClassAuroc().of(third, [0, 2, 0])).toEqual([0.75, NAN, 0.5]);
  });

  test('macro leaves out a class that no row has', async () => {
    const logits = tensor([
      [2, 0, 1],
      [0, 2, 1],
      [1, 0, 3],
    ]);
    // Class 0: its row has the highest p_0. Class 1 likewise. Class 2 has no rows.
    expect(await metrics.perClassAuroc().of(logits, [0, 1, 1])).toEqual([1, 0.5, NAN]);
    expect(await metrics.auroc().of(logits, [0, 1, 1])).toBe(0.75);
  });

  test('three of four right at confidence 3/4 is perfect calibration', async () => {
    // softmax of [0, log 3] is [1/4, 3/4].
    const logits = binary(...new Array<number>(4).fill(Math.log(3)));
    for (const binning of ['width', 'mass'] as const) {
      // Four f32 confidences of 3/4, each within three roundings of exp.
      expect(await metrics.expectedCalibrationError({ binning }).of(logits, [1, 1, 0, 1])).toBeLessThan(2 ** -20);
      expect(await metrics.maximumCalibrationError({ binning }).of(logits, [1, 1, 0, 1])).toBeLessThan(2 ** -20);
    }
    const { bins, expected, maximum, examples } = await metrics
      .reliabilityDiagram({ bins: 4 })
      .of(logits, [1, 0, 0, 0]);
    expect(bins.map(({ from, to, count }) => [from, to, count])).toEqual([
      [0, 0.25, 0],
      [0.25, 0.5, 0],
      [0.5, 0.75, expect.any(Number)],
      [0.75, 1, expect.any(Number)],
    ]);
    expect([expected, maximum]).toEqual([expect.closeTo(0.5, 5), expect.closeTo(0.5, 5)]);
    expect(examples).toBe(4);
  });

  test('half of them certain and wrong: the expected error is a half, the maximum 1', async () => {
    const logits = tensor([
      [1e4, 0],
      [1e4, 0],
      [0, 0],
      [0, 0],
    ]);
    const labels = [1, 1, 0, 1];
    // Certain and wrong: a gap of 1 for half the rows. Undecided (class 0 of the tie): right once in two at 1/2.
    expect(await metrics.expectedCalibrationError().of(logits, labels)).toBe(0.5);
    expect(await metrics.maximumCalibrationError().of(logits, labels)).toBe(1);
    expect(await metrics.brier().of(logits, labels)).toBe((2 + 2 + 0.5 + 0.5) / 4);
    expect(await metrics.confusionMatrix().of(logits, labels)).toEqual([
      [1, 0],
      [3, 0],
    ]);
  });

  test('the likelihood of a label hopeless by 10^4, and of one certain by 40', async () => {
    const nll = metrics.negativeLogLikelihood();
    expect(await nll.of(binary(1e4), [0])).toBe(1e4);
    expect(await nll.of(binary(-1e4), [0])).toBe(0);
    // log(1 + e^-40) is e^-40, far below the spacing of f32 at 1. exp is off by 3 + 2 * 40 ulp.
    expect(Math.abs((await nll.of(binary(-40), [0])) / Math.exp(-40) - 1)).toBeLessThan(100 * 2 ** -23);
  });
});

describe('in float64 on the host', () => {
  test.each([1, 2, 3])('reliability with ties, whatever the order of the data: seed %i', (seed) => {
    const draws = random(seed);
    const points = Array.from({ length: 257 }, () => ({ c: draws.integer(1, 9) / 8 - 1 / 8, right: draws.below(2) }));
    for (const bins of [1, 2, 7, 15, 33, 400]) {
      for (const [binning, reference] of [
        ['width', binsByWidth],
        ['mass', binsByMass],
      ] as const) {
        const wanted = reference(points, bins);
        for (const order of [points, [...points].reverse()]) {
          const confidence = Float64Array.from(order, ({ c }) => c);
          const right = Float64Array.from(order, ({ right: one }) => one);
          const got = reliabilityOf(confidence, right, { bins, binning });
          wanted.forEach((bin, i) => {
            const { count, accuracy: part, confidence: sure } = got.bins[i] ?? expect.fail('a bin is missing');
            expect(count, `bin ${i} of ${bins} by ${binning}, seed ${seed}`).toBe(bin.count);
            if (count === 0) return;
            // Sums of at most 257 terms of at most 1, in float64.
            expect(part).toBeCloseTo(bin.accuracy, 12);
            expect(sure).toBeCloseTo(bin.confidence, 12);
          });
          const errors = errorsOf(wanted);
          expect(got.expected).toBeCloseTo(errors.expected, 12);
          expect(got.maximum).toBeCloseTo(errors.maximum, 12);
        }
      }
    }
  });

  test('as many bins as rows, more than a call takes arguments', () => {
    const count = 300_000;
    const confidence = Float64Array.from({ length: count }, (_, i) => (i + 0.5) / count);
    // Nobody is right: the gap of a bin is its confidence, their mean 1/2.
    const got = reliabilityOf(confidence, new Float64Array(count), { bins: count, binning: 'width' });
    expect(got.maximum).toBe(confidence.at(-1));
    // A sum of so many terms of at most 1 / count, each rounded by 2^-53 of at most 1/2.
    expect(Math.abs(got.expected - 0.5)).toBeLessThan(count * 2 ** -53);
    expect(metrics.reliabilitySvg(got, { title: 'many' })).toContain('ECE 0.5000, MCE 1.0000');
  });

  test('the area under the ROC curve of tied scores is that of all pairs', () => {
    const draws = random(5);
    for (const count of [2, 3, 33, 257]) {
      const scores = Array.from({ length: count }, () => draws.integer(-3, 3));
      const positive = scores.map((_, i) => i === 0 || (i > 1 && draws.below(3) === 0));
      expect(metrics.areaUnderRoc(scores, positive)).toBeCloseTo(areaByPairs(scores, positive).value, 12);
    }
  });

  test('counts beyond 2^24 stay exact', () => {
    const tally = accuracy().start();
    for (let i = 0; i < 3; i++) tally.add([new Int32Array([2 ** 24 + 1])], { classes: 2, examples: 2 ** 25 });
    expect(tally.value()).toBe((3 * (2 ** 24 + 1)) / (3 * 2 ** 25));
  });
});

describe('what has no value', () => {
  let warn: MockInstance<typeof console.warn>;
  beforeEach(() => {
    warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  });
  afterEach(() => warn.mockRestore());

  const numbers = {
    accuracy: metrics.accuracy(),
    topK: metrics.topK(2),
    negativeLogLikelihood: metrics.negativeLogLikelihood(),
    brier: metrics.brier(),
    expected: metrics.expectedCalibrationError(),
    maximum: metrics.maximumCalibrationError({ binning: 'mass' }),
    auroc: metrics.auroc(),
    rowMean: metrics.rowMean((logits, labels) =>
      losses.crossEntropy(logits, labels, { reduction: 'none', ignoreIndex: 0 }),
    ),
  };

  test.each(Object.entries(numbers))(
    '%s over no rows, or ignored ones alone, is NaN with a warning',
    async (_, metric) => {
      expect(await metric.of(tensor([], { shape: [0, 3] }), new Int32Array(0))).toBeNaN();
      expect(await metric.of(binary(1, 2), [0, 0], { ignoreIndex: 0 })).toBeNaN();
      expect(warn.mock.calls.map(([text]) => text)).toEqual([
        expect.stringMatching(/^metrics\.\w+: there are no examples: their metrics are NaN\.$/),
        expect.stringMatching(/^metrics\.\w+: there are no examples/),
      ]);
    },
  );

  test('matrices over no rows are empty', async () => {
    const none = tensor([], { shape: [0, 2] });
    expect(await metrics.confusionMatrix().of(none, [])).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(await metrics.perClassAccuracy().of(none, [])).toEqual([NAN, NAN]);
    const { bins, examples } = await metrics.reliabilityDiagram({ bins: 2 }).of(none, []);
    expect([examples, bins.map(({ count }) => count)]).toEqual([0, [0, 0]]);
  });

  test.each([
    ['at the label', [NAN, 1, 2]],
    ['beside it', [3, NAN, 2]],
  ])('NaN %s: no prediction, hence wrong; what needs probabilities is NaN', async (_, row) => {
    const logits = tensor([row, [3, 1, 2]]);
    const labels = [0, 0];
    expect(await metrics.accuracy().of(logits, labels)).toBe(0.5);
    expect(await metrics.topK(3).of(logits, labels)).toBe(0.5);
    expect(await metrics.perClassAccuracy().of(logits, labels)).toEqual([0.5, NAN, NAN]);
    expect((await metrics.confusionMatrix().of(logits, labels))[0]).toEqual([1, 0, 0]);
    for (const name of ['negativeLogLikelihood', 'brier', 'expectedCalibrationError', 'auroc'] as const) {
      expect(await metrics[name]().of(logits, labels), name).toBeNaN();
    }
    const { expected, maximum, bins, examples } = await metrics.reliabilityDiagram().of(logits, labels);
    expect([expected, maximum, examples]).toEqual([NAN, NAN, 2]);
    expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(1);
  });

  test('an ignored row with NaN reaches nothing', async () => {
    const logits = tensor([
      [NAN, NAN],
      [0, 0],
    ]);
    const options = { ignoreIndex: -1 };
    expect(await metrics.accuracy().of(logits, [-1, 0], options)).toBe(1);
    expect(await metrics.brier().of(logits, [-1, 0], options)).toBe(0.5);
    expect(await metrics.negativeLogLikelihood().of(logits, [-1, 0], options)).toBeCloseTo(Math.LN2, 6);
    expect(await metrics.expectedCalibrationError().of(logits, [-1, 0], options)).toBe(0.5);
  });

  test('infinite logits: a prediction all the same; +infinity leaves no probabilities', async () => {
    const certain = tensor([[INFINITY, 0]]);
    expect(await metrics.accuracy().of(certain, [0])).toBe(1);
    expect(await metrics.negativeLogLikelihood().of(certain, [0])).toBeNaN();
    expect(await metrics.brier().of(certain, [0])).toBeNaN();
    const impossible = tensor([[-INFINITY, 0]]);
    expect(await metrics.negativeLogLikelihood().of(impossible, [0])).toBe(INFINITY);
    expect(await metrics.negativeLogLikelihood().of(impossible, [1])).toBe(0);
    expect(await metrics.brier().of(impossible, [0])).toBe(2);
  });
});

describe('options', () => {
  const data = draw(random(3), 'normal', 33, 4);
  const logits = (): Tensor => tensor(data.rows);

  test('temperature divides the logits', async () => {
    const nll = metrics.negativeLogLikelihood();
    expect(await nll.of(logits(), data.labels, { temperature: 2 })).toBe(
      await nll.of(multiply(logits(), 0.5), data.labels),
    );
  });

  test('ignored rows count for nothing, also where their label is a class', async () => {
    const kept = data.labels.flatMap((label, i) => (label === 2 ? [] : [i]));
    const rest = tensor(kept.map((i) => data.rows[i] as number[]));
    const labels = kept.map((i) => data.labels[i] as number);
    const options = { ignoreIndex: 2 };
    expect(kept.length).toBeLessThan(33);
    expect(await metrics.accuracy().of(logits(), data.labels, options)).toBe(await metrics.accuracy().of(rest, labels));
    expect(await metrics.confusionMatrix().of(logits(), data.labels, options)).toEqual(
      await metrics.confusionMatrix().of(rest, labels),
    );
    expect(await metrics.perClassAuroc().of(logits(), data.labels, options)).toEqual(
      await metrics.perClassAuroc().of(rest, labels),
    );
    const ece = metrics.expectedCalibrationError();
    expect(await ece.of(logits(), data.labels, options)).toBe(await ece.of(rest, labels));
  });

  test('u32 labels, nested ones, and logits of more axes', async () => {
    const nested = tensor(data.rows.slice(0, 32).flat(), { shape: [8, 4, 4] });
    const flat = tensor(data.rows.slice(0, 32));
    const labels = data.labels.slice(0, 32);
    const wanted = await metrics.accuracy().of(flat, Uint32Array.from(labels));
    const rows = Array.from({ length: 8 }, (_, i) => labels.slice(4 * i, 4 * i + 4));
    expect(await metrics.accuracy().of(nested, rows)).toBe(wanted);
    // -1 arrives in a u32 label as 4294967295.
    const ignored = Uint32Array.from(labels, (label, i) => (i === 0 ? 0xffffffff : label));
    expect(await metrics.confusionMatrix().of(flat, ignored, { ignoreIndex: -1 })).toEqual(
      await metrics.confusionMatrix().of(tensor(data.rows.slice(1, 32)), labels.slice(1)),
    );
  });

  test('rowMean is the mean of any row loss', async () => {
    const mean = metrics.rowMean((z, labels) => losses.compSum(z, labels, { tau: 0.5, reduction: 'none' }));
    const wanted = await losses.compSum(logits(), data.labels, { tau: 0.5 }).item();
    // Two sums of 33 rows, each rounded that often at most.
    expect(Math.abs((await mean.of(logits(), data.labels)) / wanted - 1)).toBeLessThan(70 * 2 ** -24);
  });
});

describe('refuses', () => {
  const logits = () => binary(1, 2, 3);
  const LABEL = (row: number) =>
    `ValueError: metrics.accuracy: the label of row ${row} is not one of the 2 classes.\n` +
    '  Mend: labels go from 0 to 1; ignoreIndex names one to leave out.';

  test.each([2, -1, 2 ** 31 - 1])('label %i, which is no class', async (label) => {
    expect(await complaint(() => metrics.accuracy().of(logits(), [0, label, label]))).toBe(LABEL(1));
    expect(await complaint(() => metrics.accuracy().of(logits(), [-7, 0, label], { ignoreIndex: -7 }))).toBe(LABEL(2));
  });

  test.each<[string, () => unknown, string]>([
    ['k', () => metrics.topK(0), 'ValueError: metrics.topK: k is 0; it must be an integer of at least 1.'],
    [
      'bins',
      () => metrics.expectedCalibrationError({ bins: 1.5 }),
      'ValueError: metrics.expectedCalibrationError: bins is 1.5; it must be an integer of at least 1.',
    ],
    [
      'binning',
      () => metrics.reliabilityDiagram({ binning: 'size' as 'mass' }),
      "ValueError: metrics.reliabilityDiagram: binning is 'size'; it must be 'width' or 'mass'.",
    ],
    [
      'an unknown option',
      () => metrics.maximumCalibrationError({ bin: 3 } as object),
      "ValueError: metrics.maximumCalibrationError: unknown option 'bin'. Did you mean 'bins'?",
    ],
    [
      'an unknown row option',
      () => metrics.brier().of(logits(), [0, 0, 0], { ignore: 3 } as object),
      "ValueError: metrics.brier: unknown option 'ignore'. known are: ignoreIndex, temperature",
    ],
    [
      'a temperature',
      () => metrics.brier().of(logits(), [0, 0, 0], { temperature: 0 }),
      'ValueError: metrics.brier: temperature is 0; it must be above 0.',
    ],
    [
      'an ignoreIndex',
      () => metrics.brier().of(logits(), [0, 0, 0], { ignoreIndex: 0.5 }),
      'ValueError: metrics.brier: ignoreIndex is 0.5; it must be an integer.',
    ],
    [
      'labels of another shape',
      () => metrics.accuracy().of(logits(), [0, 1]),
      'ShapeError: metrics.accuracy: logits are [3, 2], labels [2]; labels must be [3].\n  Mend: give one label for each row of logits.',
    ],
    [
      'labels that are no integers',
      () => metrics.accuracy().of(logits(), tensor([0, 1, 1])),
      'DtypeError: metrics.accuracy: the labels are f32; they must be i32 or u32.\n  Mend: cast them: toI32(labels).',
    ],
    [
      'no classes',
      () => metrics.accuracy().of(tensor([], { shape: [3, 0] }), [0, 0, 0]),
      'ShapeError: metrics.accuracy: the logits have a last axis of 0; a row needs a class.',
    ],
    [
      'a mean in the place of rows',
      () => metrics.rowMean((z, y) => losses.crossEntropy(z, y)).of(logits(), [0, 1, 1]),
      "ShapeError: metrics.rowMean: the values are [] for labels [3].\n  Mend: give the value of each row: { reduction: 'none' }.",
    ],
    [
      'a temperature for each row',
      () => metrics.brier().of(logits(), [0, 0, 0], { temperature: tensor([[1], [2], [3]]) }),
      'ShapeError: metrics.brier: temperature is [3, 1]; it must be 0-d.',
    ],
    [
      'labels of minus one for the negatives',
      () => metrics.areaUnderRoc([1, 2, 3], [1, -1, 1]),
      'ValueError: metrics.areaUnderRoc: the label of example 1 is -1; it must be 0 or 1.\n  Mend: compare with the positive class: labels.map((label) => label === 1).',
    ],
    [
      'scores without labels',
      () => metrics.areaUnderRoc([1, 2], [1]),
      'ShapeError: metrics.areaUnderRoc: there are 2 scores and 1 labels; they must be as many.',
    ],
  ])('%s', async (_, run, text) => {
    expect(await complaint(run)).toBe(text);
  });
});
