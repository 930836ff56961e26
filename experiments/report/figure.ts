import { PANEL_STYLE, type Place, type Point, panel, roundAxis } from '../../demos/train/panel.js';
import { escapeMarkup, svg, ticks } from '../../src/svg.js';

/** A row of plots with the same series. */
export interface Figure {
  readonly title: string;
  readonly panels: readonly PanelData[];
}

export interface PanelData {
  readonly title: string;
  /** Name of the axis to the right. */
  readonly x: string;
  /** Values written beside it. Default: round ones. */
  readonly ticks?: readonly number[];
  readonly series: readonly Series[];
}

export interface Series {
  readonly name: string;
  /** `error`: half the length of its bar. */
  readonly points: readonly { readonly x: number; readonly y: number; readonly error?: number }[];
}

const WIDTH = 300;
const HEIGHT = 230;
const GAP = 74;
const LEFT = 62;
const TOP = 96;
const ROW = HEIGHT + 82;
const COLUMNS = 3;
/** By day and by night; told apart in grey too, for their lightness differs. */
const COLOURS = [
  ['#1f6feb', '#6cb0ff'],
  ['#d1570b', '#ff9d5c'],
  ['#1a7f37', '#57d364'],
  ['#8250df', '#c297ff'],
  ['#9a6700', '#e3b341'],
  ['#57606a', '#b1bac4'],
] as const;

const declare = (night: 0 | 1) => COLOURS.map((pair, i) => `--series-${i}: ${pair[night]};`).join(' ');
const STYLE = `${PANEL_STYLE}
.chart { ${declare(0)} }
@media (prefers-color-scheme: dark) { .chart { ${declare(1)} } }
.chart .series { stroke-width: 2; } .chart .bar { stroke-width: 1.5; }
.chart .key { font-weight: 600; }
.chart circle { stroke: var(--paper); stroke-width: 1; }
`;

/** The figure as an SVG that needs nothing besides. A value that is no finite number is left out. */
export function figureSvg({ title, panels }: Figure): string {
  const columns = Math.min(COLUMNS, panels.length);
  const width = LEFT + columns * (WIDTH + GAP) - 10;
  const height = TOP + Math.ceil(panels.length / columns) * ROW - 24;
  const names = [...new Set(panels.flatMap(({ series }) => series.map(({ name }) => name)))];
  const frames = panels.map((data, i) =>
    drawPanel(data, names, LEFT + (i % columns) * (WIDTH + GAP), TOP + Math.floor(i / columns) * ROW),
  );
  const content = [`<text class="title" x="${LEFT}" y="26">${escapeMarkup(title)}</text>`, ...legend(names), ...frames];
  return `${svg({ kind: 'chart', width, height, label: describe(title, panels), style: STYLE }, content)}\n`;
}

/** The figures in words, for those who do not see them. */
function describe(title: string, panels: readonly PanelData[]): string {
  const texts = panels.map(({ title: panelTitle, series }) => {
    const lines = series.map(({ name, points }) => {
      const [first, last] = [points[0], points.at(-1)];
      const value = (point: typeof first) => (point === undefined ? '?' : `${round(point.y)} at ${round(point.x)}`);
      return `${name} from ${value(first)} to ${value(last)}`;
    });
    return `${panelTitle}: ${lines.join('; ')}`;
  });
  return `${title}. ${texts.join('. ')}.`;
}

function legend(names: readonly string[]): string[] {
  let x = LEFT;
  return names.map((name, i) => {
    const at = x;
    x += 34 + 7 * name.length;
    return `<rect x="${at}" y="42" width="12" height="4" rx="2" fill="var(--series-${i % COLOURS.length})"/><text x="${at + 18}" y="48">${escapeMarkup(name)}</text>`;
  });
}

function drawPanel(data: PanelData, names: readonly string[], left: number, top: number): string {
  const series = data.series.map(({ name, points }) => ({
    colour: `var(--series-${names.indexOf(name) % COLOURS.length})`,
    points: points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)),
  }));
  const all = series.flatMap(({ points }) => points);
  const low = all.reduce((least, { y, error = 0 }) => Math.min(least, y - error), Number.POSITIVE_INFINITY);
  const high = all.reduce((most, { y, error = 0 }) => Math.max(most, y + error), Number.NEGATIVE_INFINITY);
  const y = all.length === 0 ? roundAxis(0, 1, 5) : roundAxis(low, high > low ? high : low + 1, 5);
  const from = all.reduce((least, { x }) => Math.min(least, x), Number.POSITIVE_INFINITY);
  const to = all.reduce((most, { x }) => Math.max(most, x), Number.NEGATIVE_INFINITY);
  const x = to > from ? { from, to } : { from: 0, to: 1 };
  const written = (data.ticks ?? ticks(x.from, x.to, 4)).filter((value) => value >= x.from && value <= x.to);
  return panel(
    { left, top, width: WIDTH, height: HEIGHT },
    data.title,
    { name: data.x, ...x, ticks: written },
    y,
    (at) => series.map(({ colour, points }) => drawSeries(points, colour, at)),
  );
}

function drawSeries(points: Series['points'], colour: string, at: Place): string {
  const place = ({ x, y }: { x: number; y: number }) => at([[x, y]])[0] as Point;
  const line = points.map((point) => place(point).join(' ')).join('L');
  const marks = points.map(({ x, y, error = 0 }) => {
    const [cx, cy] = place({ x, y });
    const [, above] = place({ x, y: y + error });
    const [, below] = place({ x, y: y - error });
    const bar =
      error > 0
        ? `<path class="bar" stroke="${colour}" d="M${cx} ${above}L${cx} ${below}M${cx - 4} ${above}L${cx + 4} ${above}M${cx - 4} ${below}L${cx + 4} ${below}"/>`
        : '';
    // Many points are a curve; a few are what was measured.
    return `${bar}${points.length > 24 ? '' : `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${colour}"/>`}`;
  });
  return `${points.length > 1 ? `<path class="series" stroke="${colour}" d="M${line}"/>` : ''}${marks.join('')}`;
}

function round(value: number): string {
  return String(Number(value.toPrecision(3)));
}
