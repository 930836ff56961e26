import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Experiment } from '../experiment.js';
import { parseRun, type Run, whyAnew } from './run.js';

/** Where the files of a run lie. */
export interface Files {
  readonly name: string;
  readonly json: string;
  readonly svg: string;
  readonly md: string;
  /** What is done so far; gone when all is. */
  readonly partial: string;
}

/** A quick run has names of its own: it never takes the place of a full report. */
export function filesOf({
  experiment,
  quick,
  folder,
}: {
  readonly experiment: Experiment;
  readonly quick: boolean;
  readonly folder: string;
}): Files {
  const name = quick ? `${experiment.name}.quick` : experiment.name;
  const path = (ending: string) => join(folder, `${name}.${ending}`);
  return { name, json: path('json'), svg: path('svg'), md: path('md'), partial: path('partial.json') };
}

/** What an earlier run left, a part or the whole, if it can be gone on from; else `tell` hears why not. */
export async function earlierRun(
  files: Files,
  experiment: Experiment,
  settings: object,
  tell: (text: string) => void,
): Promise<Run | undefined> {
  for (const path of [files.partial, files.json]) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const run = parseRun(text);
    const why = run === undefined ? 'it is no run of an experiment' : whyAnew(run, experiment, settings);
    if (why === undefined) return run;
    tell(`Starting anew: ${path} is not gone on from, ${why}.`);
  }
  return undefined;
}
