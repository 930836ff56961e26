import { expect } from 'vitest';

interface CotangentMatchers<R = unknown> {
  /** Each number is at most `bound` away from 0. */
  toBeAllWithin(bound: number): R;
}

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: the declaration that it merges with says so.
  interface Matchers<T = any> extends CotangentMatchers<T> {}
}

expect.extend({
  toBeAllWithin(received: ArrayLike<number>, bound: number) {
    const numbers = Array.from(received);
    const index = numbers.findIndex((value) => !(Math.abs(value) <= bound));
    return {
      pass: index < 0 && numbers.length > 0,
      message: () =>
        numbers.length === 0
          ? 'there are no numbers: nothing was tested'
          : `element ${index} is ${numbers[index]}, allowed ${bound}`,
    };
  },
});
