/** Timestamps that step by so much, in ns, are rounded on purpose: pages get 65536 or 100000, drivers below 100. */
const COARSE = 10_000;
/** Where they are coarse, a dispatch runs about so long between two of them. */
const ENOUGH_MS = 10;
const MOST_REPEATS = 1024;

/** The largest step in ns that all timestamps are multiples of. */
export function tickOf(runs: readonly BigUint64Array[]): number {
  let tick = 0n;
  for (const stamps of runs) for (const stamp of stamps) tick = divisor(tick, stamp);
  return Number(tick);
}

function divisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

export function isCoarse(tick: number): boolean {
  return tick >= COARSE;
}

/** The ms between each pass's two timestamps. */
export function durations(stamps: BigUint64Array): number[] {
  return Array.from({ length: stamps.length / 2 }, (_, i) => {
    // Some drivers swap two that are close.
    const ns = (stamps[2 * i + 1] ?? 0n) - (stamps[2 * i] ?? 0n);
    return ns > 0n ? Number(ns) / 1e6 : 0;
  });
}

/** How often each dispatch must run to fill its time; once where it may run only once. */
export function chooseRepeats(times: readonly number[], repeatable: readonly boolean[], tick: number): number[] {
  // A time of less than a tick may read as 0.
  const least = tick / 4e6;
  return times.map((ms, i) =>
    repeatable[i] === true ? Math.min(MOST_REPEATS, Math.ceil(ENOUGH_MS / Math.max(ms, least))) : 1,
  );
}
