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

/**
 * The standard error of the difference of two means of independent runs. Runs that share a seed, and so their first
 * weights and the order of the examples, are taken as independent all the same: the error is rather too large then.
 */
export function errorOfDifference(a: Spread, b: Spread): number {
  return Math.hypot(a.error, b.error);
}

/**
 * How often two methods that are equally good come out more than `errors` standard errors of the difference apart, with
 * `runs` normal runs of equal spread each: both tails of Student's t with 2 runs - 2 degrees of freedom.
 * @source Student 1908; for even degrees of freedom Abramowitz, Stegun 1964, 26.7.4.
 */
export function chanceBeyond(errors: number, runs: number): number {
  const degrees = 2 * runs - 2;
  const cosine2 = degrees / (degrees + errors ** 2);
  let [term, sum] = [1, 1];
  for (let k = 2; k <= degrees - 2; k += 2) {
    term *= (cosine2 * (k - 1)) / k;
    sum += term;
  }
  return 1 - Math.sqrt(1 - cosine2) * sum;
}

/** What a reader should know of a verdict by so many standard errors. */
export function chanceNote(errors: number, runs: number): string {
  if (runs < 2) return 'One seed shows no spread: every difference counts as more than chance.';
  const share = `${Math.round(100 * chanceBeyond(errors, runs))} %`;
  return `With ${runs} seeds two methods that are equally good come out more than ${errors === 1 ? 'one standard error' : `${errors} standard errors`} of the difference apart in ${share} of cases (Student's t), either way. All are tested on the same examples: how much other test examples would change is not in these errors.`;
}
