import { afterEach, describe, expect, test, vi } from 'vitest';
import { Timestamps } from '../../src/device/timestamps.js';
import { compile, grad, optim, Parameter, profile, square, sum, type Tensor } from '../../src/index.js';
import { middle } from '../../src/profile/middle.js';
import { chooseRepeats, durations, isCoarse, tickOf } from '../../src/profile/stamps.js';
import { useEngine } from '../support/engine.js';

const engine = useEngine();
afterEach(() => vi.restoreAllMocks());

describe('timestamps', () => {
  test.each([
    [65_536n, true],
    [100_000n, true],
    [1n, false],
    [52n, false],
  ])('that step by %i ns are found out', (tick, coarse) => {
    const runs = [
      BigUint64Array.of(70n * tick, 77n * tick, 1001n * tick, 1001n * tick),
      BigUint64Array.of(5000n * tick, 5003n * tick),
    ];
    expect(tickOf(runs)).toBe(Number(tick));
    expect(isCoarse(tickOf(runs))).toBe(coarse);
  });

  test('are differences in ms, never below 0', () => {
    expect(durations(BigUint64Array.of(1_000_000n, 3_500_000n, 9n, 8n))).toEqual([2.5, 0]);
  });

  test('call for repeats that fill ten ms, but not where a dispatch may run only once', () => {
    expect(chooseRepeats([2, 20, 0.5, 0], [true, true, false, true], 100_000)).toEqual([5, 1, 1, 400]);
  });

  test('more passes than a query set holds are told apart', async () => {
    const { device } = engine();
    if (!device.features.has('timestamp-query')) return;
    const passes = 2050;
    const timestamps = new Timestamps(device, passes);
    const encoder = device.gpu.createCommandEncoder();
    for (let i = 0; i < passes; i++) encoder.beginComputePass({ timestampWrites: timestamps.around(i) }).end();
    device.queue.submit([encoder.finish()]);
    const stamps = await timestamps.read();
    timestamps.destroy();
    expect(stamps).toHaveLength(2 * passes);
    expect(stamps.every((stamp) => stamp > 0n)).toBe(true);
    // The queue runs in order.
    expect((stamps.at(-1) ?? 0n) >= (stamps[0] ?? 0n)).toBe(true);
  });
});

test('the median is in the middle', () => {
  expect([middle([3, 1, 2]), middle([4, 1, 2, 3]), middle([5])]).toEqual([2, 2.5, 5]);
});

test('in rounded time what may be is repeated, and an update in place still happens once a step', async () => {
  if (!engine().device.features.has('timestamp-query')) return;
  const read = Timestamps.prototype.read;
  // As ordinary pages get them; the GPU's own are finer here.
  vi.spyOn(Timestamps.prototype, 'read').mockImplementation(async function (this: Timestamps) {
    return (await read.call(this)).map((stamp) => stamp - (stamp % 65_536n));
  });
  const w = new Parameter(new Array(2048).fill(1000));
  const optimizer = optim.sgd([w], { learningRate: 1 });
  // The gradient is 1, and the sums of these integers are exact.
  const step = compile((x: Tensor) => {
    optimizer.update(grad(sum(w), [w]));
    return sum(square(x));
  });
  const { dispatches, note, steps } = await profile(step, new Float32Array(2048));
  expect(note).toMatch(
    /^The mean of \d+ runs, each dispatch in a pass of its own, repeated there where it may be: this page's timestamps are rounded to 65.5 µs.$/,
  );
  const [updates, others] = [true, false].map((is) => dispatches.filter(({ label }) => label.includes('sgd') === is));
  expect(updates?.map(({ repeats }) => repeats)).toEqual([1]);
  // Of the others one that fills 10 ms alone need not be repeated, as on a slow adapter under load.
  for (const { repeats, ms } of others ?? []) if (repeats === 1) expect(ms).toBeGreaterThan(1);
  const repeated = dispatches.filter(({ repeats = 0 }) => repeats > 1);
  expect(repeated.length).toBeGreaterThan(0);
  for (const { ms } of repeated) expect(ms).toBeGreaterThan(0);
  expect(await w.data()).toEqual(new Float32Array(2048).fill(1000 - steps));
});
