import type { Profile as StepProfile } from '../src/index.js';
import type { EngineName, PeerName, Unit } from './case.js';
import type { Verdict } from './goals.js';

/** What the terminal asks of the page. */
export interface Request {
  readonly cases: readonly string[];
  readonly peers: readonly PeerName[];
  readonly quick: boolean;
  readonly profile: boolean;
}

/** What the page measured so far; with the machine's names it is the JSON. */
export interface Measurements {
  readonly adapter: string;
  readonly limits: Limits;
  readonly cases: readonly Row[];
  readonly failures: readonly Failure[];
  readonly profiles: readonly Profile[];
}

/** Where the time of one repetition of ours goes. */
export interface Profile extends StepProfile {
  readonly case: string;
  /** What `explain` says. */
  readonly plan: string;
}

/** The most that plain kernels reached in this run, measured before the first case and after each. */
export interface Limits {
  readonly fma_gflops: number;
  readonly copy_gbps: number;
}

export interface Row {
  readonly case: string;
  readonly engine: EngineName;
  /** Of the next three; in the JSON they carry it in their names: `median_ms`. */
  readonly unit: Unit;
  readonly median: number;
  readonly min: number;
  /** Between the first and the third quartile. */
  readonly spread: number;
  readonly samples: number;
  /** Repetitions in a sample. */
  readonly repeats: number;
  /** Of one repetition. */
  readonly dispatches?: number;
  readonly gflops?: number;
  readonly gbps?: number;
  /** Of the fma limit, or of the copy limit where a case counts bytes only. */
  readonly share_of_limit?: number;
  /** How many times as much the peer took: the median over the rounds of both. Only for our rows. */
  readonly ratio_to?: Readonly<Partial<Record<PeerName, number>>>;
}

export interface Failure {
  readonly engine: EngineName;
  /** Absent when the engine did not start at all. */
  readonly case?: string;
  readonly message: string;
  /** Ours failed, or results differ: the command fails. */
  readonly fatal: boolean;
}

export interface Report {
  readonly adapter: string;
  readonly browser: string;
  readonly date: string;
  readonly limits: Limits;
  readonly cases: readonly Row[];
  readonly failures: readonly Failure[];
  /** Of the cases that were measured. */
  readonly goals: readonly Verdict[];
  /** With --profile only. */
  readonly profiles?: readonly Profile[];
}

/** The report as it is written to a file: each row's figures are named with their unit. */
export function jsonOf(report: Report): string {
  const cases = report.cases.map(({ case: name, engine, unit, median, min, spread, ...rest }) => ({
    case: name,
    engine,
    [`median_${unit}`]: median,
    [`min_${unit}`]: min,
    [`spread_${unit}`]: spread,
    ...rest,
  }));
  return `${JSON.stringify({ ...report, cases }, undefined, 2)}\n`;
}
