import { boundedSum } from './reduce.js';
import { at, empty, SMALLEST_NORMAL, sumRoundings, ULP, type Value } from './value.js';

/** Mean and variance over the trailing axes beyond `shape`, which ends in the two. In two passes. */
export function momentsOf(source: Value, shape: readonly number[]): Value {
  const result = empty(shape, 'f32');
  const rows = result.data.length / 2;
  const count = rows === 0 ? 0 : source.data.length / rows;
  for (let row = 0; row < rows; row++) {
    const x = (k: number) => at(source.data, row * count + k);
    const slack = (k: number) => at(source.error, row * count + k);
    const items = Array.from({ length: count }, (_, k) => k);
    if (!items.every((k) => Number.isFinite(x(k))) || count === 0) {
      result.data.fill(Number.NaN, 2 * row, 2 * row + 2);
      continue;
    }
    const [sum, error] = boundedSum(count, x, slack);
    const mean = sum / count;
    // Each combination rounds the mean, and those that follow shrink that as they do its share: a few steps remain.
    const meanError = error / count + (count > 1 ? ULP * (3 * Math.abs(mean) + largest(items.map(x))) : 0);
    let squares = 0;
    let slope = 0;
    for (const k of items) {
      const apart = Math.abs(x(k) - mean);
      squares += apart * apart;
      // A deviation is off by the item's error, by the mean's that it was taken from, and by its own rounding.
      const off = slack(k) + meanError + ULP * (apart + Math.abs(mean));
      slope += 2 * apart * off + off * off;
    }
    const roundings = sumRoundings(count, true) + 6;
    result.data[2 * row] = mean;
    result.data[2 * row + 1] = squares / count;
    result.error[2 * row] = meanError + SMALLEST_NORMAL;
    result.error[2 * row + 1] = (slope + roundings * ULP * squares) / count + SMALLEST_NORMAL;
  }
  return result;
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
