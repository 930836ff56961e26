import { describe, expect, test } from 'vitest';
import { pageOf } from '../../bench/htmlPage.js';
import { ratioChart } from '../../bench/ratioChart.js';
import { jsonOf } from '../../bench/report.js';
import { formatClosing, Table } from '../../bench/table.js';
import { digits } from '../../src/node/terminal/table.js';
import { report, row } from './report.js';

test.each([
  [0, '0'],
  [0.00012345, '0.0001'],
  [0.0512, '0.0512'],
  [1.005, '1.00'],
  [72.04, '72.0'],
  [1318.7, '1319'],
  [Number.NaN, '?'],
])('%d in three digits', (value, expected) => {
  expect(digits(value)).toBe(expected);
});

describe('the table', () => {
  const { cases } = report();
  const table = new Table(
    cases.map(({ case: name }) => name),
    ['tfjs', 'jax-js', 'by-hand'],
  );
  const lines = [table.head, ...table.lines(cases).split('\n')];

  test('a column for each peer that was asked for, and each row with its unit', () => {
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      [
        'case',
        'engine',
        'median',
        'min',
        'spread',
        'GFLOP/s',
        'GB/s',
        'of limit',
        'vs by-hand',
        'vs jax-js',
        'vs tfjs',
      ],
      ['step/small', 'cotangent', '4.00', '3.00', '1.00', 'ms', '6.50', '9.0 %', '0.960x', '7.25x'],
      ['', 'by-hand', '3.84', '3.00', '1.00', 'ms'],
      ['memory/small', 'cotangent', '2185', '2185', '0', 'kB', '0.500x'],
    ]);
  });

  test('lines that come one by one stand in the same columns', () => {
    const alone = [cases.slice(0, 2), cases.slice(2)].map((rows) => table.lines(rows));
    expect(alone.join('\n')).toBe(table.lines(cases));
    const end = (line: string | undefined, word: string) => (line ?? '').indexOf(word) + word.length;
    expect(end(lines[1], '7.25x')).toBe(end(lines[0], 'vs jax-js'));
    expect(end(lines[3], '0.500x')).toBe(end(lines[0], 'vs tfjs'));
  });
});

describe('what stands below the table', () => {
  test('goals beside the figures', () => {
    const lines = formatClosing(report()).split('\n');
    expect(lines.some((line) => /^step\/small +at least 3 x jax-js +met +7.25 +3.00$/.test(line))).toBe(true);
  });

  test('what failed and what was only left out', () => {
    const failures = [
      { engine: 'cotangent', case: 'step/small', message: 'no.', fatal: true },
      { engine: 'tfjs', message: 'no backend.', fatal: false },
    ] as const;
    expect(formatClosing(report({ failures })).split('\n').slice(-2)).toEqual([
      'FAILED: cotangent, step/small: no.',
      'left out: tfjs: no backend.',
    ]);
  });
});

test('the JSON names its figures with their unit', () => {
  const { cases } = JSON.parse(jsonOf(report())) as { cases: unknown[] };
  expect(cases[0]).toEqual({
    case: 'step/small',
    engine: 'cotangent',
    median_ms: 4,
    min_ms: 3,
    spread_ms: 1,
    samples: 5,
    repeats: 8,
    gflops: 6.5,
    share_of_limit: 0.09,
    ratio_to: { 'by-hand': 0.96, 'jax-js': 7.25 },
  });
  expect(cases[2]).toMatchObject({ median_bytes: 2_185_000, min_bytes: 2_185_000 });
});

describe('the page', () => {
  const page = pageOf(report());

  test('needs no script and no other file', () => {
    expect(page).not.toMatch(/<script|<link|\bsrc=|\bhref=|@import|url\(/);
  });

  test('a section and a chart for each family of cases', () => {
    expect([...page.matchAll(/<h2>([^<]*)<\/h2>/g)].map(([, title]) => title)).toEqual([
      'Goals: 1 of 1 met',
      'step',
      'memory',
    ]);
    expect(page.match(/<svg /g)).toHaveLength(2);
  });

  test('text from outside is text', () => {
    expect(page).toContain('a &lt;test&gt; adapter');
    expect(page).not.toContain('<test>');
  });
});

describe('the chart', () => {
  const bars = (svg: string) =>
    [...svg.matchAll(/<rect x="([\d.]+)" y="\d+" width="([\d.]+)"[^>]*><title>([^:]*): ([^<]*)x</g)].map(
      ([, x, width, peer, ratio]) => ({ peer, ratio, from: Number(x), to: Number(x) + Number(width) }),
    );

  test('a bar for each peer of a case of ours; memory is no matter of speed', () => {
    expect(bars(ratioChart(report())).map(({ peer, ratio }) => `${peer} ${ratio}`)).toEqual([
      'by-hand 0.960',
      'jax-js 7.25',
    ]);
  });

  test('on a logarithmic scale: each tenfold is as wide, to the right where we are faster', () => {
    const cases = [0.1, 10, 100].map((ratio) => row(`step/${ratio}`, { ratio_to: { tfjs: ratio } }));
    const [tenth, ten, hundred] = bars(ratioChart(report({ cases }))) as [Bar, Bar, Bar];
    type Bar = ReturnType<typeof bars>[number];
    expect(tenth.to).toBeCloseTo(ten.from, 1);
    expect(tenth.to - tenth.from).toBeCloseTo(ten.to - ten.from, 0);
    expect(hundred.to - hundred.from).toBeCloseTo(2 * (ten.to - ten.from), 0);
  });

  test('is an SVG even when nothing was compared', () => {
    const svg = ratioChart(report({ cases: [row('step/small')] }));
    expect(bars(svg)).toEqual([]);
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"[\s\S]*<\/svg>\n$/);
  });
});
