import { describe, expect, test } from 'vitest';
import {
  add,
  evaluator,
  fit,
  loadCheckpoint,
  losses,
  memory,
  multiply,
  nn,
  optim,
  Parameter,
  random,
  saveCheckpoint,
  tensor,
  trainingStep,
} from '../../src/index.js';
import { complaint } from '../support/complaint.js';
import { useEngine } from '../support/engine.js';

useEngine();

const dataset = {
  inputs: { data: Float32Array.from({ length: 40 }, (_, i) => Math.sin(i)), shape: [20, 2] },
  labels: Uint32Array.from({ length: 20 }, (_, i) => i % 2),
};

const make = () => {
  const model = nn.sequential(nn.linear(2, 4), nn.relu(), nn.linear(4, 2));
  const optimizer = optim.sgd(model.parameters(), { learningRate: 0.1, momentum: 0.9 });
  return { model, optimizer, step: trainingStep({ model, optimizer, loss: losses.crossEntropy }) };
};

describe('fit', () => {
  test('reads a loss in every epoch, however short', async () => {
    const { epochs, curve } = await fit(make().step, dataset, { epochs: 3, batchSize: 10, readEvery: 10 });
    expect(epochs.map(({ loss }) => Number.isFinite(loss))).toEqual([true, true, true]);
    expect(curve.map(([step]) => step)).toEqual([2, 4, 6]);
  });

  test('does no step once its signal is aborted, and resumes where it stood', async () => {
    const controller = new AbortController();
    controller.abort();
    const { step } = make();
    const result = await fit(step, dataset, { epochs: 2, batchSize: 10, signal: controller.signal });
    expect([result.reason, result.steps, step.count]).toEqual(['aborted', 0, 0]);
    expect(result.position).toEqual({ epoch: 0, index: 0 });
  });

  test('early stop without a loss to watch is refused', async () => {
    const { model, step } = make();
    const evaluate = evaluator(model, { classes: 2 });
    const run = () =>
      fit(step, dataset, { batchSize: 10, earlyStop: { patience: 1 }, evaluate: () => evaluate(dataset) });
    expect(await complaint(run)).toContain("ValueError: fit: earlyStop watches the evaluation's loss, which is NaN.");
  });

  test('aborted, it leaves the weights that belong to the optimizer and the position, not the best ones', async () => {
    const run = async (keepBest: boolean) => {
      random.seed(4);
      const { model, step } = make();
      const controller = new AbortController();
      const accuracies = [0.9, 0.1, 0.1];
      const result = await fit(step, dataset, {
        epochs: 3,
        batchSize: 10,
        ...(keepBest ? { bestWeights: model.parameters() } : {}),
        evaluate: async () => ({ accuracy: accuracies.shift() ?? 0, loss: 1, perClassAccuracy: [], examples: 20 }),
        onEpoch: ({ epoch }) => {
          if (epoch === 1) controller.abort();
        },
        signal: controller.signal,
      });
      expect([result.reason, result.steps]).toEqual(['aborted', 4]);
      return Promise.all(model.parameters().map(async (one) => Array.from(await one.data())));
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test('ended by an evaluation without a loss, it still gives the best weights back', async () => {
    const { model, step } = make();
    const readings = [1, Number.NaN];
    const kept: number[][] = [];
    const weights = async () => Array.from((await model.parameters()[0]?.data()) ?? []);
    // One of another dtype, which nothing trains, is kept like the others.
    const frozen = new Parameter(tensor([0.5, 2], { dtype: 'f16' }), { trainable: false });
    const run = () =>
      fit(step, dataset, {
        epochs: 3,
        batchSize: 10,
        bestWeights: [...model.parameters(), frozen],
        earlyStop: { patience: 2 },
        evaluate: async () => {
          kept.push(await weights());
          return { accuracy: 0.5, loss: readings.shift() ?? 0, perClassAccuracy: [], examples: 20 };
        },
      });
    expect(await complaint(run)).toContain("ValueError: fit: earlyStop watches the evaluation's loss, which is NaN.");
    expect(kept[0]).not.toEqual(kept[1]);
    expect(await weights()).toEqual(kept[0]);
    expect(await frozen.data()).toEqual(Float32Array.of(0.5, 2));
  });

  test('frees the step it made when a callback throws', async () => {
    const { model, optimizer } = make();
    const held = () => {
      const { inputs, outputs, temporaries } = memory().held;
      return inputs + outputs + temporaries;
    };
    const before = held();
    const run = () =>
      fit({ model, optimizer, loss: losses.crossEntropy }, dataset, {
        batchSize: 10,
        onEpoch: () => {
          throw new RangeError('enough');
        },
      });
    await expect(run).rejects.toThrow('enough');
    // What is collected meanwhile only lessens it.
    expect(held()).toBeLessThanOrEqual(before);
  });

  test('makes its own step of a model, and frees it', async () => {
    const { model, optimizer } = make();
    const parts = { model, optimizer, loss: losses.crossEntropy };
    await fit(parts, dataset, { batchSize: 10 });
    const { held } = memory();
    await fit(parts, dataset, { batchSize: 10 });
    expect(memory().held.outputs).toBe(held.outputs);
    expect(memory().held.inputs).toBe(held.inputs);
  });
});

describe('evaluator', () => {
  test('takes the loss of each row, counts an odd last batch, and refuses a mean', async () => {
    const { model } = make();
    const rows = evaluator(model, {
      classes: 2,
      batchSize: 7,
      loss: (logits, labels) => losses.crossEntropy(logits, labels, { reduction: 'none' }),
    });
    const wanted = await losses.crossEntropy(model(tensor(dataset.inputs)), dataset.labels).item();
    const { loss, examples } = await rows(dataset);
    expect(examples).toBe(20);
    expect(loss).toBeCloseTo(wanted, 5);
    const mean = evaluator(model, { classes: 2, loss: losses.crossEntropy });
    expect(await complaint(() => mean(dataset))).toContain('ShapeError: evaluator: the loss is [] for labels [20].');
  });

  test('puts each module back into its own mode', async () => {
    const frozen = nn.dropout(0.5);
    const model = nn.sequential(nn.linear(2, 2), frozen, nn.dropout(0.1));
    frozen.eval();
    await evaluator(model, { classes: 2 })(dataset);
    expect(model.modules().map(({ training }) => training)).toEqual([true, true, false, true]);
  });
});

describe('checkpoints', () => {
  test('keep the state of parameters whose names repeat', async () => {
    const [a, b] = [nn.linear(2, 3), nn.linear(3, 2)];
    const parameters = [...a.parameters(), ...b.parameters()];
    const optimizer = optim.sgd(parameters, { learningRate: 0.1, momentum: 0.9 });
    optimizer.update(parameters.map((p, i) => tensor(new Float32Array(p.size).fill(i + 1), { shape: p.shape })));
    const bytes = await saveCheckpoint({ optimizer });
    const before = await Promise.all([...optimizer.state().tensors.values()].map(({ read }) => read()));
    expect(before.map((data) => data[0])).toEqual([1, 2, 3, 4]);
    optimizer.update(parameters.map((p) => tensor(new Float32Array(p.size).fill(9), { shape: p.shape })));
    loadCheckpoint(bytes, { optimizer });
    const after = await Promise.all([...optimizer.state().tensors.values()].map(({ read }) => read()));
    expect(after.map((data) => data[0])).toEqual([1, 2, 3, 4]);
    expect(optimizer.step).toBe(1);
  });

  test('hold integer parameters as they are', async () => {
    const build = (start: number[]) => {
      const count = new Parameter(tensor(start, { dtype: 'i32' }));
      return { count, model: nn.module({ description: 'counter', parameters: { count }, forward: (x) => x }) };
    };
    const bytes = await saveCheckpoint({ model: build([3, -16777217]).model });
    const other = build([0, 0]);
    loadCheckpoint(bytes, { model: other.model });
    expect(Array.from(await other.count.data())).toEqual([3, -16777217]);
  });
});

test('an accumulator works outside a step as inside', async () => {
  const p = new Parameter([1, 2]);
  const optimizer = optim.sgd([p], { learningRate: 1 });
  const sums = new optim.Accumulator([p]);
  sums.add([tensor([1, 0])]);
  sums.add([multiply(add(p, 0), 2)]);
  optimizer.update(sums.takeMean(2));
  expect(Array.from(await p.data())).toEqual([1 - 1.5, 2 - 2]);
  sums.add([tensor([1, 1])]);
  optimizer.update(sums.takeMean(1));
  expect(Array.from(await p.data())).toEqual([-1.5, -1]);
});
