import { escapeMarkup, round, svg } from '../svg.js';
import { shorten } from './formatProfile.js';
import { digits } from './table.js';
import type { Profile, ProfiledDispatch } from './types.js';

const PLOT = { left: 64, top: 72, width: 520, height: 380 };
const LEGEND = PLOT.left + PLOT.width + 32;
const LEGEND_WIDTH = 500;
const ROW = 17;

const STYLE = `
.roofline .roof { fill: none; stroke: var(--first); stroke-width: 2; }
.roofline .limit { fill: var(--first); font-weight: 600; }
.roofline circle { fill: var(--second); fill-opacity: 0.8; stroke: var(--paper); }
.roofline .hollow { fill: var(--paper); fill-opacity: 1; stroke: var(--second); stroke-width: 2; }
.roofline .number { font-size: 11px; font-weight: 600; fill: var(--ink); }
`;

interface Dot {
  readonly name: string;
  /** What the legend says beside the name. */
  readonly figures: string;
  /** Flops a byte, and GFLOP/s; undefined where nothing could be timed. */
  readonly at: { readonly intensity: number; readonly gflops: number } | undefined;
  /** Its share of the time: the dot's area. */
  readonly share: number;
  /** No arithmetic: it stands at the left edge, as far below the roof as its bandwidth is. */
  readonly hollow: boolean;
}

/**
 * A roofline as one SVG: flops a byte to the right, GFLOP/s upwards, both logarithmic; the two limits as a roof, a
 * dot for each dispatch, as large as its share of the time and numbered as in the legend.
 */
export function rooflineSvg(profile: Profile): string {
  const { name, adapter, limits, stepMs, note } = profile;
  const ridge = limits.fmaGflops / limits.copyGbps;
  const intensities = rowsOf(profile).flatMap(({ flops, bytes }) => (flops > 0 && bytes > 0 ? [flops / bytes] : []));
  const x = logarithmic(Math.min(ridge / 10, ...intensities) / 2, Math.max(ridge * 10, ...intensities) * 2);
  const dots = rowsOf(profile).map((row) => dotOf(row, profile, 10 ** x.from));
  const heights = dots.flatMap(({ at }) => (at === undefined || at.gflops <= 0 ? [] : [at.gflops]));
  const y = logarithmic(Math.min(limits.fmaGflops / 100, ...heights) / 2, Math.max(limits.fmaGflops, ...heights) * 2);
  const px = (value: number) => round(PLOT.left + PLOT.width * x.part(value));
  const py = (value: number) => round(PLOT.top + PLOT.height * (1 - y.part(value)));
  const height = Math.max(PLOT.top + PLOT.height + 56, PLOT.top + ROW * (dots.length + 2));
  const width = LEGEND + LEGEND_WIDTH;
  const title = `${name} on ${adapter}`;
  const bottom = PLOT.top + PLOT.height;
  const right = PLOT.left + PLOT.width;
  const atFloor = Math.max(10 ** x.from, 10 ** y.from / limits.copyGbps);
  const label = `Roofline of ${title}: ${dots.map((dot) => `${dot.name} ${dot.figures}`).join('; ')}`;
  return svg({ kind: 'roofline', width, height, label, style: STYLE }, [
    `<text class="title" x="${PLOT.left}" y="26">${escapeMarkup(title)}</text>`,
    `<text x="${PLOT.left}" y="45">${escapeMarkup(`${digits(stepMs)} ms a step. ${note}`)}</text>`,
    ...x.powers.map((power) => {
      const at = px(10 ** power);
      return `<line class="grid" x1="${at}" x2="${at}" y1="${PLOT.top}" y2="${bottom}"/><text class="middle" x="${at}" y="${bottom + 18}">${plain(power)}</text>`;
    }),
    ...y.powers.map((power) => {
      const at = py(10 ** power);
      return `<line class="grid" x1="${PLOT.left}" x2="${right}" y1="${at}" y2="${at}"/><text class="end" x="${PLOT.left - 8}" y="${at + 4}">${plain(power)}</text>`;
    }),
    `<text class="end" x="${right}" y="${bottom + 38}">flops a byte</text>`,
    `<text x="${PLOT.left - 48}" y="${PLOT.top - 10}">GFLOP/s</text>`,
    `<path class="roof" d="M${px(atFloor)} ${py(atFloor * limits.copyGbps)}L${px(ridge)} ${py(limits.fmaGflops)}L${right} ${py(limits.fmaGflops)}"/>`,
    `<text class="limit end" x="${right - 6}" y="${py(limits.fmaGflops) - 7}">fma ${digits(limits.fmaGflops)} GFLOP/s</text>`,
    slanted(limits.copyGbps, atFloor, px, py),
    ...dots.flatMap(({ at, share, hollow }, i) => {
      if (at === undefined || at.gflops <= 0) return [];
      const [cx, cy] = [px(at.intensity), py(at.gflops)];
      const r = round(4 + 10 * Math.sqrt(share));
      return `<circle${hollow ? ' class="hollow"' : ''} cx="${cx}" cy="${cy}" r="${r}"><title>${escapeMarkup(`${i} ${dots[i]?.name}: ${dots[i]?.figures}`)}</title></circle><text class="number" x="${round(cx + r + 2)}" y="${round(cy + 4 + 11 * (crowd(dots, i, px, py) % 5))}">${i}</text>`;
    }),
    ...dots.map(
      ({ name: label, figures }, i) =>
        `<text class="end" x="${LEGEND}" y="${PLOT.top + 8 + ROW * i}">${i}</text><text class="ink" x="${LEGEND + 8}" y="${PLOT.top + 8 + ROW * i}">${escapeMarkup(label)}</text><text class="end" x="${width - 16}" y="${PLOT.top + 8 + ROW * i}">${escapeMarkup(figures)}</text>`,
    ),
  ]);
}

/** The dispatches; or, where only steps were timed, the step as one. */
function rowsOf({ timing, stepMs, dispatches }: Profile): readonly ProfiledDispatch[] {
  if (timing === 'dispatch') return dispatches;
  const sum = (key: 'bytes' | 'flops') => dispatches.reduce((total, one) => total + one.runs * one[key], 0);
  const [bytes, flops] = [sum('bytes'), sum('flops')];
  const rates = { gflops: flops / (stepMs * 1e6), gbps: bytes / (stepMs * 1e6) };
  return [{ label: 'the whole step', grid: [1, 1, 1], runs: 1, bytes, flops, boundBy: 'fma', ms: stepMs, ...rates }];
}

function dotOf(row: ProfiledDispatch, profile: Profile, leftEdge: number): Dot {
  const { label, ms, runs, bytes, flops, gflops, gbps, shareOfFma, shareOfBandwidth, boundBy } = row;
  const name = shorten(label);
  const whole = profile.gpuMs ?? profile.stepMs;
  if (ms === undefined || gflops === undefined || gbps === undefined) {
    return { name, figures: 'too short to time', at: undefined, share: 0, hollow: false };
  }
  const share = boundBy === 'fma' ? shareOfFma : shareOfBandwidth;
  const ofLimit = share === undefined ? '' : `, ${(100 * share).toFixed(0)} % of ${boundBy}`;
  const hollow = flops === 0;
  return {
    name,
    figures: `${runs > 1 ? `${runs} x ` : ''}${digits(ms)} ms${ofLimit}`,
    at: hollow ? { intensity: leftEdge, gflops: gbps * leftEdge } : { intensity: flops / Math.max(1, bytes), gflops },
    share: whole > 0 ? Math.min(1, (runs * ms) / whole) : 0,
    hollow,
  };
}

/** How many dots before this one lie so near that their numbers would cover each other. */
function crowd(dots: readonly Dot[], index: number, px: (v: number) => number, py: (v: number) => number): number {
  const own = dots[index]?.at;
  if (own === undefined) return 0;
  return dots.slice(0, index).filter(({ at }) => {
    if (at === undefined || at.gflops <= 0) return false;
    return Math.hypot(px(at.intensity) - px(own.intensity), py(at.gflops) - py(own.gflops)) < 12;
  }).length;
}

/** The bandwidth's label along its line. */
function slanted(gbps: number, from: number, px: (v: number) => number, py: (v: number) => number): string {
  const [x, y] = [px(from * 1.2), py(from * 1.2 * gbps)];
  const angle = round((Math.atan2(py(from * 12 * gbps) - y, px(from * 12) - x) * 180) / Math.PI);
  return `<text class="limit" transform="translate(${x} ${y - 8}) rotate(${angle})">copy ${digits(gbps)} GB/s</text>`;
}

/** An axis over whole powers of ten at both ends. */
function logarithmic(least: number, most: number) {
  const from = Math.floor(Math.log10(least));
  const to = Math.max(from + 1, Math.ceil(Math.log10(most)));
  return {
    from,
    powers: Array.from({ length: to - from + 1 }, (_, i) => from + i),
    /** How far along the axis a value lies, from 0 to 1. */
    part: (value: number) => (Math.log10(value) - from) / (to - from),
  };
}

function plain(power: number): string {
  return power < -3 || power > 5 ? `1e${power}` : String(Number(`1e${power}`));
}
