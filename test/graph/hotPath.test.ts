import { afterEach, expect, test, vi } from 'vitest';
import { grad } from '../../src/autograd/grad.js';
import { compile } from '../../src/graph/compile.js';
import { Parameter } from '../../src/graph/parameter.js';
import { repeat } from '../../src/graph/repeat.js';
import { scalar, tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { relu } from '../../src/ops/activation.js';
import { multiply, square, subtract } from '../../src/ops/arithmetic.js';
import { matmul } from '../../src/ops/matmul.js';
import { mean } from '../../src/ops/reduce.js';
import { useOwnEngine } from '../support/engine.js';
import { random } from '../support/random.js';

const engine = useOwnEngine();

afterEach(() => vi.restoreAllMocks());

const CREATES = [
  'createBuffer',
  'createBindGroup',
  'createBindGroupLayout',
  'createPipelineLayout',
  'createShaderModule',
  'createComputePipeline',
  'createComputePipelineAsync',
  'createQuerySet',
  'createTexture',
] as const;

/** Counts calls of WebGPU itself, whoever makes them. */
function countCalls() {
  const creates = CREATES.map((name) => vi.spyOn(GPUDevice.prototype, name));
  const submit = vi.spyOn(GPUQueue.prototype, 'submit');
  const write = vi.spyOn(GPUQueue.prototype, 'writeBuffer');
  const encoders = vi.spyOn(GPUDevice.prototype, 'createCommandEncoder');
  const passes = vi.spyOn(GPUCommandEncoder.prototype, 'beginComputePass');
  const maps = vi.spyOn(GPUBuffer.prototype, 'mapAsync');
  return () => ({
    created: creates.flatMap((spy, i) => spy.mock.calls.map(() => CREATES[i])),
    submits: submit.mock.calls.length,
    writes: write.mock.calls.length,
    encoders: encoders.mock.calls.length,
    passes: passes.mock.calls.length,
    maps: maps.mock.calls.length,
  });
}

/** @param repeats how often a step repeats its update. */
function training(repeats = 0) {
  const draw = random(5);
  const normal = (rows: number, columns: number) =>
    tensor(
      draw.floats(rows * columns, (r) => 0.3 * r.normal()),
      { shape: [rows, columns] },
    );
  const weights = [new Parameter(normal(20, 33)), new Parameter(normal(33, 3))] as const;
  const rate = { value: 0.05 };
  const update = (x: Tensor, y: Tensor) => {
    const hidden = relu(matmul(x, weights[0]));
    const loss = mean(square(subtract(matmul(hidden, weights[1]), y)));
    grad(loss, weights).forEach((gradient, i) => {
      weights[i]?.assign(
        subtract(
          weights[i] as Tensor,
          multiply(
            scalar(() => rate.value),
            gradient as Tensor,
          ),
        ),
      );
    });
    return loss;
  };
  const step = compile(repeats === 0 ? update : (x: Tensor, y: Tensor) => repeat(repeats, () => update(x, y)));
  const batch = () =>
    [
      { data: draw.floats(16 * 20, (r) => r.normal()), shape: [16, 20] },
      { data: draw.floats(16 * 3, (r) => r.normal()), shape: [16, 3] },
    ] as const;
  return { weights, rate, step, batch };
}

/** Steps of a training that is warm: they create nothing and leave no memory behind. What they called. */
async function steadily({ rate, step, batch }: ReturnType<typeof training>, steps: number) {
  step(...batch());
  await step.ready();
  step(...batch());
  // Two waits may overlap: the ring of fences has a slot for each.
  await Promise.all([step.ready(), step.ready(), step.ready()]);
  const memory = engine().memory();
  const count = countCalls();
  for (let i = 0; i < steps; i++) {
    rate.value *= 0.999;
    step(...batch());
    // As a loop over batches yields: JavaScript that never does could not learn that a step is done.
    if (i % 5 === 0) await step.ready();
  }
  const calls = count();
  expect(calls.created).toEqual([]);
  await step.ready();
  vi.restoreAllMocks();
  expect(engine().memory()).toEqual(memory);
  return calls;
}

test('after step 2 a training step creates nothing: one submit, one pass, a write for each input', async () => {
  const own = training();
  const before = await own.weights[0].data();
  const STEPS = 200;
  const calls = await steadily(own, STEPS);
  expect(calls.passes).toBe(STEPS);
  // Two inputs, and the uniforms, for the rate changes each step.
  expect(calls.writes).toBe(3 * STEPS);
  // A fence is a submit of one cleared word, mapped: each `ready` asks for one, and the engine at each 16th step.
  expect(calls.submits - calls.maps).toBe(STEPS);
  expect(calls.maps).toBeLessThanOrEqual(STEPS / 5 + STEPS / 16 + 1);
  expect(await own.weights[0].data()).not.toEqual(before);
});

test('a repeat creates nothing either: one submit, a write for each input and one for all its uniforms', async () => {
  const STEPS = 20;
  const calls = await steadily(training(10), STEPS);
  expect(calls.writes).toBe(3 * STEPS);
  expect(calls.submits - calls.maps).toBe(STEPS);
});

test('a repeat that would take long is cut into submits, with the same bits', async () => {
  const [whole, parts] = [training(20), training(20)];
  const { workload } = engine().pacing;
  for (let i = 0; i < 3; i++) {
    const inputs = whole.batch();
    workload.slowness = 1e-6;
    const loss = await whole.step(...inputs).item();
    // Milliseconds beyond measure: each iteration is a submit.
    workload.slowness = 1e6;
    const count = countCalls();
    const last = parts.step(...inputs);
    expect(count()).toMatchObject({ submits: 20, encoders: 20, maps: 0 });
    vi.restoreAllMocks();
    expect(await last.item()).toBe(loss);
  }
  expect(await Promise.all(parts.weights.map((w) => w.data()))).toEqual(
    await Promise.all(whole.weights.map((w) => w.data())),
  );
});

test('when nothing changed but the batch, the uniforms are not written', async () => {
  const { step, batch } = training();
  step(...batch());
  step(...batch());
  await step.ready();
  const count = countCalls();
  for (let i = 0; i < 5; i++) step(...batch());
  expect(count().writes).toBe(2 * 5);
});

test('two runs give the same bits', async () => {
  const run = async () => {
    const { weights, step, batch } = training();
    const losses: number[] = [];
    for (let i = 0; i < 20; i++) losses.push(await step(...batch()).item());
    return { losses, weights: await Promise.all(weights.map((w) => w.data())) };
  };
  const [first, second] = [await run(), await run()];
  expect(second).toEqual(first);
  expect(first.losses.at(-1)).toBeLessThan(first.losses[0] ?? 0);
});

test('pool bytes stay flat over 200 steps of eager training as well', async () => {
  const w = new Parameter([[0.5], [-0.5]]);
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  const train = async () => {
    const loss = mean(square(matmul(x, w)));
    const [gradient] = grad(loss, [w]) as [Tensor];
    const value = await loss.item();
    w.assign(subtract(w, multiply(0.01, gradient)));
    loss.dispose();
    return value;
  };
  for (let i = 0; i < 5; i++) await train();
  const { bytesHeld, buffersCreated } = engine().memory();
  for (let i = 0; i < 200; i++) await train();
  expect(engine().memory()).toMatchObject({ bytesHeld, buffersCreated });
});
