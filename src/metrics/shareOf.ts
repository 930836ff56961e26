import type { Tally } from './metric.js';

/** The sum of one number a batch, by all rows that counted. */
export function shareOf(): Tally<number> {
  let total = 0;
  let count = 0;
  return {
    add: ([part], { examples }) => {
      total += part?.[0] ?? Number.NaN;
      count += examples;
    },
    value: () => total / count,
  };
}
