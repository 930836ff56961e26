import { describe, expect, test } from 'vitest';
import { type Engine, evaluator, losses, metrics, nn, tensor } from '../../src/index.js';
import { cases } from '../support/cases.js';
import { complaint } from '../support/complaint.js';
import { useEngine } from '../support/engine.js';
import { random, seedOf } from '../support/random.js';
import { draw, type Labelled, meanOf, nll } from './reference.js';

const engine: () => Engine = useEngine();

/** Hands its logits on. */
const identity = nn.module({ description: 'identity', forward: (x) => x });

const datasetOf = ({ rows, classes, labels }: Labelled) => ({
  logits: { data: Float32Array.from(rows.flat()), shape: [rows.length, classes] },
  labels: Uint32Array.from(labels),
});

const all = {
  accuracy: metrics.accuracy(),
  top2: metrics.topK(2),
  matrix: metrics.confusionMatrix(),
  recalls: metrics.perClassAccuracy(),
  nll: metrics.negativeLogLikelihood(),
  brier: metrics.brier(),
  ece: metrics.expectedCalibrationError(),
  mce: metrics.maximumCalibrationError({ binning: 'mass' }),
  diagram: metrics.reliabilityDiagram({ bins: 5 }),
  areas: metrics.perClassAuroc(),
};

describe.each(
  cases({ rows: [5, 257], classes: [1, 7], batchSize: [1, 64, 300] }).filter(
    // A step a row of 257 takes long and shows no more.
    ({ rows, batchSize }) => batchSize > 1 || rows < 257,
  ),
)('$label', ({ rows, classes, batchSize, label }) => {
  test('batches give what all rows at once give', async () => {
    const seed = seedOf(label);
    const data = draw(random(seed), 'normal', rows, classes);
    const evaluate = evaluator(identity, {
      batchSize,
      loss: (logits, labels) => losses.crossEntropy(logits, labels, { reduction: 'none' }),
      metrics: all,
    });
    const got = await evaluate(datasetOf(data));
    const logits = tensor(data.rows);
    const { nll: likelihood, brier, ...exact } = got.metrics;
    const { nll: _, brier: __, ...plain } = all;
    for (const [name, value] of Object.entries(exact)) {
      const metric = plain[name as keyof typeof plain];
      expect(value, `${name}, seed ${seed}`).toEqual(await metric.of(logits, data.labels));
    }
    expect([got.accuracy, got.perClassAccuracy, got.examples]).toEqual([exact.accuracy, exact.recalls, rows]);
    const { value, bound } = meanOf(data, nll);
    expect(Math.abs(likelihood - value), `likelihood, seed ${seed}`).toBeLessThanOrEqual(bound);
    // The loss's own roundings are some 32 of each value, and absolute ones of its log-sum-exp.
    expect(Math.abs(got.loss - value), `loss, seed ${seed}`).toBeLessThanOrEqual(bound + 64 * 2 ** -24 * (1 + value));
    // Two orders of summing the rows.
    expect(Math.abs(brier - (await all.brier.of(logits, data.labels)))).toBeLessThanOrEqual(
      2 * rows * 2 ** -24 * brier,
    );
  });
});

test('figures of a user stand apart from the standard ones, whatever their names', async () => {
  const data = draw(random(9), 'normal', 20, 3);
  const evaluate = evaluator(identity, { metrics: { loss: metrics.topK(3), accuracy: metrics.brier() } });
  const { loss, accuracy, metrics: own } = await evaluate(datasetOf(data));
  expect(loss).toBeNaN();
  expect(accuracy).toBe(await metrics.accuracy().of(tensor(data.rows), data.labels));
  expect(own.loss).toBe(1);
  expect(own.accuracy).toBe(await metrics.brier().of(tensor(data.rows), data.labels));
});

test('what several figures want comes back once', async () => {
  const data = datasetOf(draw(random(9), 'normal', 20, 3));
  const reads = async (further: Parameters<typeof evaluator>[1]) => {
    const evaluate = evaluator(identity, further);
    await evaluate(data);
    const { readback } = engine().device;
    const own = readback.read.bind(readback);
    let count = 0;
    readback.read = (...given) => {
      count++;
      return own(...given);
    };
    try {
      await evaluate(data);
    } finally {
      readback.read = own;
    }
    return count;
  };
  // Examples, the first wrong label, hits; label and outcome of each row.
  expect(await reads({})).toBe(5);
  const { ece, mce, diagram } = all;
  // The three share confidences, and the outcomes with the accuracy by class.
  expect(await reads({ metrics: { ece, mce, diagram } })).toBe(6);
});

test('temperature and ignoreIndex reach every figure', async () => {
  const data = draw(random(4), 'normal', 33, 3);
  const options = { ignoreIndex: 1, temperature: 4 };
  const evaluate = evaluator(identity, { ...options, batchSize: 8, metrics: { matrix: all.matrix, ece: all.ece } });
  const { examples, metrics: own } = await evaluate(datasetOf(data));
  expect(examples).toBe(data.labels.filter((label) => label !== 1).length);
  expect(own.matrix).toEqual(await all.matrix.of(tensor(data.rows), data.labels, options));
  expect(own.ece).toBe(await all.ece.of(tensor(data.rows), data.labels, options));
});

test('two evaluations at once, and training between them, each in its own mode', async () => {
  const model = nn.sequential(nn.dropout(0.9), identity);
  const evaluate = evaluator(model, { batchSize: 8, metrics: { matrix: all.matrix } });
  const long = datasetOf(draw(random(5), 'normal', 100, 5));
  const short = datasetOf(draw(random(6), 'normal', 5, 5));
  const alone = await evaluate(long);
  const [, together] = await Promise.all([evaluate(short), evaluate(long)]);
  expect(together).toEqual(alone);
  expect(model.training).toBe(true);
  // Whoever trains meanwhile is in training mode: of 500 elements dropout leaves about 50.
  const under = evaluate(long);
  const kept = Array.from(await model(tensor(new Float32Array(500).fill(1), { shape: [100, 5] })).data());
  expect(kept.filter((one) => one !== 0).length).toBeLessThan(150);
  expect(await under).toEqual(alone);
});

describe('refuses', () => {
  const data = draw(random(4), 'normal', 20, 3);
  const dataset = datasetOf({ ...data, labels: data.labels.map((label, i) => (i === 17 ? 3 : label)) });

  test('a label that is no class, by its row in the dataset; the mode of the model comes back', async () => {
    const model = nn.sequential(nn.dropout(0.5), nn.linear(3, 3));
    for (const loss of [undefined, losses.crossEntropy] as const) {
      const evaluate = evaluator(model, {
        batchSize: 8,
        ...(loss && { loss: (z, y) => loss(z, y, { reduction: 'none', check: 'none' }) }),
      });
      expect(await complaint(() => evaluate(dataset))).toBe(
        'ValueError: evaluator: the label of row 17 is not one of the 3 classes.\n' +
          '  Mend: labels go from 0 to 2; ignoreIndex names one to leave out.',
      );
    }
    expect(model.training).toBe(true);
  });

  test('a model of other classes than it was told, and an unknown option', async () => {
    expect(await complaint(() => evaluator(identity, { classes: 10 })(dataset))).toBe(
      "ShapeError: evaluator: classes is 10, but the model's logits have 3.",
    );
    expect(await complaint(() => evaluator(identity, { batch: 10 } as object))).toBe(
      "ValueError: evaluator: unknown option 'batch'. known are: loss, metrics, batchSize, classes, ignoreIndex, temperature",
    );
  });
});
