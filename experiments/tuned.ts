import type { LabelledImages } from '../src/index.js';
import { accuracyOf, type Training, trainClassifier } from './classifier.js';
import { finite, type Results, resultOf, type Trial } from './experiment.js';
import { type Spread, spreadOf } from './statistics.js';

/** One case that is compared with others: what is trained on is the experiment's, how it is tuned is shared. */
export interface Condition {
  readonly name: string;
  readonly tau: number;
}

export interface TuningSettings {
  /** Learning rates that are tried, rising. */
  readonly rates: readonly number[];
  /** Of the runs that choose the rate; not among `seeds`. */
  readonly tuneSeed: number;
  /** Of the runs that are reported. */
  readonly seeds: readonly number[];
}

export interface TunedTrial<Case extends Condition> extends Trial {
  readonly condition: Case;
  /** To choose the rate on the validation examples, or to report it on the test examples. */
  readonly purpose: 'tune' | 'test';
  readonly seed: number;
  /** Of a 'test': null, for it is the best of the tuning. */
  readonly rate: number | null;
}

export interface TunedFound {
  readonly rate: number;
  /** On the validation examples for 'tune', on the test examples for 'test'. */
  readonly accuracy: number;
  /** Training loss of the last epoch; null when it is no finite number. */
  readonly loss: number | null;
}

/** The examples of a condition. The test part is not touched before the rate is chosen. */
export interface Parts {
  readonly train: LabelledImages;
  readonly validation: LabelledImages;
  readonly test: LabelledImages;
}

/** By factors of about 3. From where tau = 0 has its largest gradients up to where tau = 2 hardly has any. */
export const RATES: readonly number[] = [0.01, 0.03, 0.1, 0.3, 1, 3];

const tuneKey = ({ name }: Condition, rate: number) => `${name}, rate ${rate}`;
const testKey = ({ name }: Condition, seed: number) => `${name}, seed ${seed}`;

/** For each condition a run at every rate, then one for every seed at the best of them. */
export function tunedTrials<Case extends Condition>(
  conditions: readonly Case[],
  { rates, tuneSeed, seeds }: TuningSettings,
  weightOf: (condition: Case) => number = () => 1,
): TunedTrial<Case>[] {
  return conditions.flatMap((condition) => {
    const weight = weightOf(condition);
    const tune = rates.map(
      (rate) => ({ key: tuneKey(condition, rate), weight, condition, purpose: 'tune', seed: tuneSeed, rate }) as const,
    );
    const test = seeds.map(
      (seed) => ({ key: testKey(condition, seed), weight, condition, purpose: 'test', seed, rate: null }) as const,
    );
    return [...tune, ...test];
  });
}

/** Trains and tests as the trial says. */
export async function runTuned<Case extends Condition>(
  { condition, purpose, seed, rate: given }: TunedTrial<Case>,
  { train, validation, test }: Parts,
  training: Training,
  settings: TuningSettings,
  results: Results<TunedFound>,
): Promise<TunedFound> {
  const rate = given ?? chosenRate(condition, settings, results);
  const { model, loss } = await trainClassifier(train, training, { tau: condition.tau, rate, seed });
  const accuracy = await accuracyOf(model, purpose === 'tune' ? validation : test, training.classes);
  return { rate, accuracy, loss: finite(loss) };
}

/** The rate of the best validation accuracy; the lowest of equals. */
export function chosenRate(condition: Condition, { rates }: TuningSettings, results: Results<TunedFound>): number {
  const tried = rates.map((rate) => resultOf(results, tuneKey(condition, rate)));
  return tried.reduce((best, one) => (one.accuracy > best.accuracy ? one : best)).rate;
}

/** What came of a condition. */
export interface Outcome<Case extends Condition> {
  readonly condition: Case;
  readonly rate: number;
  /** The rate is the first or last of the grid: a better one may lie beyond. */
  readonly edge: boolean;
  /** Over the seeds. */
  readonly accuracy: Spread;
}

export function outcomesOf<Case extends Condition>(
  conditions: readonly Case[],
  settings: TuningSettings,
  results: Results<TunedFound>,
): Outcome<Case>[] {
  const { rates, seeds } = settings;
  return conditions.map((condition) => {
    const rate = chosenRate(condition, settings, results);
    return {
      condition,
      rate,
      edge: rate === rates[0] || rate === rates.at(-1),
      accuracy: spreadOf(seeds.map((seed) => resultOf(results, testKey(condition, seed)).accuracy)),
    };
  });
}

/** Of the best mean; the first of equals. */
export function bestOf<Case extends Condition>(outcomes: readonly Outcome<Case>[]): Outcome<Case> {
  return outcomes.reduce((best, one) => (one.accuracy.mean > best.accuracy.mean ? one : best));
}

/** What a reader should know of the tuning. */
export function tuningNotes(outcomes: readonly Outcome<Condition>[]): string[] {
  return outcomes.flatMap(({ condition, rate, edge }) =>
    edge ? [`${condition.name}: the chosen rate ${rate} lies on the grid's edge; a better one may lie beyond.`] : [],
  );
}

/** `94.32 ± 0.12 %`: mean and standard deviation. */
export function accuracyText({ mean, deviation }: Spread): string {
  return `${(100 * mean).toFixed(2)} ± ${(100 * deviation).toFixed(2)} %`;
}
