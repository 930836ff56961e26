import { PEERS, type PeerName, type Unit } from './case.js';
import type { Verdict } from './goals.js';
import type { Profile, Report, Row } from './report.js';

/** The figures for people: a line an engine and case. */
export function formatReport({ cases, limits, failures, goals, profiles = [] }: Report): string {
  const peers = PEERS.filter((peer) => cases.some(({ ratio_to }) => ratio_to?.[peer] !== undefined));
  const head = [
    'case',
    'engine',
    'median',
    'min',
    'spread',
    '',
    'GFLOP/s',
    'GB/s',
    'of limit',
    ...peers.map((peer) => `vs ${peer}`),
  ];
  const lines = cases.map((row, i) => [
    cases[i - 1]?.case === row.case ? '' : row.case,
    row.engine,
    ...[row.median, row.min, row.spread].map((value) => inUnit(value, row.unit)),
    UNITS[row.unit],
    row.gflops === undefined ? '' : digits(row.gflops),
    row.gflops !== undefined || row.gbps === undefined ? '' : digits(row.gbps),
    row.share_of_limit === undefined ? '' : `${(100 * row.share_of_limit).toFixed(1)} %`,
    ...peers.map((peer) => times(row, peer)),
  ]);
  return [
    alignColumns([head, ...lines], 2),
    '',
    `Limits in this run: fma ${digits(limits.fma_gflops)} GFLOP/s, copy ${digits(limits.copy_gbps)} GB/s.`,
    'Spread: between the quartiles. vs: how many times as much the peer takes, the median over the rounds.',
    'Of limit: GFLOP/s of fma; GB/s, where a case counts bytes only, of copy.',
    ...(goals.length === 0 ? [] : ['', formatGoals(goals)]),
    ...profiles.map(formatProfile),
    ...failures.map(
      (failure) =>
        `${failure.fatal ? 'FAILED' : 'left out'}: ${failure.engine}${failure.case === undefined ? '' : `, ${failure.case}`}: ` +
        failure.message,
    ),
  ].join('\n');
}

function formatGoals(goals: readonly Verdict[]): string {
  const lines = goals.map(({ case: name, goal, measured, bound, met }, i) => [
    goals[i - 1]?.case === name ? '' : name,
    goal,
    met ? 'met' : 'missed',
    digits(measured),
    digits(bound),
  ]);
  return alignColumns([['goal of', '', '', 'measured', 'bound'], ...lines], 3);
}

function formatProfile({ case: name, plan, dispatches }: Profile): string {
  const total = dispatches.reduce((sum, { ms }) => sum + ms, 0);
  const lines = dispatches.map(({ label, ms }, i) => [
    String(i),
    label,
    ms.toFixed(3),
    `${((100 * ms) / total).toFixed(0)} %`,
  ]);
  return [
    '',
    plan,
    '',
    `${name}, a pass for each dispatch:`,
    alignColumns([...lines, ['', 'all', total.toFixed(3), '']], 2),
  ].join('\n');
}

function times({ ratio_to }: Row, peer: PeerName): string {
  const ratio = ratio_to?.[peer];
  return ratio === undefined ? '' : `${digits(ratio)}x`;
}

/** How a unit is printed: bytes by the thousand. */
export const UNITS: Readonly<Record<Unit, string>> = { ms: 'ms', us: 'µs', bytes: 'kB' };

export function inUnit(value: number, unit: Unit): string {
  return digits(unit === 'bytes' ? value / 1000 : value);
}

/** Three digits that count. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const decimals = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(decimals, 4));
}

/** The first columns, names, to the left; numbers to the right. */
export function alignColumns(lines: readonly (readonly string[])[], names: number): string {
  const widths = lines.reduce<number[]>((all, line) => line.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i < names ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
