import { expect, test } from 'vitest';
import { chosenRate, outcomesOf, runTuned, type TunedFound, tunedTrials } from '../../experiments/tuned.js';
import { useEngine } from '../support/engine.js';

useEngine();

const settings = { rates: [1e-6, 0.3], tuneSeed: 9, seeds: [0, 1] };
const training = { hidden: 8, classes: 2, epochs: 10, batchSize: 16, momentum: 0.9 };
const conditions = [{ name: 'a', tau: 1 }];

/** Two classes that differ in the sign of all pixels; `flip` tells the labels the other way round. */
function examples(count: number, flip: boolean) {
  const labels = Uint32Array.from({ length: count }, (_, i) => i % 2);
  const images = Float32Array.from({ length: count * 4 }, (_, i) => (Math.floor(i / 4) % 2 === 0 ? 1 : -1));
  return { images, labels: flip ? labels.map((label) => 1 - label) : labels };
}

test('the rate is chosen on the validation examples, and only the last runs see the test examples', async () => {
  // Labels of the test part are the other way round: what learns the training part gets none of them right.
  const parts = { train: examples(64, false), validation: examples(32, false), test: examples(48, true) };
  const trials = tunedTrials(conditions, settings);
  expect(trials.map(({ key }) => key)).toEqual(['a, rate 0.000001', 'a, rate 0.3', 'a, seed 0', 'a, seed 1']);
  const results = new Map<string, TunedFound>();
  for (const trial of trials) results.set(trial.key, await runTuned(trial, parts, training, settings, results));
  expect(results.get('a, rate 0.3')).toMatchObject({ rate: 0.3, accuracy: 1 });
  expect(results.get('a, seed 0')).toMatchObject({ rate: 0.3, accuracy: 0 });
  const [outcome] = outcomesOf(conditions, settings, results);
  expect(outcome).toMatchObject({ rate: 0.3, edge: true, accuracy: { mean: 0, deviation: 0 } });
});

test('a trial gives the same figures again, and a run that diverges has a loss of null', async () => {
  const parts = { train: examples(64, false), validation: examples(32, false), test: examples(48, true) };
  const [trial] = tunedTrials(conditions, settings);
  if (trial === undefined) throw new Error('there is no trial');
  const run = (rate: number) => runTuned({ ...trial, rate }, parts, training, settings, new Map());
  expect(await run(0.01)).toEqual(await run(0.01));
  expect(await run(1e30)).toMatchObject({ loss: null });
});

test('the best validation accuracy decides, the lowest rate among equals', () => {
  const found = (accuracies: readonly number[]) => {
    const rates = [0.1, 0.2, 0.4];
    const results = new Map(
      rates.map((rate, i) => [`a, rate ${rate}`, { rate, accuracy: accuracies[i] ?? 0, loss: null }]),
    );
    return chosenRate({ name: 'a', tau: 1 }, { ...settings, rates }, results);
  };
  expect([found([0.5, 0.9, 0.8]), found([0.5, 0.9, 0.9]), found([0.1, 0.1, 0.1])]).toEqual([0.2, 0.2, 0.1]);
});
