import { describe, expect, test } from 'vitest';
import {
  decodeSafetensors,
  encodeSafetensors,
  loadCheckpoint,
  nn,
  optim,
  random,
  saveCheckpoint,
} from '../../src/index.js';
import { complaint } from '../support/complaint.js';
import { useEngine } from '../support/engine.js';

useEngine();

function parts(seed: number) {
  random.seed(seed);
  const model = nn.linear(2, 2);
  const generator = random.generator(seed, 1);
  generator.step = 5;
  return { model, optimizer: optim.adam(model.parameters()), generator };
}

type Parts = ReturnType<typeof parts>;

async function stateOf({ model, optimizer, generator }: Parts) {
  const values = await Promise.all(model.parameters().map(async (one) => Array.from(await one.data())));
  return { values, count: optimizer.step, draws: [generator.seed, generator.stream, generator.step] };
}

/** A file with some of its metadata replaced, or (undefined) left out. */
async function edited(from: Partial<Parts>, changes: Record<string, string | undefined>) {
  const { tensors, metadata } = decodeSafetensors(await saveCheckpoint(from, { position: { epoch: 1, index: 2 } }), {
    name: 'run',
  });
  const changed = Object.entries({ ...metadata, ...changes }).filter(([, text]) => text !== undefined);
  return encodeSafetensors(Object.fromEntries(tensors), Object.fromEntries(changed) as Record<string, string>);
}

describe('a checkpoint with a damaged record changes nothing and says what is amiss', () => {
  test.each([
    ['generator', '{}', 'seed is undefined; it must be an integer from 0 to 9007199254740991'],
    ['generator', 'null', 'it is null, not an object'],
    ['generator', '7', 'it is 7, not an object'],
    ['generator', '{"seed":1,"stream":0,"step":-1}', 'step is -1; it must be an integer from 0 to 4294967295'],
    [
      'generator',
      '{"seed":1,"stream":4294967296,"step":0}',
      'stream is 4294967296; it must be an integer from 0 to 4294967295',
    ],
    ['generator', '{"seed":1.5,"stream":0,"step":0}', 'seed is 1.5; it must be an integer from 0 to 9007199254740991'],
    ['optimizer', '{"name":"adam"}', 'step is undefined; it must be an integer from 0 to 9007199254740991'],
    ['optimizer', '{"name":"adam","step":"3"}', 'step is "3"; it must be an integer from 0 to 9007199254740991'],
    ['optimizer', '[]', 'it is [], not an object'],
    ['position', '{"epoch":0}', 'index is undefined; it must be an integer from 0 to 9007199254740991'],
    ['position', '{"epoch":null,"index":0}', 'epoch is null; it must be an integer from 0 to 9007199254740991'],
  ])('%s: %s', async (key, text, sentence) => {
    const bytes = await edited(parts(1), { [key]: text });
    const into = parts(2);
    const before = await stateOf(into);
    expect(await complaint(() => loadCheckpoint(bytes, into, { name: 'run' }))).toBe(
      `ValueError: loadCheckpoint: run: its metadata '${key}' is damaged: ${sentence}.`,
    );
    expect(await stateOf(into)).toEqual(before);
  });

  test('an optimizer is not loaded from a file that has its tensors alone, nor from one of another', async () => {
    const into = parts(2);
    const before = await stateOf(into);
    const mend = '\n  Mend: build the same model and optimizer as the run that saved it.';
    const without = await edited(parts(1), { optimizer: undefined });
    expect(await complaint(() => loadCheckpoint(without, into, { name: 'run' }))).toBe(
      `ValueError: loadCheckpoint: run does not fit: the count of its optimizer's updates is missing.${mend}`,
    );
    const other = await edited(parts(1), { optimizer: '{"name":"sgd","step":1}' });
    expect(await complaint(() => loadCheckpoint(other, into, { name: 'run' }))).toBe(
      `ValueError: loadCheckpoint: run does not fit: its optimizer is 'sgd', not 'adam'.${mend}`,
    );
    expect(await stateOf(into)).toEqual(before);
  });

  test('a sound one changes all', async () => {
    const [from, into] = [parts(1), parts(2)];
    from.optimizer.step = 4;
    loadCheckpoint(await saveCheckpoint(from), into);
    expect(await stateOf(into)).toEqual(await stateOf(from));
  });
});

test.each([
  [{ seed: -1, stream: 0, step: 0 }, 'ValueError: random: seed is -1; it must be an integer from 0 to 2^53 - 1.'],
  [{ seed: 1, stream: 0.5, step: 0 }, 'ValueError: random: stream is 0.5; it must be an integer from 0 to 2^32 - 1.'],
  [
    { seed: 1, stream: 0, step: Number.NaN },
    'ValueError: random: step is NaN; it must be an integer from 0 to 2^32 - 1.',
  ],
])('a generator restores no state that it could not have: %o', async (state, text) => {
  const generator = random.generator(3, 4);
  expect(await complaint(() => generator.restore(state))).toBe(text);
  expect([generator.seed, generator.stream, generator.step]).toEqual([3, 4, 0]);
});

test('a generator has no stream below 0', async () => {
  expect(await complaint(() => random.generator(3, -1))).toBe(
    'ValueError: random: stream is -1; it must be an integer from 0 to 2^32 - 1.',
  );
});
