/** Metrics in float64, written from their definitions, apart from the library: by sorting, filtering and all pairs. */

import type { Random } from '../support/random.js';

export interface Labelled {
  readonly classes: number;
  readonly rows: readonly (readonly number[])[];
  readonly labels: readonly number[];
}

export type Kind = 'normal' | 'tied' | 'extreme';

const DRAWS: Readonly<Record<Kind, (random: Random) => number>> = {
  normal: ({ normal }) => 2 * normal(),
  tied: ({ integer }) => integer(-1, 1),
  // Hopeless rows, certain ones, and some near a tie.
  extreme: ({ pick, normal }) => pick([1e4, -1e4, 1e4 - 1, 0]) + normal(),
};

export function draw(random: Random, kind: Kind, rows: number, classes: number): Labelled {
  return {
    classes,
    rows: Array.from({ length: rows }, () => Array.from(random.floats(classes, DRAWS[kind]))),
    labels: Array.from({ length: rows }, () => random.below(classes)),
  };
}

/** Classes by falling logit; of equal ones the first first. */
function ranking(z: readonly number[]): number[] {
  return [...z.keys()].sort((a, b) => (z[b] as number) - (z[a] as number) || a - b);
}

export function topK({ rows, labels }: Labelled, k: number): number {
  return mean(
    rows.map((z, i) =>
      Number(
        ranking(z)
          .slice(0, k)
          .includes(labels[i] as number),
      ),
    ),
  );
}

export function confusion({ rows, labels, classes }: Labelled): number[][] {
  const predictions = rows.map((z) => ranking(z)[0]);
  const pick = (label: number, prediction: number) =>
    labels.filter((y, i) => y === label && predictions[i] === prediction).length;
  return Array.from({ length: classes }, (_, y) => Array.from({ length: classes }, (__, p) => pick(y, p)));
}

export function perClassAccuracy(data: Labelled): number[] {
  return confusion(data).map((row, y) => (row[y] as number) / row.reduce((a, b) => a + b, 0));
}

/** A value with what float32 may lose of it. */
export interface Bounded {
  readonly value: number;
  readonly bound: number;
}

const EPSILON = 2 ** -24;
/** Below it f32 may be flushed to zero. */
const LEAST = 2 ** -126;

/** `-log p` of the label, from the log-odds x of all others together against it. */
export function nll(z: readonly number[], y: number): Bounded {
  const others = z.filter((_, j) => j !== y);
  if (others.length === 0) return { value: 0, bound: 0 };
  const own = z[y] as number;
  const highest = Math.max(...others);
  const odds = highest - own + Math.log(others.reduce((sum, x) => sum + Math.exp(x - highest), 0));
  const value = odds > 0 ? odds + Math.log1p(Math.exp(-odds)) : Math.log1p(Math.exp(odds));
  // The shifted logits are rounded, then their log-sum-exp: its largest term, its exponentials (3 + 2 |x| ulp, whose mean
  // |x| is at most log classes), their sum; then the difference. -log p follows the odds by 1 - p, and is rounded itself.
  const top = Math.max(...z);
  const sizes = Math.abs(own - top) + Math.abs(highest - top) + Math.abs(odds);
  const slack = EPSILON * (3 * sizes + 2 * (4 + 2 * Math.log(z.length)) + z.length + 8);
  return { value, bound: slack * (1 - Math.exp(-value)) + 16 * EPSILON * value + LEAST };
}

interface Chances {
  readonly p: readonly number[];
  /** What float32 may lose of each. */
  readonly bounds: readonly number[];
}

function chances(z: readonly number[]): Chances {
  const top = Math.max(...z);
  const powers = z.map((x) => Math.exp(x - top));
  const total = powers.reduce((a, b) => a + b, 0);
  const p = powers.map((one) => one / total);
  // exp: 3 + 2 |x| ulp, above and (weighed by p, so that |x| is at most log classes) in the sum; a rounding of x itself,
  // one a term of the sum, and the quotient.
  const inSum = 2 * (3 + 2 * Math.log(z.length)) + z.length + 8;
  const bounds = p.map((one, j) => {
    const x = Math.abs((z[j] as number) - top);
    return one * EPSILON * (2 * (3 + 2 * x) + x + inSum) + LEAST;
  });
  return { p, bounds };
}

export function brier(z: readonly number[], y: number): Bounded {
  const { p, bounds } = chances(z);
  const value = p.reduce((sum, one, j) => sum + (one - Number(j === y)) ** 2, 0);
  const others = p.reduce((sum, one, j) => sum + (j === y ? 0 : one), 0);
  // Twice each probability times its error, in the square of their sum and in the sum of their squares.
  const bound = p.reduce((sum, one, j) => sum + (j === y ? 0 : 2 * (others + one) * (bounds[j] as number)), 0);
  // 1 - p above cancels in float64: 2^-53 of it.
  return { value, bound: bound + EPSILON * (z.length + 4) * value + 2 ** -52 };
}

/** The mean of the rows' values; a batch is summed in f32, one rounding a row at most. */
export function meanOf(data: Labelled, row: (z: readonly number[], y: number) => Bounded): Bounded {
  const all = data.rows.map((z, i) => row(z, data.labels[i] as number));
  const value = mean(all.map((one) => one.value));
  return { value, bound: mean(all.map((one) => one.bound)) + EPSILON * (all.length + 2) * value };
}

/** Each row's confidence, whether it is right, and what float32 may lose of the confidence. */
export function confidences({ rows, labels }: Labelled): { c: number; right: number; bound: number }[] {
  return rows.map((z, i) => {
    const { p, bounds } = chances(z);
    const best = ranking(z)[0] as number;
    return { c: p[best] as number, right: Number(best === labels[i]), bound: bounds[best] as number };
  });
}

interface Point {
  readonly c: number;
  readonly right: number;
}

export interface ReferenceBin {
  readonly count: number;
  readonly confidence: number;
  readonly accuracy: number;
}

/** Guo et al. 2017: bin m holds the confidences in `((m - 1) / M, m / M]`. */
export function binsByWidth(points: readonly Point[], count: number): ReferenceBin[] {
  return Array.from({ length: count }, (_, m) =>
    binOf(points.filter(({ c }) => (c > m / count || m === 0) && (c <= (m + 1) / count || m === count - 1))),
  );
}

/** Nguyen, O'Connor 2015: as many in each. Points of one confidence are right to the same part. */
export function binsByMass(points: readonly Point[], count: number): ReferenceBin[] {
  const shared = [...points]
    .sort((a, b) => a.c - b.c)
    .map(({ c }) => ({ c, right: mean(points.filter((other) => other.c === c).map(({ right }) => right)) }));
  const end = (m: number) => Math.floor((m * points.length) / count);
  return Array.from({ length: count }, (_, m) => binOf(shared.slice(end(m), end(m + 1))));
}

function binOf(points: readonly Point[]): ReferenceBin {
  return {
    count: points.length,
    confidence: mean(points.map(({ c }) => c)),
    accuracy: mean(points.map(({ right }) => right)),
  };
}

export function errorsOf(bins: readonly ReferenceBin[]): { expected: number; maximum: number } {
  const filled = bins.filter(({ count }) => count > 0);
  const all = filled.reduce((sum, { count }) => sum + count, 0);
  const gap = ({ accuracy, confidence }: ReferenceBin) => Math.abs(accuracy - confidence);
  return {
    expected: filled.reduce((sum, bin) => sum + (bin.count * gap(bin)) / all, 0),
    maximum: Math.max(...filled.map(gap)),
  };
}

/**
 * All pairs of a positive and a negative: 1 where the positive is above, 1/2 at a tie.
 * @param near what scores are that float64 cannot tell apart.
 */
export function areaByPairs(
  scores: readonly number[],
  positive: readonly boolean[],
  near: 'a tie' | 'either way' = 'a tie',
): Bounded {
  const above = scores.filter((_, i) => positive[i]);
  const below = scores.filter((_, i) => !positive[i]);
  const isNear = (a: number, b: number) =>
    a === b || Math.abs(a - b) <= 2 ** -44 * Math.max(1, Math.abs(a), Math.abs(b));
  const pairs = above.flatMap((a) => below.map((b) => (isNear(a, b) ? 0.5 : Number(a > b))));
  const open = near === 'either way' ? pairs.filter((one) => one === 0.5).length / 2 : 0;
  // The mean of so many halves is rounded.
  return { value: mean(pairs), bound: open / pairs.length + 2 ** -50 };
}

/** log(p / (1 - p)) of a class, in float64: its logit against the log-sum-exp of the others. */
export function logOdds(z: readonly number[], k: number): number {
  const others = z.filter((_, j) => j !== k).sort((a, b) => b - a);
  const [highest, ...rest] = others;
  if (highest === undefined) return Number.POSITIVE_INFINITY;
  return (z[k] as number) - highest - Math.log1p(rest.reduce((sum, x) => sum + Math.exp(x - highest), 0));
}

export function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
