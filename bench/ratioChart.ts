import { digits } from '../src/node/terminal/table.js';
import { escapeMarkup, svg } from '../src/svg.js';
import { PEERS, type PeerName } from './case.js';
import type { Report, Row } from './report.js';

const WIDTH = 860;
const LABELS = 240;
/** Room for the figure behind the longest bar. */
const FIGURES = 60;
const BAR = 11;
const GAP = 9;
/** Three lines: title, legend, scale. */
const HEAD = 62;
const FOOT = 10;

/** Drawn for cases that say how fast one is, not for those that show how costs grow. */
const IN_README = /^(?!scale\/|overhead\/|memory\/)/;

const STYLE = `
.chart { --plain: #8250df; --by-hand: #8c959f; --jax-js: #0969da; --tfjs: #bc4c00; }
@media (prefers-color-scheme: dark) { .chart { --plain: #ab7df8; --by-hand: #8b949e; --jax-js: #4493f8; --tfjs: #f0883e; } }
.chart text { fill: var(--ink); } .chart .even { stroke: var(--ink); }
`;

/** The chart of a run for a README: an SVG that needs nothing besides. */
export function ratioChart({ cases, adapter, browser, date }: Report): string {
  const rows = cases.filter(({ case: name }) => IN_README.test(name));
  const made = `Times Cotangent's time that a peer takes · ${adapter}, ${browser}, ${date.slice(0, 10)}`;
  return `${chartOf(rows, made)}\n`;
}

/** A bar for each case and peer, on a logarithmic scale. */
export function chartOf(rows: readonly Row[], title: string): string {
  const compared = rows.flatMap(({ case: name, ratio_to }) => {
    const ratios = PEERS.flatMap((peer) => {
      const ratio = ratio_to?.[peer];
      return ratio !== undefined && Number.isFinite(ratio) && ratio > 0 ? [{ peer, ratio }] : [];
    });
    return ratios.length === 0 ? [] : [{ name, ratios }];
  });
  const all = compared.flatMap(({ ratios }) => ratios.map(({ ratio }) => ratio));
  const least = 10 ** Math.floor(Math.log10(Math.min(0.5, ...all)));
  const most = 10 ** Math.ceil(Math.log10(Math.max(10, ...all)));
  const across = (ratio: number) =>
    LABELS + ((WIDTH - LABELS - FIGURES) * Math.log(ratio / least)) / Math.log(most / least);
  let y = HEAD;
  const bars = compared.map(({ name, ratios }) => {
    const top = y;
    y += ratios.length * BAR + GAP;
    const label = text(LABELS - 8, top + (ratios.length * BAR) / 2 + 4, name, 'end');
    return [
      label,
      ...ratios.map(({ peer, ratio }, i) => bar(top + i * BAR, across(1), across(ratio), peer, ratio)),
    ].join('');
  });
  const height = y + FOOT;
  const lines = Array.from({ length: Math.round(Math.log10(most / least)) + 1 }, (_, i) => least * 10 ** i).map(
    (ratio) => {
      const x = across(ratio).toFixed(1);
      const kind = Math.abs(ratio - 1) < 1e-9 ? 'even' : 'grid';
      return `<line class="${kind}" x1="${x}" x2="${x}" y1="${HEAD - 6}" y2="${height - FOOT}"/>${text(across(ratio), HEAD - 10, `${Number(ratio.toPrecision(3))}x`, 'middle')}`;
    },
  );
  const shown = PEERS.filter((peer) => compared.some(({ ratios }) => ratios.some((one) => one.peer === peer)));
  const legend = shown.map(
    (peer, i) =>
      `<rect x="${8 + 76 * i}" y="25" width="10" height="10" fill="var(--${peer})"/>${text(22 + 76 * i, 34, peer)}`,
  );
  return svg({ kind: 'chart', width: WIDTH, height, label: title, style: STYLE }, [
    text(8, 16, title),
    ...legend,
    ...lines,
    ...bars,
  ]);
}

function bar(top: number, even: number, end: number, peer: PeerName, ratio: number): string {
  const x = Math.min(even, end);
  const width = Math.max(1, Math.abs(end - even));
  const title = `<title>${escapeMarkup(`${peer}: ${digits(ratio)}x`)}</title>`;
  return (
    `<rect x="${x.toFixed(1)}" y="${top}" width="${width.toFixed(1)}" height="${BAR - 2}" fill="var(--${peer})">${title}</rect>` +
    text(Math.max(even, end) + 4, top + BAR - 2, `${digits(ratio)}x`)
  );
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end' = 'start'): string {
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}">${escapeMarkup(content)}</text>`;
}
