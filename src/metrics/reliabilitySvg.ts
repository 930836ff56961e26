import { escapeMarkup, round, svg, ticks } from '../svg.js';
import type { Reliability, ReliabilityBin } from './reliability.js';

const WIDTH = 440;
const PLOT = { left: 56, top: 72, side: 360 };
/** Below the plot: how the rows are spread over the bins. */
const COUNTS = { top: PLOT.top + PLOT.side + 34, height: 64 };
const HEIGHT = COUNTS.top + COUNTS.height + 20;

const STYLE = `
.reliability .bar { fill: var(--first); fill-opacity: 0.75; }
.reliability .gap { fill: var(--second); fill-opacity: 0.25; stroke: var(--second); }
.reliability .even { stroke: var(--soft); stroke-dasharray: 4 4; }
.reliability .rows { fill: var(--soft); fill-opacity: 0.6; }
`;

/**
 * A reliability diagram as one SVG: a bar for each bin as high as its accuracy, and its gap to the mean confidence; the
 * dashed diagonal is perfect calibration. Below, each bin's part of the rows.
 *
 * @param reliability what `metrics.reliabilityDiagram()` gave.
 * @example figure.innerHTML = metrics.reliabilitySvg(reliability, { title: 'Test set' });
 */
export function reliabilitySvg(reliability: Reliability, { title }: { readonly title: string }): string {
  const { bins, examples } = reliability;
  const subtitle = `ECE ${figure(reliability.expected)}, MCE ${figure(reliability.maximum)}, ${examples.toLocaleString('en')} rows`;
  const filled = bins.filter(({ count }) => count > 0);
  const most = filled.reduce((largest, { count }) => Math.max(largest, count), 0);
  const [right, bottom, foot] = [PLOT.left + PLOT.side, PLOT.top + PLOT.side, COUNTS.top + COUNTS.height];
  const x = (value: number) => round(PLOT.left + PLOT.side * value);
  const y = (value: number) => round(PLOT.top + PLOT.side * (1 - value));
  const label = `${title}. Reliability diagram. ${subtitle}.`;
  return svg({ kind: 'reliability', width: WIDTH, height: HEIGHT, label, style: STYLE }, [
    `<text class="title" x="${PLOT.left}" y="26">${escapeMarkup(title)}</text>`,
    `<text x="${PLOT.left}" y="45">${escapeMarkup(subtitle)}</text>`,
    ...ticks(0, 1, 5).map(
      (value) =>
        `<line class="grid" x1="${PLOT.left}" x2="${right}" y1="${y(value)}" y2="${y(value)}"/><text class="end" x="${PLOT.left - 8}" y="${y(value) + 4}">${value}</text><text class="middle" x="${x(value)}" y="${bottom + 18}">${value}</text>`,
    ),
    `<text x="${PLOT.left - 40}" y="${PLOT.top - 12}">accuracy</text>`,
    `<text class="end" x="${right}" y="${bottom + 34}">confidence</text>`,
    ...filled.map((bin) => {
      const [from, width] = [x(bin.from), barWidth(bin)];
      const [low, high] = [Math.min(bin.accuracy, bin.confidence), Math.max(bin.accuracy, bin.confidence)];
      const gap = `<rect class="gap" x="${from}" y="${y(high)}" width="${width}" height="${round(y(low) - y(high))}"/>`;
      const bar = `<rect class="bar" x="${from}" y="${y(bin.accuracy)}" width="${width}" height="${round(bottom - y(bin.accuracy))}"/>`;
      return `<g><title>${escapeMarkup(words(bin))}</title>${bar}${gap}</g>`;
    }),
    `<line class="even" x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}"/>`,
    `<text x="${PLOT.left}" y="${bottom + 34}">rows, at most ${most.toLocaleString('en')} a bin</text>`,
    ...filled.map((bin) => {
      const height = round(((COUNTS.height - 10) * bin.count) / most);
      return `<rect class="rows" x="${x(bin.from)}" y="${round(foot - height)}" width="${barWidth(bin)}" height="${height}"/>`;
    }),
    `<line class="grid" x1="${PLOT.left}" x2="${right}" y1="${foot}" y2="${foot}"/>`,
  ]);
}

/** A bin of equal mass may hold one confidence alone: it is drawn all the same. */
function barWidth({ from, to }: ReliabilityBin): number {
  return round(Math.max(1, PLOT.side * (to - from) - 1));
}

function words({ from, to, count, accuracy, confidence }: ReliabilityBin): string {
  return `${figure(from)} to ${figure(to)}: ${count.toLocaleString('en')} rows, accuracy ${figure(accuracy)}, confidence ${figure(confidence)}`;
}

function figure(value: number): string {
  return Number.isNaN(value) ? 'undefined' : value.toFixed(4);
}
