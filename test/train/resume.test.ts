import { beforeAll, describe, expect, test } from 'vitest';
import {
  batches,
  type Dataset,
  evaluator,
  fit,
  init,
  loadCheckpoint,
  losses,
  nn,
  optim,
  random,
  saveCheckpoint,
  trainingStep,
} from '../../src/index.js';

beforeAll(async () => {
  await init();
});

/** Four noisy clusters in the plane, by a fixed formula. */
function clusters(count: number): { inputs: { data: Float32Array; shape: number[] }; labels: Uint32Array } {
  const data = new Float32Array(2 * count);
  const labels = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const label = i % 4;
    labels[i] = label;
    data[2 * i] = (label % 2) * 2 - 1 + 0.6 * Math.sin(12.9898 * i);
    data[2 * i + 1] = Math.floor(label / 2) * 2 - 1 + 0.6 * Math.sin(78.233 * i);
  }
  return { inputs: { data, shape: [count, 2] }, labels };
}

function run(seed = 3) {
  random.seed(seed);
  const model = nn.sequential(nn.linear(2, 16), nn.relu(), nn.dropout(0.1), nn.linear(16, 4));
  const optimizer = optim.adamw(model.parameters(), { learningRate: optim.cosine(0.05, { steps: 60 }) });
  const step = trainingStep({ model, optimizer, loss: losses.crossEntropy });
  return { model, optimizer, step };
}

const dataset = clusters(320) as unknown as Dataset;

async function bits(model: nn.Module): Promise<number[][]> {
  const all = await Promise.all(model.parameters().map((p) => p.data()));
  return all.map((data) => Array.from(new Uint32Array(data.buffer, data.byteOffset, data.length)));
}

async function steps(count: number, parts: ReturnType<typeof run>, position = { epoch: 0, index: 0 }) {
  const data = batches(dataset, { size: 32, seed: 9, epoch: position.epoch, start: position.index, dropLast: true });
  let left = count;
  while (left > 0) {
    for await (const batch of data) {
      parts.step(...(Object.values(batch) as never[]));
      if (--left === 0) break;
    }
  }
  return { epoch: data.position.epoch, index: data.position.index };
}

describe('a resumed run', () => {
  test.each([1, 7, 10, 23])('stopped after step %i ends with the bits of an unbroken one', async (k) => {
    const whole = run();
    await steps(30, whole);
    const wanted = await bits(whole.model);

    const first = run();
    const position = await steps(k, first);
    const bytes = await saveCheckpoint(first, { position, extra: { note: 'so far' } });
    // Another model, from another seed: all must come from the file.
    const second = run(99);
    const loaded = loadCheckpoint(bytes, second);
    expect(loaded.extra).toEqual({ note: 'so far' });
    await steps(30 - k, second, loaded.position);
    expect(await bits(second.model)).toEqual(wanted);
  });
});

test('two runs with one seed give the same bits, another seed others', async () => {
  const train = async (seed: number) => {
    const parts = run(seed);
    await steps(12, parts);
    return bits(parts.model);
  };
  const first = await train(3);
  expect(await train(3)).toEqual(first);
  expect(await train(4)).not.toEqual(first);
});

test('a checkpoint that does not fit names what is missing, unexpected and misshapen', async () => {
  const { model } = run();
  const bytes = await saveCheckpoint({ model });
  const other = nn.sequential(nn.linear(2, 16), nn.relu(), nn.linear(16, 5), nn.linear(5, 4));
  const before = await bits(other);
  let text = '';
  try {
    loadCheckpoint(bytes, { model: other }, { name: 'run.safetensors' });
  } catch (error) {
    text = (error as Error).message.replace(/\n {2}at .*/, '');
  }
  expect(text).toBe(
    "loadCheckpoint: run.safetensors does not fit: 'model.2.weight' [16, 5] is missing; " +
      "'model.2.bias' [5] is missing; 'model.3.weight' is [16, 4], expected [5, 4].\n" +
      '  Mend: build the same model and optimizer as the run that saved it.',
  );
  expect(await bits(other)).toEqual(before);
});

test('fit learns, reports, evaluates, and stops when asked', async () => {
  const parts = run();
  const evaluate = evaluator(parts.model, {
    loss: (logits, labels) => losses.crossEntropy(logits, labels, { reduction: 'none' }),
    classes: 4,
  });
  const before = await evaluate(dataset);
  const seen: number[] = [];
  const result = await fit(parts.step, dataset, {
    epochs: 5,
    batchSize: 32,
    seed: 1,
    readEvery: 5,
    evaluate: () => evaluate(dataset),
    onProgress: ({ step, steps: all, loss }) => {
      seen.push(step);
      expect(all).toBe(50);
      expect(Number.isFinite(loss)).toBe(true);
    },
  });
  expect(seen).toEqual([5, 10, 15, 20, 25, 30, 35, 40, 45, 50]);
  expect(result.reason).toBe('done');
  expect(result.steps).toBe(50);
  expect(result.curve.map(([step]) => step)).toEqual(seen);
  expect(before.accuracy).toBeLessThan(0.6);
  const after = result.epochs.at(-1)?.evaluation;
  expect(after?.accuracy).toBeGreaterThan(0.95);
  expect(after?.examples).toBe(320);
  expect(after?.perClassAccuracy.length).toBe(4);
  expect(parts.model.training).toBe(true);

  const controller = new AbortController();
  const stopped = await fit(run().step, dataset, {
    epochs: 5,
    batchSize: 32,
    readEvery: 1,
    signal: controller.signal,
    onProgress: ({ step }) => {
      if (step === 7) controller.abort();
    },
  });
  expect(stopped.reason).toBe('aborted');
  expect(stopped.steps).toBe(7);
});

test('early stop ends without progress, and the best weights come back', async () => {
  const parts = run();
  const scores = [0.5, 0.9, 0.7, 0.6, 0.4];
  const kept: number[][][] = [];
  let epoch = 0;
  const result = await fit(parts.step, dataset, {
    epochs: 5,
    batchSize: 32,
    earlyStop: { patience: 2 },
    bestWeights: parts.model.parameters(),
    evaluate: async () => {
      kept.push(await bits(parts.model));
      const accuracy = scores[epoch++] ?? 0;
      return { accuracy, loss: 1 - accuracy, perClassAccuracy: [], examples: 320 };
    },
  });
  expect(result.reason).toBe('early');
  expect(result.epochs.length).toBe(4);
  expect(await bits(parts.model)).toEqual(kept[1]);
});

test('a file that is no checkpoint is refused', async () => {
  expect(() => loadCheckpoint(new Uint8Array([1, 2, 3]), {}, { name: 'x' })).toThrow('x');
});
