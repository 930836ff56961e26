import { expect, test } from 'vitest';
import { byHand } from '../../bench/cases/step/byHand.js';
import { makeProblem } from '../../bench/cases/step/problem.js';
import { trainInFloat64 } from '../../bench/cases/step/reference.js';
import { openByHand } from '../../bench/peers/byHand/handGpu.js';

// The hand-built step writes hooks for the library's kernels, so a kernel that changes its contract shows here
// before it shows in a benchmark.
test.each([
  { widths: [2, 16, 16, 2], batch: 32 },
  // Sizes that no tile divides.
  { widths: [7, 33, 5], batch: 19 },
  { widths: [5, 3], batch: 3 },
])('the step by hand follows its float64 reference: $widths, batch $batch', async (size) => {
  const device = await openByHand();
  const problem = makeProblem({ ...size, rule: 'momentum' }, 0);
  const reference = trainInFloat64(problem, 3);
  const contender = await byHand(device, problem);
  expect(contender.dispatches?.()).toBe(3 * problem.layers.length);
  for (let i = 0; i < 3; i++) contender.run();
  await contender.settle();
  const results = await contender.results();

  // Ten roundings of a loss below 4; weights below 2 are rounded a few times in each step.
  expect(Math.abs((results.loss?.[0] ?? Number.NaN) - reference.loss)).toBeLessThan(10 * 4 * 2 ** -24);
  reference.layers.forEach(({ weight, bias }, i) => {
    expect(largestDifference(results[`weight${i}`], weight)).toBeLessThan(10 * 2 * 2 ** -24);
    expect(largestDifference(results[`bias${i}`], bias)).toBeLessThan(10 * 2 * 2 ** -24);
  });
  contender.dispose();
  device.destroy();
});

function largestDifference(values: ArrayLike<number> | undefined, expected: Float64Array): number {
  expect(values?.length).toBe(expected.length);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs((values?.[i] ?? Number.NaN) - value)), 0);
}
