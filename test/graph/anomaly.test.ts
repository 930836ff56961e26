import { afterAll, expect, test } from 'vitest';
import { grad } from '../../src/autograd/grad.js';
import { AnomalyError } from '../../src/errors.js';
import { compile } from '../../src/graph/compile.js';
import { Parameter } from '../../src/graph/parameter.js';
import { repeat } from '../../src/graph/repeat.js';
import { tensor } from '../../src/graph/source.js';
import { callSites, type Tensor } from '../../src/graph/tensor.js';
import { add, divide, multiply, subtract } from '../../src/ops/arithmetic.js';
import { log, sqrt } from '../../src/ops/exponential.js';
import { sum } from '../../src/ops/reduce.js';
import * as optim from '../../src/optim/index.js';
import { useOwnEngine } from '../support/engine.js';

useOwnEngine({ anomaly: true });
afterAll(() => {
  callSites.record = false;
});

async function anomaly(run: () => Promise<unknown>): Promise<AnomalyError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof AnomalyError) return error;
    throw error;
  }
  throw new Error('nothing was found');
}

test('the first op that made a NaN is named, with its line', async () => {
  const x = tensor([1, 2, 3]);
  const error = await anomaly(() => sum(multiply(add(log(subtract(x, 2)), 1), 2)).data());
  expect(error.op).toBe('log');
  expect(error.callSite).toMatch(/^anomaly\.test\.ts:\d+:\d+$/);
  expect(error.message.replace(/\n {2}at .*/, '')).toBe(
    'log: element 0 of its output [3] is NaN.\n  Mend: this is the first op that made one; look at its inputs.',
  );
});

test('an infinity counts, in a compiled step too', async () => {
  const step = compile((x: Tensor) => sum(divide(1, x)));
  expect((await anomaly(() => step(Float32Array.of(1, 0)).item())).message).toContain(
    'divide: element 1 of its output [2] is Infinity.',
  );
});

test('one in a repeat, inside it and after it', async () => {
  const step = compile((x: Tensor) =>
    multiply(
      repeat(3, (state) => divide(state, 0), x),
      2,
    ),
  );
  expect((await anomaly(() => step(1).item())).message).toContain('divide: element 0 of its output [] is Infinity.');
  const after = compile((x: Tensor) =>
    divide(
      1,
      repeat(3, (state) => multiply(state, 0), x),
    ),
  );
  expect((await anomaly(() => after(1).item())).message).toContain('divide: element 0 of its output [] is Infinity.');
});

test('one in the gradient is named as well', async () => {
  const x = tensor([0, 4]);
  const error = await anomaly(async () => {
    const [gradient] = grad(sum(sqrt(x)), [x]);
    return gradient?.data();
  });
  expect(error.op).toBe('divide');
});

test('a step that made one says so to its own outputs alone, and once to whoever reads next', async () => {
  const step = compile((x: Tensor) => divide(1, x));
  const [bad, good] = [step(Float32Array.of(0)), step(Float32Array.of(2))];
  expect((await anomaly(() => bad.data())).op).toBe('divide');
  expect(await good.item()).toBe(0.5);
  step(Float32Array.of(0));
  expect((await anomaly(() => tensor([1]).data())).op).toBe('divide');
  expect(await step(Float32Array.of(4)).item()).toBe(0.25);
  await step.ready();
});

test("one in an optimizer's update outside a step reaches the next read", async () => {
  const w = new Parameter([0]);
  const sgd = optim.sgd([w], { learningRate: 1 });
  sgd.update(grad(sum(sqrt(w)), [w]));
  expect((await anomaly(() => tensor([1]).data())).op).toBe('divide');
  expect(await tensor([1]).item()).toBe(1);
});

test('a run without one passes', async () => {
  expect(await sum(log(tensor([1, 2]))).item()).toBeCloseTo(Math.log(2), 6);
});
