/** All finite numbers that f16 holds from 0 up, by their bits: as IEEE 754 defines binary16. */
export const HALVES: readonly number[] = Array.from({ length: 0x7c00 }, (_, bits) => {
  const exponent = bits >> 10;
  const fraction = (bits & 0x3ff) / 0x400;
  return exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
});

/** From here on rounding gives infinity: half a step above the greatest. */
const OVERFLOW = 65520;

/** The nearest f16, found among all of them; of two the one with even bits. */
export function nearestHalf(value: number): number {
  const size = Math.abs(value);
  if (Number.isNaN(value) || size === 0) return value;
  const sign = Math.sign(value);
  if (size >= OVERFLOW) return sign * Number.POSITIVE_INFINITY;
  let [low, high] = [0, HALVES.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((HALVES[middle] as number) <= size) low = middle;
    else high = middle;
  }
  const below = HALVES[low] as number;
  const above = HALVES[low + 1] ?? 65536;
  const nearer = size - below - (above - size);
  return sign * (nearer < 0 || (nearer === 0 && low % 2 === 0) ? below : above);
}

/** How far rounding to f16 may move a number. */
export function halfRounding(value: number): number {
  return Number.isFinite(value) ? Math.max(2 ** -11 * Math.abs(value), 2 ** -25) : 0;
}
