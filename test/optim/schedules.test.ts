import { expect, test } from 'vitest';
import { optim } from '../../src/index.js';

test('constant stays', () => {
  expect([0, 5, 1e6].map(optim.constant(0.1))).toEqual([0.1, 0.1, 0.1]);
});

test('step falls by its factor', () => {
  expect([0, 9, 10, 19, 20].map(optim.step(1, { every: 10, factor: 0.5 }))).toEqual([1, 1, 0.5, 0.5, 0.25]);
});

test('cosine goes from the rate over its half to the minimum, and stays', () => {
  const rate = optim.cosine(2, { steps: 100, minimum: 1 });
  expect([0, 50, 100, 200].map(rate)).toEqual([2, 1.5, 1, 1].map((x) => expect.closeTo(x, 12)));
});

test('warm-up rises linearly, then follows', () => {
  const rate = optim.warmup(optim.step(1, { every: 10 }), { steps: 4 });
  expect([0, 1, 2, 3, 4, 13, 14].map(rate)).toEqual([0.25, 0.5, 0.75, 1, 1, 1, 0.1].map((x) => expect.closeTo(x, 12)));
});

test('one cycle follows PyTorch: a 25th, the maximum after the rise, almost nothing at the end', () => {
  // OneCycleLR's two phases end at steps rise * steps - 1 and steps - 1.
  const rate = optim.oneCycle(1, { steps: 10 });
  expect(rate(0)).toBeCloseTo(0.04, 12);
  expect(rate(2)).toBeCloseTo(1, 12);
  expect(rate(9)).toBeCloseTo(4e-6, 12);
  const middle = 4e-6 + 0.5 * (1 - 4e-6) * (1 + Math.cos((Math.PI * 3) / 7));
  expect(rate(5)).toBeCloseTo(middle, 12);
});

test('steps must be positive', () => {
  expect(() => optim.cosine(1, { steps: 0 })).toThrow('optim.cosine: steps is 0; it must be above 0.');
});
