import { describe, expect, test } from 'vitest';
import { median, quantile, summarise } from '../../bench/statistics.js';

describe('statistics of samples', () => {
  test.each([
    ['one', [3], 3],
    ['an odd number, in any order', [9, 1, 4], 4],
    ['an even number: between the middle two', [4, 1, 2, 9], 3],
    ['one outlier does not move it', [1, 1, 1, 1e9], 1],
  ])('the median of %s', (_, samples, expected) => {
    expect(median(samples)).toBe(expected);
  });

  test('quantiles run linearly between neighbours', () => {
    expect([0, 0.125, 0.25, 1].map((share) => quantile([10, 20, 30, 40, 50], share))).toEqual([10, 15, 20, 50]);
  });

  test('the spread is the width of the middle half, and does not mind the order', () => {
    expect(summarise([50, 10, 30, 20, 40])).toEqual({ median: 30, min: 10, spread: 20 });
  });
});
