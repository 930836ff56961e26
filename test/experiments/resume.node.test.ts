import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { completeRun, startRun, trialsLeft } from '../../experiments/completeRun.js';
import type { Experiment, Results } from '../../experiments/experiment.js';
import { earlierRun, filesOf } from '../../experiments/report/files.js';
import { jsonOf, parseRun, type Run, type Surroundings, whyAnew } from '../../experiments/report/run.js';

const root = await mkdtemp(join(tmpdir(), 'cotangent-experiments-'));
afterAll(() => rm(root, { recursive: true }));

/** Squares of numbers, and at the end their sum: a trial that needs the others' results. */
const squares: Experiment<{ numbers: readonly number[] }, { key: string; number?: number }, { value: number }> = {
  name: 'squares',
  title: 'Squares',
  claim: '',
  rule: '',
  method: '',
  settings: { numbers: [1, 2, 3] },
  quick: { numbers: [1] },
  trials: ({ numbers }) => [...numbers.map((number) => ({ key: String(number), number })), { key: 'sum' }],
  open: () => {
    throw new Error('the tests run its trials themselves');
  },
  summarise: () => ({ verdicts: [], tables: [], notes: [], figure: { title: '', panels: [] } }),
};
const experiment = squares as Experiment;
const here: Surroundings = {
  adapter: 'an adapter',
  browser: 'a browser',
  versions: { cotangent: '1.0.0', node: '20', puppeteer: '24' },
  platform: 'a platform',
};
const begin = (earlier?: Run) => startRun(experiment, { quick: false, settings: squares.settings, here, earlier });

/** Runs trials, noting which; `failAt` fails. */
function laboratory(failAt?: string) {
  const ran: string[] = [];
  const saved: Run[] = [];
  const runTrial = async (trial: { key: string; number?: number }, results: Results<object>) => {
    if (trial.key === failAt) throw new Error('the power went');
    ran.push(trial.key);
    if (trial.number !== undefined) return { value: trial.number ** 2 };
    return { value: [...(results as Results<{ value: number }>).values()].reduce((sum, { value }) => sum + value, 0) };
  };
  return { ran, saved, means: { runTrial, save: async (run: Run) => void saved.push(run) } };
}

describe('a run', () => {
  test('saves after every trial, and gives each the results before it', async () => {
    const { saved, means, ran } = laboratory();
    const run = await completeRun(begin(), experiment, means);
    expect(ran).toEqual(['1', '2', '3', 'sum']);
    expect(saved.map(({ trials }) => trials.length)).toEqual([1, 2, 3, 4]);
    expect(run.trials.map(({ key, found }) => [key, found])).toEqual([
      ['1', { value: 1 }],
      ['2', { value: 4 }],
      ['3', { value: 9 }],
      ['sum', { value: 14 }],
    ]);
    expect(trialsLeft(run, experiment)).toEqual([]);
  });

  test('that broke off is gone on with: what is done is skipped', async () => {
    const broken = laboratory('3');
    await expect(completeRun(begin(), experiment, broken.means)).rejects.toThrow('the power went');
    const kept = parseRun(JSON.stringify(broken.saved.at(-1)));
    const again = laboratory();
    const run = await completeRun(begin(kept), experiment, again.means);
    expect(again.ran).toEqual(['3', 'sum']);
    expect(run.trials.map(({ key }) => key)).toEqual(['1', '2', '3', 'sum']);
    expect(run.trials.at(-1)?.found).toEqual({ value: 14 });
  });

  test('tells how far it is, by the weight of the trials', async () => {
    const weighty = { ...squares, trials: () => [{ key: 'a', weight: 3 }, { key: 'b' }] } as Experiment;
    const parts: [string, number, boolean][] = [];
    await completeRun(begin(), weighty, {
      ...laboratory().means,
      onTrial: ({ trial, found, part, secondsLeft }) =>
        parts.push([`${trial.key}${found === undefined ? ' begins' : ' done'}`, part, secondsLeft !== undefined]),
    });
    expect(parts).toEqual([
      ['a begins', 0, false],
      ['a done', 0.75, true],
      ['b begins', 0.75, true],
      ['b done', 1, true],
    ]);
  });
});

test('a file brings back what was kept, lists of numbers on one line', () => {
  const numbers = [1, -2.5, 1e-9, 1e21];
  const run = {
    ...begin(),
    settings: { numbers },
    trials: [{ key: 'a [1,\n 2]', found: { numbers: [] }, seconds: 1 }],
  };
  expect(parseRun(jsonOf(run))).toEqual(run);
  expect(jsonOf(run)).toContain('"numbers": [ 1, -2.5, 1e-9, 1e+21 ]');
});

describe('results of an earlier run', async () => {
  const run = await completeRun(begin(), experiment, laboratory().means);
  const { settings } = squares;

  test.each([
    ['the same', run, settings, undefined],
    ['other settings', run, { numbers: [1, 2] }, 'the settings have changed'],
    ['another experiment', { ...run, name: 'cubes' }, settings, 'it is of cubes'],
    ['another adapter', { ...run, adapter: 'a GPU' }, settings, 'it ran on another adapter, a GPU'],
    [
      'another version',
      { ...run, versions: { ...run.versions, cotangent: '0.9.0' } },
      settings,
      'it ran with Cotangent 0.9.0',
    ],
    ['another Node', { ...run, versions: { ...run.versions, node: '22' } }, settings, undefined],
  ])('%s', (_, earlier, now, why) => {
    expect(whyAnew(earlier, experiment, now, here)).toBe(why);
  });

  test.each([
    ['nothing', {}, undefined, []],
    ['a part', { partial: run }, run, []],
    ['the whole', { json: run }, run, []],
    ['half a file', { partial: '{"format": "cotangent-exp' }, undefined, ['it is no run of an experiment']],
    ['null', { json: null }, undefined, ['it is no run of an experiment']],
    ['a part with other settings', { partial: { ...run, settings: {} } }, undefined, ['the settings have changed']],
    [
      'a part that does not fit beside a whole that does',
      { partial: { ...run, settings: {} }, json: run },
      run,
      ['the settings have changed'],
    ],
  ])('in the folder: %s', async (name, content, expected, words) => {
    const files = filesOf({ experiment: { ...experiment, name }, quick: false, folder: root });
    for (const [which, value] of Object.entries(content)) {
      await writeFile(files[which as 'json'], typeof value === 'string' ? value : JSON.stringify(value));
    }
    const told: string[] = [];
    expect(await earlierRun(files, experiment, settings, (text) => told.push(text))).toEqual(expected);
    expect(told).toHaveLength(words.length);
    for (const [i, word] of words.entries()) expect(told[i]).toContain(word);
  });
});
