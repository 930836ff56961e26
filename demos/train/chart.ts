/**
 * Loss and accuracy over a run as SVG text: live on the page, and for `npm run train -- --plot FILE`.
 * It imports nothing that needs a browser, so that the command can draw without one.
 */
import { escapeMarkup, svg, ticks } from '../../src/svg.js';
import { PANEL_STYLE, type Place, type Point, panel, roundAxis } from './panel.js';
import type { Curve } from './run.js';

export interface ChartOptions {
  readonly title: string;
  /** A line below the title. */
  readonly subtitle?: string;
  /** Steps in all: how far the axis goes. Default: as far as the curve. */
  readonly steps?: number;
}

const WIDTH = 880;
const HEIGHT = 340;
const TOP = 64;
const BOTTOM = 44;
const PANEL = 352;
const LEFTS = [62, 504] as const;

const STYLE = `${PANEL_STYLE}
.chart .first { fill: var(--first); font-weight: 600; } .chart .second { fill: var(--second); font-weight: 600; }
.chart .raw { stroke: var(--first); stroke-width: 1; opacity: 0.28; }
.chart .line-first { stroke: var(--first); stroke-width: 2; } .chart .line-second { stroke: var(--second); stroke-width: 2; }
.chart circle { fill: var(--second); stroke: var(--paper); stroke-width: 1.5; }
`;

/** Two panels, loss and accuracy, over steps. It is whole at any moment of a run, the first included. */
export function chart({ steps, epochs }: Curve, options: ChartOptions): string {
  const last = Math.max(options.steps ?? 1, steps.at(-1)?.[0] ?? 1, epochs.at(-1)?.step ?? 1);
  const train: Point[] = steps.filter(([, loss]) => Number.isFinite(loss));
  const testLoss: Point[] = epochs
    .map(({ step, testLoss: loss }) => [step, loss] as const)
    .filter(([, loss]) => Number.isFinite(loss));
  const accuracy: Point[] = epochs
    .map(({ step, testAccuracy }) => [step, 100 * testAccuracy] as const)
    .filter(([, part]) => Number.isFinite(part));
  const smoothed = smooth(train);
  const highest = top([...train, ...testLoss].map(([, loss]) => loss));
  const least = Math.min(100, ...accuracy.map(([, part]) => part));
  const loss = stepsPanel(LEFTS[0], 'Loss', { from: 0, to: highest || 1 }, last, (at) => [
    path(at(train), 'raw'),
    path(at(smoothed), 'line-first'),
    path(at(testLoss), 'line-second'),
    dots(at(testLoss)),
    legend(LEFTS[0], [
      ['first', 'training'],
      ['second', 'test'],
    ]),
  ]);
  const right = stepsPanel(
    LEFTS[1],
    'Test accuracy, %',
    { from: Math.max(0, Math.floor(least - 2)), to: 100 },
    last,
    (at) => [
      path(at(accuracy), 'line-second'),
      dots(at(accuracy)),
      accuracy.length === 0 ? '' : lastValue(at(accuracy), accuracy),
    ],
  );
  const label = `${options.title}. ${describe(steps, epochs)}`;
  return svg({ kind: 'chart', width: WIDTH, height: HEIGHT, label, style: STYLE }, [
    `<text class="title" x="${LEFTS[0]}" y="24">${escapeMarkup(options.title)}</text>`,
    options.subtitle === undefined ? '' : `<text x="${LEFTS[0]}" y="42">${escapeMarkup(options.subtitle)}</text>`,
    loss,
    right,
  ]);
}

/** The curve in a sentence, for those who do not see it. */
function describe(steps: Curve['steps'], epochs: Curve['epochs']): string {
  const step = steps.at(-1);
  const epoch = epochs.at(-1);
  if (step === undefined) return 'Nothing measured yet.';
  const loss = `Training loss ${step[1].toPrecision(3)} at step ${step[0]}`;
  return epoch === undefined
    ? `${loss}.`
    : `${loss}; test accuracy ${(100 * epoch.testAccuracy).toFixed(2)} % after epoch ${epoch.epoch}.`;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function stepsPanel(
  left: number,
  title: string,
  range: Range,
  steps: number,
  content: (place: Place) => readonly string[],
): string {
  const columns = ticks(0, steps, 4).filter((step) => step <= steps && Number.isInteger(step));
  return panel(
    { left, top: TOP + 20, width: PANEL, height: HEIGHT - TOP - BOTTOM - 20 },
    title,
    { name: 'steps', from: 0, to: steps, ticks: columns },
    roundAxis(range.from, range.to, 5),
    content,
  );
}

function path(points: readonly Point[], kind: string): string {
  if (points.length < 2) return '';
  return `<path class="${kind}" d="M${thin(points)
    .map(([x, y]) => `${x} ${y}`)
    .join('L')}"/>`;
}

/** A screen has fewer columns than a long run has points. */
function thin(points: readonly Point[]): readonly Point[] {
  const limit = 2 * PANEL;
  if (points.length <= limit) return points;
  const every = points.length / limit;
  return Array.from({ length: limit }, (_, i) => points[Math.floor(i * every)] as Point).concat([
    points.at(-1) as Point,
  ]);
}

function dots(points: readonly Point[]): string {
  if (points.length > 60) return '';
  return points.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3.5"/>`).join('');
}

function lastValue(places: readonly Point[], values: readonly Point[]): string {
  const [x, y] = places.at(-1) as Point;
  const late = x > LEFTS[1] + PANEL - 48;
  const value = (values.at(-1) as Point)[1];
  return `<text class="second" x="${late ? x : x + 8}" y="${late ? y + 22 : y + 4}" text-anchor="${late ? 'end' : 'start'}">${value.toFixed(2)} %</text>`;
}

function legend(left: number, entries: readonly (readonly [kind: string, name: string])[]): string {
  return entries
    .map(
      ([kind, name], i) =>
        `<text class="${kind}" x="${left + PANEL - 4}" y="${TOP + 38 + 18 * i}" text-anchor="end">${name}</text>`,
    )
    .join('');
}

/** An exponential mean that starts unbiased: single batches are noisy. */
function smooth(points: readonly Point[]): Point[] {
  const keep = points.length < 8 ? 0 : 0.85;
  let mean = 0;
  let weight = 0;
  return points.map(([step, value]) => {
    mean = keep * mean + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return [step, mean / weight];
  });
}

/** The largest loss; but a few that stand out far above all others do not press the rest to the ground. */
function top(losses: readonly number[]): number {
  const sorted = [...losses].sort((a, b) => a - b);
  const usual = sorted[Math.ceil(0.98 * sorted.length) - 1] ?? 0;
  const largest = sorted.at(-1) ?? 0;
  return largest > 4 * usual ? usual : largest;
}
