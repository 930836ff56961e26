import { mkdir, rm } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'puppeteer';
import { counted, duration } from '../demos/train/format.js';
import { CotangentError } from '../src/index.js';
import type { LaunchedBrowser } from '../src/node/browser.js';
import { serveDatasets } from '../src/node/commands/demoServer.js';
import { printError } from '../src/node/commands/printError.js';
import { versions } from '../src/node/commands/versions.js';
import { withPage } from '../src/node/commands/withPage.js';
import { writeFileAtomically } from '../src/node/commands/writeFileAtomically.js';
import { loadDataset } from '../src/node/datasets.js';
import { ProgressDisplay } from '../src/node/terminal/progress.js';
import { alignColumns } from '../src/node/terminal/table.js';
import { completeRun, type RunState, startRun, trialsLeft } from './completeRun.js';
import type { Experiment, Results, Summary, Trial } from './experiment.js';
import { experiments } from './index.js';
import { experimentHelp, type Options, parseExperimentArguments } from './options.js';
import { figureSvg } from './report/figure.js';
import { earlierRun, filesOf } from './report/files.js';
import { markdownOf, settingLines, verdictLine } from './report/markdown.js';
import { jsonOf, type Run, resultsOf, type Surroundings, whyAnew } from './report/run.js';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const directory = process.env.INIT_CWD ?? process.cwd();
const display = new ProgressDisplay(process.stdout);

try {
  await main();
} catch (error) {
  display.end();
  // A wrong word on the command line has no line of code to be shown.
  if (error instanceof CotangentError && error.op === 'experiment') {
    console.error(`experiment: ${error.sentence}${error.mend === undefined ? '' : `\n  Mend: ${error.mend}`}`);
  } else printError(error);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const options = parseExperimentArguments(process.argv.slice(2), experiments, { repository: REPOSITORY, directory });
  if (options === undefined) {
    console.log(experimentHelp(experiments, process.stdout.columns));
    return;
  }
  const { experiment, folder } = options;
  const files = filesOf(options);
  await mkdir(folder, { recursive: true });
  const settings = options.quick ? experiment.quick : experiment.settings;
  console.log(
    `${experiment.title}\n${settingLines(settings)
      .map((line) => `  ${line}`)
      .join('\n')}`,
  );

  const earlier = options.fresh
    ? undefined
    : await earlierRun(files, experiment, settings, (text) => console.log(text));
  const complete = earlier !== undefined && trialsLeft(earlier, experiment).length === 0;
  const run = complete ? earlier : await runTrials(options, settings, earlier, files.partial);
  if (complete) console.log('All trials are done: the report is written anew from them. --fresh runs them again.');

  const summary = experiment.summarise(settings, resultsOf(run));
  const { verdicts, notes } = summary;
  await writeFileAtomically(files.json, jsonOf({ ...run, verdicts, notes }));
  await writeFileAtomically(files.svg, figureSvg(summary.figure));
  await writeFileAtomically(files.md, markdownOf(experiment, run, summary, `${files.name}.svg`));
  await rm(files.partial, { force: true });
  console.log(summaryText(summary));
  for (const path of [files.json, files.svg, files.md]) console.log(`Written: ${relative(directory, path)}`);
}

async function runTrials(
  { experiment, quick, fresh, browser, adapter }: Options,
  settings: object,
  earlier: Run | undefined,
  partial: string,
): Promise<Run> {
  let kept = 0;
  const goOn = () =>
    kept === 0
      ? 'no trial was done yet.'
      : `${counted(kept, 'trial')} kept in ${relative(directory, partial)}; the same command${fresh ? ' without --fresh' : ''} goes on from there.`;
  const interrupted = () => {
    display.end();
    console.log(`Stopped: ${goOn()}`);
    // withPage, which hears the signal next, ends the process and its browser.
  };
  process.once('SIGINT', interrupted);
  try {
    const measure = async (page: Page, launched: LaunchedBrowser): Promise<Run> => {
      display.line(launched.description);
      const here = surroundings(await openIn(page, experiment, settings), await launched.browser.version());
      const why = earlier && whyAnew(earlier, experiment, settings, here);
      if (why !== undefined) display.line(`Starting anew: the earlier run is not gone on from, ${why}.`);
      const run = startRun(experiment, { quick, settings, here, earlier: why === undefined ? earlier : undefined });
      kept = run.trials.length;
      if (kept > 0) display.line(`Going on: ${counted(kept, 'trial')} done before.`);
      return completeRun(run, experiment, {
        runTrial: (trial, results) => runIn(page, trial, results),
        save: async (grown) => {
          await writeFileAtomically(partial, jsonOf(grown));
          kept = grown.trials.length;
        },
        onTrial: reporter(),
      });
    };
    const digits = serveDatasets({ digits: () => loadDataset('mnist') });
    return await withPage('experiments/page.html', 'laboratory', { browser, adapter }, measure, [digits]);
  } catch (error) {
    display.end();
    console.error(`Ended: ${goOn()}`);
    throw error;
  } finally {
    process.off('SIGINT', interrupted);
  }
}

function openIn(page: Page, { name }: Experiment, settings: object): Promise<string> {
  return page.evaluate((...given) => globalThis.laboratory.open(...given), name, settings);
}

function runIn(page: Page, trial: Trial, results: Results<object>): Promise<object> {
  return page.evaluate((...given) => globalThis.laboratory.run(...given), trial, [...results]);
}

/** A line for each trial that is done, and a bar below them. */
function reporter(): (state: RunState) => void {
  return ({ trial, found, seconds, number, count, part, secondsLeft }) => {
    if (found !== undefined) display.line(`${trial.key}: ${foundText(found)} (${seconds?.toFixed(1)} s)`);
    display.show({
      part,
      facts: [
        `trial ${number}/${count}`,
        trial.key,
        ...(secondsLeft === undefined ? [] : [`${duration(secondsLeft)} left`]),
      ],
    });
  };
}

/** The single figures; curves and words are for the report. */
function foundText(found: object): string {
  return Object.entries(found)
    .filter(([, value]) => typeof value === 'number' || value === null)
    .map(([name, value]) => `${name} ${value === null ? 'not finite' : Number(value.toPrecision(4))}`)
    .join(', ');
}

function surroundings(adapter: string, browser: string): Surroundings {
  return { adapter, browser, versions: versions(), platform: `${process.platform} ${process.arch}` };
}

function summaryText({ verdicts, tables, notes }: Summary): string {
  const texts = tables.map(({ title, head, rows }) => `${title}\n${alignColumns([head, ...rows], 1)}`);
  return ['', ...texts, ...verdicts.map((verdict) => `${verdictLine(verdict)} ${verdict.because}`), ...notes, ''].join(
    '\n',
  );
}
