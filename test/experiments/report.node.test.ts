import { describe, expect, test } from 'vitest';
import type { Experiment, Summary } from '../../experiments/experiment.js';
import { type Figure, figureSvg } from '../../experiments/report/figure.js';
import { markdownOf, settingLines } from '../../experiments/report/markdown.js';
import type { Run } from '../../experiments/report/run.js';

const series = (name: string, ys: readonly number[]) => ({
  name,
  points: ys.map((y, i) => ({ x: i, y, error: Math.abs(y) / 10 })),
});

describe('the figure', () => {
  test.each([
    ['nothing', []],
    ['one point', [[5]]],
    ['a constant', [[2, 2, 2]]],
    ['negative and large', [[-1e6, 1e6, 3]]],
    ['what is no finite number', [[1, Number.NaN, Number.POSITIVE_INFINITY, 2]]],
    ['more series than colours', Array.from({ length: 8 }, (_, i) => [i, i + 1])],
    ['a long curve', [Array.from({ length: 500 }, (_, i) => Math.sin(i))]],
  ] as [string, number[][]][])('%s: whole, and every place within it', (_, all) => {
    const panel = { title: 'a < b', x: 'x', series: all.map((ys, i) => series(`s${i}`, ys)) };
    const figure: Figure = { title: 'A & B', panels: [panel, panel, panel, panel] };
    const svg = figureSvg(figure);
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(svg.replace(/aria-label="[^"]*"/, '')).not.toMatch(/NaN|Infinity|undefined|a < b|A & B/);
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
    const numbers = (pattern: RegExp) => [...svg.matchAll(pattern)].map(([, text]) => Number(text));
    for (const x of numbers(/ (?:x|x1|x2|cx)="([^"]*)"/g)) expect(x >= 0 && x <= Number(width)).toBe(true);
    for (const y of numbers(/ (?:y|y1|y2|cy)="([^"]*)"/g)) expect(y >= 0 && y <= Number(height)).toBe(true);
  });

  test('an error bar for each point that has an error', () => {
    const svg = figureSvg({ title: '', panels: [{ title: '', x: '', series: [series('s', [0, 1, 2])] }] });
    expect(svg.match(/class="bar"/g)).toHaveLength(2);
    expect(svg.match(/<circle /g)).toHaveLength(3);
  });
});

const experiment = {
  name: 'test',
  title: 'A test',
  claim: 'Recalled: all is well.',
  rule: 'Well is what is above 1.',
  method: 'Looking.',
} as Experiment;
const run: Run = {
  format: 'cotangent-experiment-1',
  name: 'test',
  quick: false,
  adapter: 'an adapter',
  browser: 'Chrome/1',
  versions: { cotangent: '1.0.0', node: '20.0.0', puppeteer: '24' },
  platform: 'linux x64',
  settings: { seeds: [0, 1], tasks: { one: { epochs: 3 } } },
  date: '2026-11-30T01:02:03.000Z',
  trials: [
    { key: 'a', found: {}, seconds: 60 },
    { key: 'b', found: {}, seconds: 23 },
  ],
};
const summary: Summary = {
  verdicts: [
    { claim: 'it is well', shown: true, because: 'It is 2.' },
    { claim: 'it is better', shown: false, because: 'It is 0.' },
  ],
  tables: [{ title: 'Figures', head: ['case', 'value'], rows: [['a|b', '2']] }],
  notes: ['A note.'],
  figure: { title: '', panels: [] },
};

describe('the report', () => {
  const text = markdownOf(experiment, run, summary, 'test.svg');

  test('claim and rule come before the verdict, and a claim that does not show is said not to', () => {
    const places = ['Recalled: all is well.', 'Well is what is above 1.', '## Verdict'].map((part) =>
      text.indexOf(part),
    );
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
    expect(text).toContain('- **Shown: it is well.** It is 2.\n- **Not shown: it is better.** It is 0.');
  });

  test('table, figure, notes, settings and machine', () => {
    expect(text).toContain('| case | value |\n| --- | ---: |\n| a\\|b | 2 |');
    expect(text).toContain('![A test](test.svg)');
    expect(text).toContain('## Notes\n\n- A note.');
    expect(text).toContain('    seeds 0, 1\n    tasks.one.epochs 3\n');
    expect(text).toContain('2 trials, 1:23 in all, on an adapter, Chrome/1, Node 20.0.0, Cotangent 1.0.0, linux x64.');
  });

  test('only a quick run says that it is one', () => {
    expect(text).not.toContain('quick');
    expect(markdownOf(experiment, { ...run, quick: true }, summary, 'test.quick.svg')).toContain(
      '**A quick run: it shows that all works, not what is true.**',
    );
  });
});

test('settings, a line each', () => {
  expect(settingLines({ a: 1, b: { c: [1, 2], d: { e: 'f' } } })).toEqual(['a 1', 'b.c 1, 2', 'b.d.e f']);
});
