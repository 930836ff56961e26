import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { version as viteVersion } from 'vite';
import { chart } from '../../../demos/train/chart.js';
import { bytes, counted, duration, number, percent, stepsText } from '../../../demos/train/format.js';
import { trainableLosses } from '../../../demos/train/losses.js';
import { checkEpochsLeft, checkModelFits, type RunOptions } from '../../../demos/train/options.js';
import type { Outcome, TrainerEvent } from '../../../demos/train/trainer.js';
import { decodeSafetensors } from '../../data/safetensors.js';
import { ValueError } from '../../errors.js';
import { loadDataset } from '../datasets.js';
import { ProgressDisplay, trainingBar } from '../terminal/progress.js';
import { checkWritable } from './checkWritable.js';
import { printError } from './printError.js';
import { type CommandOptions, completeOptions, parseTrainArguments, trainHelp } from './trainOptions.js';
import { TrainSession } from './trainSession.js';
import { versions } from './versions.js';
import { writeFileAtomically } from './writeFileAtomically.js';

/** As shells have it: 128 and the signal's number. */
const INTERRUPTED = 130;

const display = new ProgressDisplay(process.stdout);
let session: TrainSession | undefined;
let training = false;
let interrupted = false;

process.on('SIGINT', () => {
  // Before the first step and after a first Ctrl-C there is nothing to wait for.
  if (interrupted || !training) {
    session?.kill();
    display.end();
    process.exit(INTERRUPTED);
  }
  interrupted = true;
  display.line('Stopping after the step under way; Ctrl-C again quits at once.');
  // A page that is gone ends the run by itself.
  session?.stop().catch(() => undefined);
});

try {
  await main(process.argv.slice(2));
} catch (error) {
  display.end();
  printError(error);
  process.exitCode = 1;
} finally {
  await session?.close();
}
// A pipe or a timer of the browser's end must not hold the command.
process.exit();

async function main(args: readonly string[]): Promise<void> {
  const request = parseTrainArguments(args, trainableLosses);
  if (request.help) {
    console.log(trainHelp(trainableLosses, process.stdout.columns));
    return;
  }
  const { command } = request;
  // What cannot be written at the end should not have been computed.
  for (const path of [command.json, command.plot, command.save]) if (path !== undefined) await checkWritable(path);
  if (command.plot !== undefined && !/\.svg$/i.test(command.plot)) {
    throw new ValueError('train', `--plot ${command.plot} is no .svg file.`, {
      mend: 'the plot is an SVG: --plot run.svg.',
    });
  }
  const checkpoint = command.resume === undefined ? undefined : await readCheckpoint(command.resume);
  const saved = checkpoint === undefined ? undefined : savedRun(checkpoint, command.resume as string);
  const options = completeOptions(request, trainableLosses, saved?.options);
  const nothingLeft = saved && checkEpochsLeft(saved.epochs, options);
  if (nothingLeft !== undefined) {
    throw new ValueError('train', `--epochs ${nothingLeft}`, { mend: 'ask for more of them.' });
  }
  const dataset = await loadDataset(options.data);
  const complaint = checkModelFits(options.model, dataset);
  if (complaint !== undefined) throw new ValueError('train', `--model ${complaint}`);
  const examples = options.examples || dataset.train.labels.length;
  if (options.batchSize > examples) {
    throw new ValueError(
      'train',
      `--batch-size is ${options.batchSize}, but there are ${examples} training examples.`,
      {
        mend: `use --batch-size ${examples} or less.`,
      },
    );
  }

  session = await TrainSession.open(dataset, command);
  display.line(session.launched.description);
  display.line(describe(options));
  const outcome = await session.train(options, checkpoint, reporter(options));
  training = false;
  display.end();
  await writeFiles(command, session, outcome);
  console.log(summary(outcome, dataset.classNames, session.launched.description));
  for (const path of [command.json, command.plot, command.save])
    if (path !== undefined) console.log(`Written: ${path}`);
  if (interrupted) process.exitCode = INTERRUPTED;
}

async function readCheckpoint(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new ValueError('train', `--resume ${path} cannot be read.`, {
      mend: 'name a file that --save wrote.',
      cause,
    });
  }
}

/** The options that a checkpoint of this command carries, and the epochs it has done. */
function savedRun(checkpoint: Uint8Array, name: string): { options: RunOptions; epochs: number } {
  const { extra = '{}', position = '{}' } = decodeSafetensors(checkpoint, { name }).metadata;
  const { options } = JSON.parse(extra) as { options?: RunOptions };
  const { epoch = 0 } = JSON.parse(position) as { epoch?: number };
  if (options !== undefined) return { options, epochs: epoch };
  throw new ValueError('train', `${name} is no checkpoint of this command: it tells no options.`, {
    mend: 'resume from a file that --save wrote.',
  });
}

/** The run in a line. */
function describe({
  data,
  model,
  loss,
  parameters,
  optimizer,
  schedule,
  learningRate,
  epochs,
  batchSize,
  seed,
}: RunOptions): string {
  const values = Object.entries(parameters).map(([name, value]) => `${name} ${value}`);
  const lossText = values.length === 0 ? loss : `${loss} (${values.join(', ')})`;
  return `${data}, ${model}, ${lossText}, ${optimizer} at ${learningRate} (${schedule}), ${counted(epochs, 'epoch')} of batches of ${batchSize}, seed ${seed}`;
}

/** Shows what the page reports. */
function reporter({ epochs }: RunOptions): (event: TrainerEvent) => void {
  let accuracy: number | undefined;
  return (event) => {
    if (event.kind === 'opened') {
      training = true;
      if (event.stepsDone > 0) display.line(`Going on after step ${number(event.stepsDone)}.`);
    } else if (event.kind === 'progress') {
      const { epoch, step, steps, loss, examplesPerSecond, secondsLeft } = event.progress;
      display.show(
        trainingBar({
          epoch: epoch + 1,
          epochs,
          step,
          steps,
          loss,
          accuracy,
          imagesPerSecond: examplesPerSecond,
          secondsLeft,
        }),
      );
    } else {
      const { epoch, loss, testLoss, testAccuracy } = event.point;
      accuracy = testAccuracy;
      const texts = [
        `loss ${significant(loss)}`,
        `test loss ${significant(testLoss)}`,
        `test accuracy ${percent(testAccuracy)}`,
      ];
      display.line(`epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}  ${texts.join('  ')}`);
    }
  };
}

function significant(value: number): string {
  return value.toPrecision(4);
}

type FinishedRun = Extract<Outcome, { result: unknown }>;

/** What the run came to, for people. */
function summary({ result, adapter }: FinishedRun, classNames: readonly string[], browser: string): string {
  const { held } = result.memory;
  const holders = Object.entries(held)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${bytes(count)}`);
  const width = Math.max(...classNames.map((name) => name.length));
  const classes = result.perClassAccuracy.map(
    (part, i) =>
      `    ${(classNames[i] ?? String(i)).padEnd(width)}  ${part === null ? 'no examples' : percent(part).padStart(8)}`,
  );
  const verb = result.reason === 'stopped' ? 'stopped' : 'done';
  return [
    '',
    `${verb} after ${stepsText(result)}`,
    `  adapter          ${adapter.name}`,
    `  browser          ${browser}`,
    `  test accuracy    ${percent(result.testAccuracy)}  (loss ${significant(result.testLoss)})`,
    '  by class',
    ...classes,
    `  time             ${result.seconds.toFixed(1)} s (${duration(result.seconds)}), ${number(Math.round(result.imagesPerSecond))} images/s`,
    `  first step       ${(result.firstStepMs / 1000).toFixed(2)} s from opening the GPU`,
    `  held on the GPU  ${bytes(result.memory.bytesHeld)} (${holders.join(', ')})`,
    `  submits a step   ${result.submitsPerStep.toFixed(2)}; ${result.allSubmitsPerStep.toFixed(2)} with reading the loss back and keeping pace`,
    '',
  ].join('\n');
}

async function writeFiles(command: CommandOptions, from: TrainSession, run: FinishedRun): Promise<void> {
  if (command.save !== undefined) await writeFileAtomically(command.save, await from.save());
  if (command.json !== undefined)
    await writeFileAtomically(command.json, `${JSON.stringify(await record(from, run), undefined, 2)}\n`);
  if (command.plot !== undefined) {
    const { options, result, curve } = run;
    const title = `${options.loss} on ${basename(options.data)}`;
    const subtitle = `${options.model}, ${options.optimizer}, seed ${options.seed}: test accuracy ${percent(result.testAccuracy)} in ${result.seconds.toFixed(1)} s`;
    await writeFileAtomically(command.plot, `${chart(curve, { title, subtitle })}\n`);
  }
}

/** The whole run, for programs. */
async function record(from: TrainSession, { options, adapter, tuner, curve, result }: FinishedRun): Promise<object> {
  const { adapterKind, executable } = from.launched;
  const { cotangent, node, puppeteer } = versions();
  return {
    format: 'cotangent-run-1',
    options,
    adapter: { kind: adapterKind, ...adapter },
    browser: { version: await from.browserVersion(), executable },
    versions: { cotangent, node, vite: viteVersion, puppeteer },
    platform: `${process.platform} ${process.arch}`,
    date: new Date().toISOString(),
    tuner,
    curve,
    result,
  };
}
