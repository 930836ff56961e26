import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { experiments } from '../../experiments/index.js';
import { experimentHelp, parseExperimentArguments } from '../../experiments/options.js';
import { filesOf } from '../../experiments/report/files.js';

const places = { repository: '/repository', directory: '/here' };
const parse = (text: string) => parseExperimentArguments(text.split(' ').filter(Boolean), experiments, places);

describe('the command line', () => {
  test('a name alone: the full run, into the docs', () => {
    const options = parse('bounds');
    expect(options).toMatchObject({ quick: false, fresh: false, folder: '/repository/docs/experiments' });
    expect(options?.experiment.name).toBe('bounds');
    expect([options?.browser, options?.adapter]).toEqual([undefined, undefined]);
  });

  test('everything given', () => {
    expect(parse('--quick label-noise --fresh --out out --adapter software --browser npm')).toMatchObject({
      quick: true,
      fresh: true,
      folder: '/here/out',
      adapter: 'software',
      browser: 'npm',
    });
  });

  test('a quick run goes to a temporary folder', () => {
    expect(parse('bounds --quick')?.folder).toBe(join(tmpdir(), 'cotangent-experiments'));
  });

  test('nothing, or --help: help is wanted', () => {
    for (const text of ['', '--help', 'bounds --help', '-h']) expect(parse(text), text).toBeUndefined();
  });

  test.each([
    ['bonds', "unknown experiment 'bonds'. Did you mean 'bounds'?"],
    ['bounds label-noise', '2 experiments are named; it must be one.'],
    ['--quick', '0 experiments are named; it must be one.'],
    ['bounds --qick', "unknown option '--qick'. Did you mean '--quick'?"],
    ['bounds --out=', '--out is empty; it must be a path.'],
    ['bounds --adapter gpu', "--adapter is 'gpu'; it must be one of auto, hardware, software."],
  ])('%s: what is wrong', (text, sentence) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ name: 'ValueError', sentence }));
  });

  test('the help lists every experiment and option', () => {
    const help = experimentHelp(experiments);
    for (const { name, title } of experiments)
      expect(help).toMatch(new RegExp(`^ {2}${name} +${title.replace('?', '\\?')}$`, 'm'));
    for (const name of ['quick', 'out DIR', 'fresh', 'adapter KIND', 'browser PATH'])
      expect(help).toContain(`--${name}`);
  });
});

test('a quick run has files of its own, also in the folder of the reports', () => {
  const [experiment] = experiments;
  if (experiment === undefined) throw new Error('there is no experiment');
  const full = Object.values(filesOf({ experiment, quick: false, folder: '/docs' }));
  const quick = Object.values(filesOf({ experiment, quick: true, folder: '/docs' }));
  expect(full.filter((path) => quick.includes(path))).toEqual([]);
});

describe.each(experiments.map((experiment) => [experiment.name, experiment] as const))('%s', (_, experiment) => {
  test.each(['settings', 'quick'] as const)('trials of its %s: each key once, and all of it JSON', (which) => {
    const settings = experiment[which];
    const trials = experiment.trials(settings);
    expect(trials.length).toBeGreaterThan(0);
    expect(new Set(trials.map(({ key }) => key)).size).toBe(trials.length);
    expect(JSON.parse(JSON.stringify({ settings, trials }))).toEqual({ settings, trials });
  });

  test('what it reports of a paper is said to be recalled', () => {
    expect(experiment.claim).toMatch(/recalled/i);
  });
});
