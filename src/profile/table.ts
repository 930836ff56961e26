/** Columns of text for terminals. */

/** Three digits that count; `?` for what is no number. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const decimals = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(decimals, 4));
}

/** `12.3 %`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** `4.2 M`: three digits with a unit of thousands. */
export function scaled(value: number): string {
  const [unit, scale] = value >= 1e9 ? ['G', 1e9] : value >= 1e6 ? ['M', 1e6] : value >= 1e3 ? ['k', 1e3] : ['', 1];
  return `${Number((value / Number(scale)).toPrecision(3))} ${unit}`.trim();
}

/**
 * The first columns, names, to the left; numbers to the right.
 * @param least widths of columns, at least; longer cells widen theirs.
 */
export function alignColumns(
  lines: readonly (readonly string[])[],
  names: number,
  least: readonly number[] = [],
): string {
  const widths = lines.reduce<number[]>(
    (all, line) => line.map((cell, i) => Math.max(all[i] ?? least[i] ?? 0, cell.length)),
    [],
  );
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i < names ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
