import { isDeepStrictEqual } from 'node:util';
import type { Experiment, Results, Trial, Verdict } from '../experiment.js';

/** A trial that is done. */
export interface DoneTrial extends Trial {
  readonly found: object;
  readonly seconds: number;
}

/** Where a run took place. */
export interface Surroundings {
  readonly adapter: string;
  readonly browser: string;
  readonly versions: { readonly cotangent: string; readonly node: string; readonly puppeteer: string };
  readonly platform: string;
}

/** A run, whole or in part, as its JSON keeps it. */
export interface Run extends Surroundings {
  readonly format: 'cotangent-experiment-1';
  readonly name: string;
  readonly quick: boolean;
  readonly settings: object;
  readonly date: string;
  readonly trials: readonly DoneTrial[];
  /** Of a whole run, for whoever reads its file. */
  readonly verdicts?: readonly Verdict[];
  readonly notes?: readonly string[];
}

/** As a file keeps it: lists of numbers, which may be long, on one line each. */
export function jsonOf(run: Run): string {
  const text = JSON.stringify(run, undefined, 2);
  return `${text.replace(/\[[\s\d.,e+-]*\]/g, (list) => list.replace(/\s+/g, ' '))}\n`;
}

/** @returns undefined for what is no run of an experiment: half a file, or another's. */
export function parseRun(text: string): Run | undefined {
  try {
    const run = JSON.parse(text) as Run | null;
    return run?.format === 'cotangent-experiment-1' && Array.isArray(run.trials) ? run : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Why results of an earlier run cannot stand beside new ones; undefined when they can. Where it took place is compared
 * once that is known.
 */
export function whyAnew(
  earlier: Run,
  experiment: Experiment,
  settings: object,
  here?: Surroundings,
): string | undefined {
  if (earlier.name !== experiment.name) return `it is of ${earlier.name}`;
  // As JSON keeps them: what a file cannot hold differs by nothing.
  if (!isDeepStrictEqual(earlier.settings, JSON.parse(JSON.stringify(settings)))) return 'the settings have changed';
  if (here === undefined) return undefined;
  if (earlier.adapter !== here.adapter) return `it ran on another adapter, ${earlier.adapter}`;
  const { cotangent } = here.versions;
  if (earlier.versions.cotangent !== cotangent) return `it ran with Cotangent ${earlier.versions.cotangent}`;
  return undefined;
}

/** What the trials of the experiment found, as far as they are done. */
export function resultsOf({ trials }: Run): Results<object> {
  return new Map(trials.map(({ key, found }) => [key, found]));
}
