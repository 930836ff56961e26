/**
 * What charts share: an SVG that needs nothing besides, read on a page, in a viewer and inside an img, by day and by
 * night. A leaf that all may import.
 */

export interface SvgOptions {
  /** The class of the root, under which all its styles stand. */
  readonly kind: string;
  readonly width: number;
  readonly height: number;
  /** The chart in words, for those who do not see it. */
  readonly label: string;
  /** Rules of its own, beside the shared ones. */
  readonly style?: string;
}

/** By day and by night; a page that has a colour of its own says so: `--chart-ink`. */
const COLOURS = {
  ink: ['#1d2530', '#e8edf3'],
  soft: ['#5c6672', '#9aa7b4'],
  rule: ['#dfe4ea', '#303a45'],
  first: ['#1f6feb', '#6cb0ff'],
  second: ['#d1570b', '#ff9d5c'],
  paper: ['#ffffff', '#12171d'],
} as const;

/**
 * A whole SVG around its content. Colours: `var(--ink)` (text that counts), `--soft` (other text), `--rule` (grid),
 * `--first` and `--second` (data), `--paper`. Classes: `title`, `ink`, `end` and `middle` (anchors), `grid`.
 */
export function svg({ kind, width, height, label, style = '' }: SvgOptions, content: readonly string[]): string {
  const colours = (night: 0 | 1) =>
    Object.entries(COLOURS)
      .map(([name, pair]) => `--${name}: var(--chart-${name}, ${pair[night]});`)
      .join(' ');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="${kind}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeMarkup(label)}">`,
    `<style>
.${kind} { ${colours(0)} }
@media (prefers-color-scheme: dark) { .${kind} { ${colours(1)} } }
.${kind} text { font: 12px system-ui, sans-serif; fill: var(--soft); }
.${kind} .title { font-size: 16px; font-weight: 600; fill: var(--ink); }
.${kind} .ink { fill: var(--ink); } .${kind} .end { text-anchor: end; } .${kind} .middle { text-anchor: middle; }
.${kind} .grid { stroke: var(--rule); }
${style}</style>`,
    `<rect width="${width}" height="${height}" fill="var(--paper)"/>`,
    ...content,
    '</svg>',
  ].join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text as it stands in SVG and HTML, in attributes too. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}

/** A place on the chart, to a tenth of a pixel. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
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
