/** What is printed of a set of samples. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  /** The middle half's width: third quartile less first. */
  readonly spread: number;
}

/** By linear interpolation between neighbours; `sorted` ascending, not empty. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN;
  return low + (high - low) * (at - below);
}

export function summarise(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    min: sorted[0] ?? Number.NaN,
    spread: quantile(sorted, 0.75) - quantile(sorted, 0.25),
  };
}

export function median(samples: readonly number[]): number {
  return summarise(samples).median;
}
