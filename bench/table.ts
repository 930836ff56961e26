import { formatProfile } from '../src/index.js';
import { alignColumns, digits, percent } from '../src/node/terminal/table.js';
import { PEERS, type PeerName, type Unit } from './case.js';
import type { Verdict } from './goals.js';
import type { Profile, Report, Row } from './report.js';

/** Room for `12345`, `100.0 %` and `1234x`; a wider figure pushes its line's rest aside. */
const FIGURE = 7;

/**
 * The figures for people, a line an engine and case. Widths are known beforehand, so that lines printed one by one
 * stand in columns.
 */
export class Table {
  readonly #peers: readonly PeerName[];
  readonly #widths: readonly number[];
  readonly #head: readonly string[];

  /** @param cases their names. @param peers a column each. */
  constructor(cases: readonly string[], peers: readonly PeerName[]) {
    this.#peers = PEERS.filter((peer) => peers.includes(peer));
    const versus = this.#peers.map((peer) => `vs ${peer}`);
    this.#head = ['case', 'engine', 'median', 'min', 'spread', '', 'GFLOP/s', 'GB/s', 'of limit', ...versus];
    const name = Math.max(...['case', ...cases].map(({ length }) => length));
    const figures = this.#head.slice(2).map((text) => (text === '' ? 2 : Math.max(FIGURE, text.length)));
    this.#widths = [name, 'cotangent'.length, ...figures];
  }

  get head(): string {
    return alignColumns([this.#head], 2, this.#widths);
  }

  /** The lines of some cases, whole. */
  lines(rows: readonly Row[]): string {
    const cells = rows.map((row, i) => [
      rows[i - 1]?.case === row.case ? '' : row.case,
      row.engine,
      ...[row.median, row.min, row.spread].map((value) => inUnit(value, row.unit)),
      UNITS[row.unit],
      row.gflops === undefined ? '' : digits(row.gflops),
      row.gflops !== undefined || row.gbps === undefined ? '' : digits(row.gbps),
      row.share_of_limit === undefined ? '' : percent(row.share_of_limit),
      ...this.#peers.map((peer) => times(row, peer)),
    ]);
    return alignColumns(cells, 2, this.#widths);
  }
}

/** What stands below the table: what its columns mean, goals, profiles, and what failed. */
export function formatClosing({ limits, failures, goals, profiles = [] }: Report): string {
  return [
    '',
    `Limits in this run: fma ${digits(limits.fma_gflops)} GFLOP/s, copy ${digits(limits.copy_gbps)} GB/s.`,
    'Spread: between the quartiles. vs: how many times as much the peer takes, the median over the rounds.',
    'Of limit: GFLOP/s of fma; GB/s, where a case counts bytes only, of copy; in the table, as known at its line.',
    ...(goals.length === 0 ? [] : ['', formatGoals(goals)]),
    ...profiles.map(planAndProfile),
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

function planAndProfile(profile: Profile): string {
  return ['', profile.plan, '', `${profile.case}:`, formatProfile(profile)].join('\n');
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
