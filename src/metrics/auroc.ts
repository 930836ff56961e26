import { areaUnderRoc } from './areaUnderRoc.js';
import { derivedFrom, type Metric, metricOf } from './metric.js';

/**
 * The area under the ROC curve of each class against all others, ranked by its probability: `[classes]`, ties counted
 * half; NaN for a class that no row or every row has. For two classes both numbers are the usual binary one.
 *
 * The logits and labels of all rows come back once: 4 (classes + 1) bytes a row. Probabilities are compared by their
 * logarithms, in float64 and with the largest logit apart, so that none that differ are rounded to a tie near 1. A row
 * with NaN or +infinity makes all of it NaN.
 *
 * @example const areas = await metrics.perClassAuroc().of(logits, labels);
 */
export function perClassAuroc(): Metric<number[]> {
  return areas('metrics.perClassAuroc');
}

/**
 * The area under the ROC curve: for two classes the usual binary one, for more the plain mean (macro) over the classes,
 * each against all others, as scikit-learn's `roc_auc_score(multi_class='ovr')`. A class that no row or every row
 * has is left out of the mean, where scikit-learn refuses; NaN when none is left. All else as in `perClassAuroc`.
 *
 * @example const auroc = await metrics.auroc().of(logits, labels);
 */
export function auroc(): Metric<number> {
  const op = 'metrics.auroc';
  return derivedFrom(op, areas(op), (all) => {
    const defined = all.filter((area) => !Number.isNaN(area));
    return defined.reduce((sum, area) => sum + area, 0) / defined.length;
  });
}

function areas(op: string): Metric<number[]> {
  return metricOf(
    op,
    ({ logits, labels }) => [logits, labels],
    () => {
      /** For each class, the log-probability of each row. */
      const scores: number[][] = [];
      const labels: number[] = [];
      return {
        add: ([logits = [], given = []], { classes }) => {
          while (scores.length < classes) scores.push([]);
          for (let row = 0; row < given.length; row++) {
            const label = given[row] ?? -1;
            if (label < 0) continue;
            labels.push(label);
            const z = Array.from({ length: classes }, (_, k) => logits[row * classes + k] ?? Number.NaN);
            for (const [k, score] of logProbabilities(z).entries()) scores[k]?.push(score);
          }
        },
        value: () =>
          scores.map((of, k) =>
            areaUnderRoc(
              of,
              labels.map((label) => label === k),
            ),
          ),
      };
    },
  );
}

function logProbabilities(z: readonly number[]): number[] {
  const maximum = z.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const first = z.indexOf(maximum);
  const others = z.reduce((sum, x, k) => (k === first ? sum : sum + Math.exp(x - maximum)), 0);
  const logSum = maximum === Number.POSITIVE_INFINITY ? Number.NaN : Math.log1p(others);
  return z.map((x) => x - maximum - logSum);
}
