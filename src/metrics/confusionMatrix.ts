import { type Metric, metricOf } from './metric.js';

/**
 * How often each class was taken for each: `matrix[label][prediction]` counts rows, so that a row's sum is the number of
 * its class's examples, as in scikit-learn. A row of logits with NaN has no prediction and is in no cell.
 *
 * The host counts: a label and a prediction a row are fewer numbers than a matrix a batch wherever there are many classes.
 *
 * @example const matrix = await metrics.confusionMatrix().of(logits, labels);
 */
export function confusionMatrix(): Metric<number[][]> {
  return metricOf(
    'metrics.confusionMatrix',
    ({ labels, prediction }) => [labels, prediction],
    () => {
      let counts = new Float64Array(0);
      let classes = 0;
      return {
        add: ([labels = [], predictions = []], batch) => {
          classes = batch.classes;
          if (counts.length === 0) counts = new Float64Array(classes * classes);
          for (let i = 0; i < labels.length; i++) {
            const [label = -1, prediction = -1] = [labels[i], predictions[i]];
            if (label < 0 || prediction < 0) continue;
            const cell = label * classes + prediction;
            counts[cell] = (counts[cell] ?? 0) + 1;
          }
        },
        value: () =>
          Array.from({ length: classes }, (_, label) =>
            Array.from(counts.subarray(label * classes, (label + 1) * classes)),
          ),
      };
    },
  );
}
