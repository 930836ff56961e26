import { areaUnderRoc } from './areaUnderRoc.js';
import { derivedFrom, type Metric, metricOf } from './metric.js';

/**
 * The area under the ROC curve of each class against all others, ranked by its probability: `[classes]`, ties counted
 * half; NaN for a class that no row or every row has. For two classes both numbers are the usual binary one.
 *
 * The logits and labels of all rows come back once: 4 (classes + 1) bytes a row. Probabilities are compared by their
 * log-odds, in float64 and with the largest other logit apart, so that none that differ are rounded to a tie near 1, or
 * at it. A row with NaN or +infinity makes all of it NaN.
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
      /** For each class, the log-odds of each row. */
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
            for (const [k, score] of logOdds(z).entries()) scores[k]?.push(score);
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

/**
 * `log(p / (1 - p))` of each class: its logit less the log-sum-exp of the others. It orders rows as p does, and goes on
 * where p ends at 1. Equal probabilities of two or three classes give equal bits, in whatever order their logits stand.
 */
function logOdds(z: readonly number[]): number[] {
  const top = z.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(top)) return z.map(() => Number.NaN);
  const first = z.indexOf(top);
  const others = z.map((x, k) => (k === first ? Number.NEGATIVE_INFINITY : x));
  const rival = others.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const second = others.indexOf(rival);
  const powers = others.map((x) => Math.exp(x - top));
  // What follows each class; what went before it grows below. A class's own power is never taken off a sum again.
  const after = powers.map(() => 0);
  for (let k = z.length - 2; k >= 0; k--) after[k] = (after[k + 1] ?? 0) + (powers[k + 1] ?? 0);
  let before = 0;
  return z.map((x, k) => {
    if (k === first) {
      if (rival === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY;
      return x - rival - Math.log1p(others.reduce((sum, y, j) => (j === second ? sum : sum + Math.exp(y - rival)), 0));
    }
    const odds = x - top - Math.log1p(before + (after[k] ?? 0));
    before += powers[k] ?? 0;
    return odds;
  });
}
