import type { Experiment, Results, Trial } from './experiment.js';
import { type Run, resultsOf, type Surroundings } from './report/run.js';

/** A run without trials, or with those of an earlier one that may stand. */
export function startRun({ name }: Experiment, { quick, settings, here, earlier }: RunStart): Run {
  const date = new Date().toISOString();
  const trials = earlier?.trials ?? [];
  return { format: 'cotangent-experiment-1', name, quick, ...here, date, settings, trials };
}

interface RunStart {
  readonly quick: boolean;
  readonly settings: object;
  readonly here: Surroundings;
  readonly earlier: Run | undefined;
}

export interface RunState {
  readonly trial: Trial;
  /** What the trial found and how long it took; undefined when it begins. */
  readonly found: object | undefined;
  readonly seconds: number | undefined;
  /** From 1, of `count`. */
  readonly number: number;
  readonly count: number;
  /** How much of the work is done, from 0 to 1. */
  readonly part: number;
  /** Undefined before the first trial of this process is done. */
  readonly secondsLeft: number | undefined;
}

export interface Means {
  readonly runTrial: (trial: Trial, results: Results<object>) => Promise<object>;
  /** Awaited after every trial: what it has been given is kept. */
  readonly save: (run: Run) => Promise<void>;
  readonly onTrial?: (state: RunState) => void;
}

/** Trials of the experiment that the run has no results of, in order. */
export function trialsLeft(run: Run, experiment: Experiment): readonly Trial[] {
  const done = resultsOf(run);
  return experiment.trials(run.settings).filter(({ key }) => !done.has(key));
}

/** Runs what is left, saving after every trial. @returns the whole run, its trials in the experiment's order. */
export async function completeRun(run: Run, experiment: Experiment, { runTrial, save, onTrial }: Means): Promise<Run> {
  const all = experiment.trials(run.settings);
  const done = resultsOf(run);
  const left = all.filter(({ key }) => !done.has(key));
  const weigh = (trials: readonly Trial[]) => trials.reduce((sum, { weight = 1 }) => sum + weight, 0);
  const [total, toDo] = [weigh(all), weigh(left)];
  const began = performance.now();
  let grown = run;
  for (const [index, trial] of left.entries()) {
    const number = all.indexOf(trial) + 1;
    const tell = (remaining: readonly Trial[], found?: object, seconds?: number) => {
      const rest = weigh(remaining);
      const part = 1 - rest / total;
      const elapsed = (performance.now() - began) / 1000;
      const secondsLeft = rest < toDo ? (elapsed * rest) / (toDo - rest) : undefined;
      onTrial?.({ trial, found, seconds, number, count: all.length, part, secondsLeft });
    };
    tell(left.slice(index));
    const start = performance.now();
    const found = await runTrial(trial, resultsOf(grown));
    const seconds = (performance.now() - start) / 1000;
    grown = { ...grown, date: new Date().toISOString(), trials: [...grown.trials, { ...trial, found, seconds }] };
    await save(grown);
    tell(left.slice(index + 1), found, seconds);
  }
  const rank = new Map(all.map(({ key }, i) => [key, i]));
  const trials = grown.trials
    .filter(({ key }) => rank.has(key))
    .sort((a, b) => (rank.get(a.key) ?? 0) - (rank.get(b.key) ?? 0));
  return { ...grown, trials };
}
