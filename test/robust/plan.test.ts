import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  add,
  attacks,
  batches,
  clamp,
  compile,
  grad,
  losses,
  multiply,
  nn,
  optim,
  robust,
  sign,
  subtract,
  sum,
  type Tensor,
  tensor,
} from '../../src/index.js';
import { useOwnEngine } from '../support/engine.js';
import { random } from '../support/random.js';
import { examplesOf, modelOf, smallNet } from './small.js';

useOwnEngine();

afterEach(() => vi.restoreAllMocks());

function countCalls() {
  const submit = vi.spyOn(GPUQueue.prototype, 'submit');
  const maps = vi.spyOn(GPUBuffer.prototype, 'mapAsync');
  const buffers = vi.spyOn(GPUDevice.prototype, 'createBuffer');
  const pipelines = vi.spyOn(GPUDevice.prototype, 'createComputePipeline');
  return () => ({
    // A fence is a submit of one cleared word, mapped.
    submits: submit.mock.calls.length - maps.mock.calls.length,
    created: buffers.mock.calls.length + pipelines.mock.calls.length,
  });
}

const net = smallNet([20, 16, 5], 1);
const { data, labels } = examplesOf(16, 20, 5, 2);
const inputs = { data, shape: [16, 20] };

test.each([{}, { restarts: 3 }, { keep: 'best', earlyStop: true }, { norm: 'l2' }] as const)(
  'ten steps of an attack are one submit, and create nothing: %o',
  async (options) => {
    const model = modelOf(net);
    const attack = attacks.pgd({ epsilon: 0.1, steps: 10, schedule: 'cosine', ...options });
    const step = compile((x: Tensor, y: Tensor) => attack(model, x, y));
    for (let i = 0; i < 2; i++) {
      step(inputs, labels);
      await Promise.all([step.ready(), step.ready(), step.ready()]);
    }
    const count = countCalls();
    step(inputs, labels);
    expect(count()).toEqual({ submits: 1, created: 0 });
    await step.ready();
  },
);

test('the step of linf is in the store of the kernel that makes the input gradient', () => {
  const model = modelOf(net);
  const attack = attacks.pgd({ epsilon: 0.1, steps: 10 });
  const plan = compile((x: Tensor, y: Tensor) => attack(model, x, y)).explain(inputs, labels);
  const lines = plan.split('\n');
  const loop = lines.slice(
    lines.findIndex((line) => line.includes('repeat 10 times')),
    lines.findIndex((line) => line.includes('end of repeat')),
  );
  const dispatches = loop.filter((line) => /^ *\d+ {2}/.test(line));
  // Two products forward, the loss's gradient, two products back.
  expect(dispatches, plan).toHaveLength(5);
  expect(dispatches.at(-1), plan).toMatch(/sign.*clamp/);
});

test('has the bits of as many compiled steps', async () => {
  const model = modelOf(net);
  const attack = attacks.pgd({ epsilon: 0.1, steps: 10, randomStart: 'none' });
  const step = compile((now: Tensor, x: Tensor, y: Tensor) => {
    const [gradient] = grad(sum(losses.crossEntropy(model(now), y, { reduction: 'none' })), [now]) as [Tensor];
    const moved = add(now, multiply(sign(gradient), 0.025));
    return clamp(clamp(moved, subtract(x, 0.1), add(x, 0.1)), 0, 1);
  });
  let now: Tensor = tensor(inputs);
  for (let i = 0; i < 10; i++) now = step(now, inputs, labels);
  const whole = compile((x: Tensor, y: Tensor) => attack(model, x, y))(inputs, labels);
  expect(await whole.data()).toEqual(await now.data());
});

describe("the model's mode", () => {
  const batch = () => {
    const draw = random(3);
    return [{ data: draw.floats(32, ({ unit }) => unit()), shape: [16, 2] }, new Uint32Array(16)] as const;
  };
  const normed = () => nn.sequential(nn.linear(2, 4), nn.batchNorm(4), nn.dropout(0.5), nn.linear(4, 3));

  test('is evaluation during an attack, and itself before and after; running statistics stay', async () => {
    const model = normed();
    const means = model.namedParameters().get('1.runningMean') as Tensor;
    const before = Array.from(await means.data());
    const seen: boolean[] = [];
    const watched = nn.module({
      description: 'watched',
      children: { model },
      forward: (x, training) => {
        seen.push(training());
        return model(x);
      },
    });
    const attack = attacks.pgd({ epsilon: 0.1, steps: 2, randomStart: 'none' });
    const first = await attack(watched, ...batch()).data();
    // Dropout would draw.
    expect(await attack(watched, ...batch()).data()).toEqual(first);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every((training) => !training)).toBe(true);
    expect([watched, ...model.modules()].every(({ training }) => training)).toBe(true);
    expect(Array.from(await means.data())).toEqual(before);
    watched.eval();
    await attack(watched, ...batch()).data();
    expect(watched.training).toBe(false);
  });

  test('comes back when the attack throws', () => {
    const model = normed();
    const seen: boolean[] = [];
    const broken = nn.module({
      description: 'broken',
      children: { model },
      forward: (_x, training) => {
        seen.push(training());
        throw new Error('broken');
      },
    });
    const attack = attacks.pgd({ epsilon: 0.1, steps: 2 });
    expect(() => attack(broken, ...batch())).toThrow('broken');
    expect(() => broken(tensor([[0, 0]]))).toThrow('broken');
    expect(seen).toEqual([false, true]);
  });

  test('in a training step: the attack fixed, the branches as the model is; one plan', async () => {
    const model = normed();
    const optimizer = optim.sgd(model.parameters(), { learningRate: 0.1 });
    const recipe = robust.pgdAdversarialTraining;
    const attack = { epsilon: 0.1, steps: 3 };
    const step = robust.trainingStep({ model, optimizer, recipe, attack });
    const means = model.namedParameters().get('1.runningMean') as Tensor;
    for (let i = 0; i < 2; i++) {
      step(...batch());
      await Promise.all([step.ready(), step.ready(), step.ready()]);
    }
    expect(Array.from(await means.data()).some((one) => one !== 0)).toBe(true);
    const count = countCalls();
    step(...batch());
    // Traced anew at every call it would create buffers.
    expect(count()).toEqual({ submits: 1, created: 0 });
    await step.ready();
  });
});

test('parameters get no gradient through an attack', async () => {
  const model = modelOf(net);
  const attack = attacks.pgd({ epsilon: 0.1, steps: 2, randomStart: 'none' });
  const step = compile((x: Tensor, y: Tensor) => {
    return grad(sum(attack(model, x, y)), [...model.parameters(), x] as Tensor[]);
  });
  for (const gradient of step(inputs, labels)) expect((await gradient.data()).every((one) => one === 0)).toBe(true);
});

test('a training step of each recipe is one submit, and fit takes it', async () => {
  for (const recipe of [robust.standard, robust.pgdAdversarialTraining, robust.trades(), robust.advCompSum()]) {
    const model = modelOf(net);
    const optimizer = optim.adamw(model.parameters(), { learningRate: 1e-2 });
    const step = robust.trainingStep({ model, optimizer, recipe, attack: { epsilon: 0.05, steps: 5 } });
    for (let i = 0; i < 2; i++) {
      step(inputs, labels);
      await Promise.all([step.ready(), step.ready(), step.ready()]);
    }
    const count = countCalls();
    step(inputs, labels);
    expect(count(), recipe.name).toEqual({ submits: 1, created: 0 });
    await step.ready();
    vi.restoreAllMocks();
    const values: number[] = [];
    for (let epoch = 0; epoch < 10; epoch++) {
      for await (const { x, y } of batches({ x: inputs, y: labels }, { size: 16 }))
        values.push(await step(x, y).item());
    }
    expect(values.at(-1), recipe.name).toBeLessThan(values[0] ?? 0);
    step.dispose();
  }
});
