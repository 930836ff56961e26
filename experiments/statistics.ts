/** What is told of a few equal runs. */
export interface Spread {
  readonly mean: number;
  /** Standard deviation, of the population that the runs are drawn from (n - 1); 0 for one run. */
  readonly deviation: number;
  /** Of the mean: `deviation / sqrt(n)`. */
  readonly error: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const { length } = values;
  const mean = values.reduce((sum, value) => sum + value, 0) / length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = length > 1 ? Math.sqrt(squares / (length - 1)) : 0;
  return { mean, deviation, error: deviation / Math.sqrt(length) };
}

/** The standard error of the difference of two means of independent runs. */
export function errorOfDifference(a: Spread, b: Spread): number {
  return Math.hypot(a.error, b.error);
}
