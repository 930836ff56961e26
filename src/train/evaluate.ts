import { batches } from '../data/batches.js';
import type { Dataset } from '../data/fields.js';
import { checkNames, ShapeError } from '../errors.js';
import { compile } from '../graph/compile.js';
import { engine } from '../graph/current.js';
import type { HostArray } from '../graph/hostArray.js';
import type { Tensor } from '../graph/tensor.js';
import { accuracy } from '../metrics/accuracy.js';
import { Meter, type Metrics, type MetricValues, planOf } from '../metrics/meter.js';
import { perClassAccuracy } from '../metrics/perClassAccuracy.js';
import { meanOf } from '../metrics/rowMean.js';
import { ROW_OPTIONS, type RowOptions, Rows } from '../metrics/rows.js';
import { inEvaluation } from '../nn/inEvaluation.js';
import type { Module } from '../nn/module.js';

export interface Evaluation {
  /** Mean of the loss over all examples; NaN when no loss was given. */
  readonly loss: number;
  /** Part of the examples whose largest logit is their label's. */
  readonly accuracy: number;
  /** The same by class; NaN for a class without examples. */
  readonly perClassAccuracy: readonly number[];
  /** How many there were; ignored ones do not count. */
  readonly examples: number;
}

export interface EvaluateOptions<Of extends Metrics = Record<never, never>> extends RowOptions {
  /** `(logits [rows, classes], labels [rows]) -> value of each row`; its mean is reported. */
  readonly loss?: (logits: Tensor, labels: Tensor) => Tensor;
  /** Further figures, by names of your own: `{ top5: metrics.topK(5) }`. */
  readonly metrics?: Of;
  /** Default 256. */
  readonly batchSize?: number;
  /** Checked against the logits where it is given. */
  readonly classes?: number;
}

/** A compiled evaluation, to be used again and again: `data -> Evaluation`, with the values of its further metrics. */
export type Evaluator<Of extends Metrics = Record<never, never>> = <Fields extends Dataset<Fields>>(
  dataset: Fields,
) => Promise<Evaluation & { readonly metrics: MetricValues<Of> }>;

const OP = 'evaluator';

/**
 * Evaluates a classifier in `eval` mode: one compiled step a batch, and a few numbers a batch that come back while later
 * ones run. The mode of the model stays as it is: evaluations may run at the same time, and while it trains.
 *
 * @param model `[batch, ...]` to logits `[batch, ..., classes]`. The dataset's first field is its input, the second
 * the labels.
 * @throws ValueError (the evaluation rejects) for a label that is no class, with the row's number in the dataset.
 * @example
 * const evaluate = evaluator(model, { metrics: { top5: metrics.topK(5), ece: metrics.expectedCalibrationError() } });
 * const { accuracy, metrics: { top5, ece } } = await evaluate(testSet);
 */
export function evaluator<Of extends Metrics = Record<never, never>>(
  model: Module,
  options: EvaluateOptions<Of> = {},
): Evaluator<Of> {
  checkNames(OP, options, ['loss', 'metrics', 'batchSize', 'classes', ...ROW_OPTIONS]);
  const { loss, metrics = {} as Of, batchSize = 256, classes, ...rowOptions } = options;
  const all = {
    accuracy: accuracy(),
    perClassAccuracy: perClassAccuracy(),
    ...(loss && { loss: meanOf(OP, ({ logits, given }) => loss(logits, given), 'the loss is') }),
    // Whatever the user calls them, they stand apart.
    ...Object.fromEntries(Object.entries(metrics).map(([name, metric]) => [furtherName(name), metric])),
  };
  const step = compile(
    (inputs, labels) => {
      const rows = new Rows(
        OP,
        inEvaluation(model, () => model(inputs)),
        labels,
        rowOptions,
      );
      if (classes !== undefined && classes !== rows.classes) {
        throw new ShapeError(OP, `classes is ${classes}, but the model's logits have ${rows.classes}.`);
      }
      return planOf(all, rows);
    },
    { name: 'evaluate' },
  );
  return async <Fields extends Dataset<Fields>>(dataset: Fields) => {
    const meter = new Meter(OP, all);
    const owner = engine(OP);
    for await (const batch of batches(dataset, { size: batchSize, shuffle: false, pace: () => owner.pace() })) {
      const [inputs, labels] = Object.values(batch) as [HostArray, HostArray];
      meter.add(step(inputs, labels));
    }
    const values: Readonly<Record<string, unknown>> = await meter.values();
    const further = Object.keys(metrics).map((name) => [name, values[furtherName(name)]]);
    return {
      loss: (values.loss ?? Number.NaN) as number,
      accuracy: values.accuracy as number,
      perClassAccuracy: values.perClassAccuracy as number[],
      examples: meter.examples,
      // Each name with its own metric's value, which Object.fromEntries cannot say.
      metrics: Object.fromEntries(further) as MetricValues<Of>,
    };
  };
}

function furtherName(name: string): string {
  return `metrics.${name}`;
}
