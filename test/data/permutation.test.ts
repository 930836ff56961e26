import { describe, expect, test } from 'vitest';
import { integersBelow, permutation } from '../../src/data/permutation.js';
import { philoxBigInt } from './philoxBigInt.js';
import { seeds } from './random.js';

describe('permutation', () => {
  test.each([0, 1, 2, 3, 257, 10_000])('of %i holds each index once', (count) => {
    const order = permutation(count, { seed: 1, stream: 2, epoch: 3 });
    expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  test.each(seeds(4))('follows Fisher-Yates over 64-bit Philox (seed %i)', (seed) => {
    const count = 200;
    const words = Array.from({ length: 100 }, (_, block) => philoxBigInt([block, 9, 0, 0], [seed, 5])).flat();
    const expected = Array.from({ length: count }, (_, i) => i);
    let used = 0;
    for (let i = count - 1; i > 0; i--) {
      const bound = i + 1;
      while ((words[used] ?? 0) >= 2 ** 32 - (2 ** 32 % bound)) used++;
      const j = (words[used++] ?? 0) % bound;
      [expected[i], expected[j]] = [expected[j] ?? -1, expected[i] ?? -1];
    }
    expect(Array.from(permutation(count, { seed, stream: 5, epoch: 9 }))).toEqual(expected);
  });

  test('every order of three comes equally often', () => {
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < 6000; epoch++) {
      const order = permutation(3, { seed: 0, stream: 0, epoch }).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    const chiSquared = Array.from(counts.values(), (seen) => (seen - 1000) ** 2 / 1000).reduce((a, b) => a + b);
    // 5 degrees of freedom: 20.5 is passed by one generator in a thousand, and this one is fixed.
    expect(chiSquared).toBeLessThan(20.5);
  });

  test('seed, stream and epoch each change the order', () => {
    const key = { seed: 0, stream: 0, epoch: 0 };
    const orders = [key, { ...key, seed: 1 }, { ...key, stream: 1 }, { ...key, epoch: 1 }].map((each) =>
      permutation(50, each).join(),
    );
    expect(new Set(orders).size).toBe(4);
  });

  test('a bound just above 2^31 is drawn without bias', () => {
    // Nearly half of all words are refused at this bound; taking them modulo it would favour the lower half 2 to 1.
    const bound = 2 ** 31 + 1;
    const below = integersBelow({ seed: 3, stream: 0, epoch: 0 });
    const draws = Array.from({ length: 4000 }, () => below(bound));
    const small = draws.filter((value) => value < bound / 2).length;
    // Binomial(4000, 1/2): four standard deviations are 126.
    expect(Math.abs(small - 2000)).toBeLessThan(126);
    expect(Math.max(...draws)).toBeLessThan(bound);
  });
});
