/** A plot's frame as SVG text: axes, grid and title, on which a chart draws what it has. It imports nothing. */

export type Point = readonly [x: number, y: number];

/** From values to places, in tenths of a pixel. */
export type Place = (points: readonly Point[]) => readonly Point[];

export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Axis {
  readonly from: number;
  readonly to: number;
  /** Values that are written beside it. */
  readonly ticks: readonly number[];
}

/** Colours come from the page where it has them (`--chart-…`), else from here, by day and by night. */
export const PANEL_STYLE = `
.chart { --ink: var(--chart-ink, #1d2530); --soft: var(--chart-soft, #5c6672); --rule: var(--chart-rule, #dfe4ea);
  --first: var(--chart-first, #1f6feb); --second: var(--chart-second, #d1570b); --paper: var(--chart-paper, #ffffff); }
@media (prefers-color-scheme: dark) { .chart { --ink: var(--chart-ink, #e8edf3); --soft: var(--chart-soft, #9aa7b4);
  --rule: var(--chart-rule, #303a45); --first: var(--chart-first, #6cb0ff); --second: var(--chart-second, #ff9d5c);
  --paper: var(--chart-paper, #12171d); } }
.chart text { font: 12px system-ui, sans-serif; fill: var(--soft); }
.chart .title { font-size: 16px; font-weight: 600; fill: var(--ink); }
.chart .panel { font-size: 13px; font-weight: 600; fill: var(--ink); }
.chart .grid { stroke: var(--rule); stroke-width: 1; }
.chart path { fill: none; stroke-linejoin: round; stroke-linecap: round; }`;

/** Values above the axis are drawn at its end. */
export function panel(
  { left, top, width, height }: Frame,
  title: string,
  x: Axis & { readonly name: string },
  y: Axis,
  content: (place: Place) => readonly string[],
): string {
  const across = (value: number) => round(left + (width * (value - x.from)) / (x.to - x.from));
  const up = (value: number) => round(top + height * (1 - (Math.min(value, y.to) - y.from) / (y.to - y.from)));
  const rows = y.ticks.map((value) => {
    const at = up(value);
    return `<line class="grid" x1="${left}" x2="${left + width}" y1="${at}" y2="${at}"/><text x="${left - 8}" y="${at + 4}" text-anchor="end">${tidy(value)}</text>`;
  });
  const columns = x.ticks.map(
    (value) =>
      `<text x="${across(value)}" y="${top + height + 18}" text-anchor="middle">${value.toLocaleString('en')}</text>`,
  );
  return [
    `<text class="panel" x="${left}" y="${top - 16}">${escapeMarkup(title)}</text>`,
    ...rows,
    ...columns,
    `<text x="${left + width}" y="${top + height + 34}" text-anchor="end">${escapeMarkup(x.name)}</text>`,
    ...content((points) => points.map(([step, value]) => [across(step), up(value)] as const)),
  ].join('\n');
}

/** An axis that begins and ends at round numbers. */
export function roundAxis(from: number, to: number, count: number): Axis {
  const values = ticks(from, to, count);
  return { from: Math.min(from, values[0] ?? from), to: Math.max(to, values.at(-1) ?? to), ticks: values };
}

/** Round numbers from at most `from` to at least `to`, about `count` of them. */
export function ticks(from: number, to: number, count: number): number[] {
  const raw = (to - from || 1) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const every = ([1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999) ?? 10) * power;
  const first = Math.floor(from / every + 1e-9);
  const last = Math.ceil(to / every - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * every).toPrecision(12)));
}

export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function tidy(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
