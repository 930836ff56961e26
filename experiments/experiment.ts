import type { ImageDataset } from '../src/index.js';
import type { Figure } from './report/figure.js';

/** One unit of work, kept as soon as it is done. What it carries besides is the experiment's own, as JSON has it. */
export interface Trial {
  /** Its name in the report and among the results: unlike all others. */
  readonly key: string;
  /** How long it takes beside the others; default 1. Only the time that is left is reckoned from it. */
  readonly weight?: number;
}

/** What the trials found so far, by key. */
export type Results<Found> = ReadonlyMap<string, Found>;

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One claim, held against the data by the rule that `rule` states. */
export interface Verdict {
  readonly claim: string;
  readonly shown: boolean;
  /** The figures that decided, in a sentence. */
  readonly because: string;
}

export interface Summary {
  readonly verdicts: readonly Verdict[];
  readonly tables: readonly Table[];
  /** What a reader should know besides: a rate on the grid's edge, a run that diverged. */
  readonly notes: readonly string[];
  readonly figure: Figure;
}

export interface Bench<One extends Trial = Trial, Found = object> {
  /**
   * Runs a trial, on an engine that nothing ran on before: it gives the same bits in whatever run.
   * @param results of the trials before it.
   */
  run(trial: One, results: Results<Found>): Promise<Found>;
}

/**
 * An experiment is a declaration; the command runs it, keeps its results and writes its report. Settings, trials and
 * figures are JSON: no NaN, no Infinity (`finite` makes null of them).
 *
 * Methods rather than functions, so that a list may hold experiments of unlike settings.
 */
export interface Experiment<Settings = object, One extends Trial = Trial, Found = object> {
  readonly name: string;
  readonly title: string;
  /** What to look for, in words. What papers report is said to be recalled. */
  readonly claim: string;
  /** How the verdict is reached, stated before there are results. */
  readonly rule: string;
  /** How the trials are made, for a reader: a paragraph. */
  readonly method: string;
  readonly settings: Settings;
  /** The same, small enough for two minutes on two cores. */
  readonly quick: Settings;
  /** All trials, in the order in which they run. A trial may need results of earlier ones. */
  trials(settings: Settings): readonly One[];
  /** Called in the page, once. */
  open(settings: Settings, digits: () => Promise<ImageDataset>): Bench<One, Found>;
  summarise(settings: Settings, results: Results<Found>): Summary;
}

/** JSON has neither NaN nor Infinity. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** @throws Error where the result of a trial is missing: the runner's mistake, or the experiment's. */
export function resultOf<Found>(results: Results<Found>, key: string): Found {
  const found = results.get(key);
  if (found === undefined) throw new Error(`there is no result of '${key}'`);
  return found;
}
