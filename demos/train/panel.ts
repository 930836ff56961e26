/** A plot's frame as SVG text: axes, grid and title, on which a chart draws what it has. */

import { escapeMarkup, round, ticks } from '../../src/svg.js';

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

/** What a panel needs beside the rules that all charts have. */
export const PANEL_STYLE = `
.chart .panel { font-size: 13px; font-weight: 600; fill: var(--ink); }
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

function tidy(value: number): string {
  return String(Number(value.toPrecision(6)));
}
