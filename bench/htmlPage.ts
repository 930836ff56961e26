import { digits } from '../src/node/terminal/table.js';
import { escapeMarkup } from '../src/svg.js';
import type { Verdict } from './goals.js';
import { chartOf } from './ratioChart.js';
import type { Failure, Report, Row } from './report.js';
import { inUnit, UNITS } from './table.js';

const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
  body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: light-dark(#1f2328, #e6edf3); background: light-dark(#fff, #0d1117); }
  table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
  th, td { padding: .15rem .6rem; border-bottom: 1px solid light-dark(#d0d7de, #3d444d); text-align: right; }
  th:first-child, td:first-child, .words { text-align: left; }
  .missed { color: light-dark(#cf222e, #ff7b72); }
  .met { color: light-dark(#1a7f37, #3fb950); }
  svg { max-width: 100%; height: auto; }
`;

/** The report as one page that needs nothing besides: no script, no other file. */
export function pageOf(report: Report): string {
  const { adapter, browser, date, limits, cases, goals, failures } = report;
  const families = [...new Set(cases.map(({ case: name }) => familyOf(name)))];
  const met = goals.filter((goal) => goal.met).length;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<title>Cotangent: benchmark of ${escapeMarkup(date.slice(0, 10))}</title>`,
    `<style>${STYLE}</style>`,
    '<h1>Cotangent: benchmark</h1>',
    `<p>${escapeMarkup(`${adapter}, ${browser}, ${date}`)}. Limits in this run: fma ${digits(limits.fma_gflops)} GFLOP/s, copy ${digits(limits.copy_gbps)} GB/s.</p>`,
    '<p>Ratios say how many times as much a peer takes: the median over the rounds, in which all take turns.</p>',
    ...failures.map(failureLine),
    ...(goals.length === 0 ? [] : [`<h2>Goals: ${met} of ${goals.length} met</h2>`, goalTable(goals)]),
    ...families.map((family) =>
      section(
        family,
        cases.filter((row) => familyOf(row.case) === family),
      ),
    ),
    '</html>',
    '',
  ].join('\n');
}

function familyOf(name: string): string {
  return name.split('/', 1)[0] ?? name;
}

function section(family: string, rows: readonly Row[]): string {
  const head = ['case', 'engine', 'median', 'min', 'spread', '', 'GFLOP/s', 'GB/s', 'of limit'];
  const lines = rows.map((row, i) => [
    rows[i - 1]?.case === row.case ? '' : row.case,
    row.engine,
    ...[row.median, row.min, row.spread].map((value) => inUnit(value, row.unit)),
    UNITS[row.unit],
    row.gflops === undefined ? '' : digits(row.gflops),
    row.gbps === undefined ? '' : digits(row.gbps),
    row.share_of_limit === undefined ? '' : `${(100 * row.share_of_limit).toFixed(1)} %`,
  ]);
  const compared = rows.some(({ ratio_to }) => ratio_to !== undefined);
  const chart = compared ? [chartOf(rows, 'Times as much as Cotangent')] : [];
  return [`<h2>${escapeMarkup(family)}</h2>`, ...chart, table(head, lines)].join('\n');
}

function goalTable(goals: readonly Verdict[]): string {
  const lines = goals.map(
    ({ case: name, goal, measured, bound, met }) =>
      `<tr><td>${escapeMarkup(name)}<td class="words">${escapeMarkup(goal)}<td>${digits(measured)}<td>${digits(bound)}` +
      `<td class="${met ? 'met">met' : 'missed">missed'}`,
  );
  return `<table><tr><th>case<th class="words">goal<th>measured<th>bound<th>\n${lines.join('\n')}\n</table>`;
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[], tag: 'th' | 'td') =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeMarkup(cell)}`).join('')}`;
  return `<table>\n${[row(head, 'th'), ...lines.map((cells) => row(cells, 'td'))].join('\n')}\n</table>`;
}

function failureLine({ engine, case: name, message, fatal }: Failure): string {
  const where = name === undefined ? engine : `${engine}, ${name}`;
  return `<p class="missed">${fatal ? 'Failed' : 'Left out'}: ${escapeMarkup(`${where}: ${message}`)}</p>`;
}
