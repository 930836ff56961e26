import { type Metric, metricOf } from './metric.js';

/**
 * The accuracy among the rows of each class, its recall: `[classes]`; NaN for a class without rows.
 *
 * @example const recalls = await metrics.perClassAccuracy().of(logits, labels);
 */
export function perClassAccuracy(): Metric<number[]> {
  return metricOf(
    'metrics.perClassAccuracy',
    ({ labels, outcome }) => [labels, outcome],
    () => {
      const right: number[] = [];
      const count: number[] = [];
      return {
        add: ([labels = [], outcomes = []], { classes }) => {
          while (count.length < classes) {
            right.push(0);
            count.push(0);
          }
          for (let i = 0; i < labels.length; i++) {
            const label = labels[i] ?? -1;
            if (label < 0) continue;
            count[label] = (count[label] ?? 0) + 1;
            right[label] = (right[label] ?? 0) + (outcomes[i] ?? 0);
          }
        },
        value: () => right.map((one, label) => one / (count[label] ?? 0)),
      };
    },
  );
}
