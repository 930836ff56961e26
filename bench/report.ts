import type { EngineName, PeerName } from './case.js';

/** What the terminal asks of the page. */
export interface Request {
  readonly cases: readonly string[];
  readonly peers: readonly PeerName[];
  readonly quick: boolean;
  readonly profile: boolean;
}

/** What the page gives back; with the machine's names it is the JSON. */
export interface Measurements {
  readonly adapter: string;
  readonly limits: Limits;
  readonly cases: readonly Row[];
  readonly failures: readonly Failure[];
  readonly profiles: readonly Profile[];
}

/** One dispatch of ours, with a pass of its own. */
export interface Dispatch {
  readonly label: string;
  readonly ms: number;
}

/** Where the time of one repetition of ours goes. */
export interface Profile {
  readonly case: string;
  readonly plan: string;
  readonly dispatches: readonly Dispatch[];
}

/** The most that plain kernels reached in this run, measured before each case and after the last. */
export interface Limits {
  readonly fma_gflops: number;
  readonly copy_gbps: number;
}

export interface Row {
  readonly case: string;
  readonly engine: EngineName;
  readonly median_ms: number;
  readonly min_ms: number;
  /** Between the first and the third quartile. */
  readonly spread_ms: number;
  readonly samples: number;
  /** Repetitions in a sample, with one wait at its end. */
  readonly repeats: number;
  readonly gflops?: number;
  readonly gbps?: number;
  /** Of the fma limit, or of the copy limit where a case counts bytes only. */
  readonly share_of_limit?: number;
  /** How many times as long the peer took: the median over the rounds of both. Only for our rows. */
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
  /** With --profile only. */
  readonly profiles?: readonly Profile[];
}
