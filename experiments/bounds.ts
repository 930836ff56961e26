import { compile, grad, losses, nn, optim, random, tensor, theory } from '../src/index.js';
import { type DistributionSizes, drawDistribution } from './data/distribution.js';
import { type Experiment, type Results, resultOf, type Summary, type Trial } from './experiment.js';
import { spreadOf } from './statistics.js';

/** What the model sees of an input: its features, or which one it is. */
type Sight = 'linear' | 'free';

interface Settings extends DistributionSizes {
  readonly models: readonly Sight[];
  readonly taus: readonly number[];
  /** Each draws a distribution and the model's first weights. */
  readonly seeds: readonly number[];
  readonly steps: number;
  /** Steps from one look at the bound to the next. */
  readonly every: number;
  readonly learningRate: number;
}

interface BoundsTrial extends Trial {
  readonly model: Sight;
  readonly tau: number;
  readonly seed: number;
}

/** Both sides of the bound while the model learns: an entry for each look. */
export interface BoundsFound {
  readonly steps: readonly number[];
  readonly left: readonly number[];
  readonly right: readonly number[];
  /** The comp-sum regret; its part that is the set's gap is `gap`. */
  readonly regret: readonly number[];
  /** M(H) of the comp-sum loss. */
  readonly gap: number;
  /** How the gap was found, in the library's words. */
  readonly method: string;
}

/** Both sides are sums of 32 float64 terms of at most 1: some 32 roundings of 1.1e-16, and as many again in the terms. */
const ROUNDING = 1e-14;

const settings: Settings = {
  models: ['linear', 'free'],
  taus: [0, 0.5, 1, 1.5, 2],
  seeds: [0, 1, 2],
  inputs: 32,
  classes: 5,
  features: 4,
  sharpness: 1.5,
  steps: 600,
  every: 20,
  learningRate: 0.05,
};

const quick: Settings = { ...settings, taus: [1, 2], seeds: [0], steps: 60 };

/** The H-consistency bound along training, on a distribution that is known. */
export const bounds: Experiment<Settings, BoundsTrial, BoundsFound> = {
  name: 'bounds',
  title: 'Both sides of the H-consistency bound while a model learns',
  claim:
    'Recalled from Mao, Mohri and Zhong 2023: for every tau the zero-one regret is at most Gamma_tau of the comp-sum regret, whatever the model. So along training the left side never passes the right one. How tight the bound is, is reported and judged by nobody.',
  rule: `Shown when left <= right + ${ROUNDING} at every look of every trial; every look beyond counts as a violation. The allowance is for rounding in float64.`,
  method:
    'Inputs with known probabilities, p(y | x) drawn once for each seed as the softmax of normal logits, and a few normal features for each input. Two models are trained on the GPU on the expected comp-sum loss itself (all inputs, weighed by their probability, with p(y | x) as soft targets) by Adam, its rate falling along half a cosine. linear: a linear model of the features with a bias. It is a complete set (it reaches any scores at any one input), but with fewer features than inputs not at all inputs together, so its minimizability gap is not 0; the gap is estimated from the models looked at in the trial. free: logits of its own for every input; that is all functions, whose gap is 0. At each look the logits are read and `theory.bound` computes both sides in float64 against the very distribution. left: the zero-one regret. right: Gamma_tau of the comp-sum regret.',
  settings,
  quick,
  trials: ({ models, taus, seeds }) =>
    models.flatMap((model) =>
      taus.flatMap((tau) => seeds.map((seed) => ({ key: keyOf(model, tau, seed), model, tau, seed }))),
    ),
  open: (given) => ({ run: (trial) => learn(given, trial) }),
  summarise,
};

const keyOf = (model: Sight, tau: number, seed: number) => `${model}, tau ${tau}, seed ${seed}`;

async function learn(given: Settings, { model: sight, tau, seed }: BoundsTrial): Promise<BoundsFound> {
  const known = drawDistribution(given, seed);
  random.seed(seed);
  const columns = sight === 'linear' ? given.features : given.inputs;
  const seen = sight === 'linear' ? known.features : identity(given.inputs);
  const inputs = tensor(seen, { shape: [given.inputs, columns] });
  const chances = tensor(Float32Array.from(known.conditionals.flatMap((row) => [...row])), {
    shape: [given.inputs, given.classes],
  });
  const sampleWeights = tensor(Float32Array.from(known.inputs));
  const model = nn.linear(columns, given.classes);
  const learningRate = optim.cosine(given.learningRate, { steps: given.steps });
  const optimizer = optim.adam(model.parameters(), { learningRate });
  const step = compile(() => {
    // The logits of before the update, so that the first look is at the model before training.
    const logits = model(inputs);
    optimizer.update(grad(losses.compSum(logits, chances, { tau, sampleWeights }), model.parameters()));
    return logits;
  });
  const steps: number[] = [];
  const looks: { data: Float32Array; shape: readonly number[] }[] = [];
  for (let done = 0; done <= given.steps; done++) {
    const logits = step();
    if (done % given.every !== 0 && done !== given.steps) continue;
    steps.push(done);
    looks.push({ data: (await logits.data()) as Float32Array, shape: logits.shape });
  }
  const hypotheses = sight === 'linear' ? { complete: looks } : 'measurable';
  const all = looks.map((scores) => theory.bound(known, scores, { tau, hypotheses }));
  const last = all.at(-1);
  return {
    steps,
    left: all.map(({ left }) => left),
    right: all.map(({ right }) => right),
    regret: all.map(({ compSum }) => compSum.regret),
    gap: last?.compSum.gap ?? 0,
    method: last?.method ?? '',
  };
}

function identity(size: number): Float32Array {
  return Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
}

function summarise({ models, taus, seeds, steps: count }: Settings, results: Results<BoundsFound>): Summary {
  const found = (model: Sight, tau: number) => seeds.map((seed) => resultOf(results, keyOf(model, tau, seed)));
  const cases = models.flatMap((model) => taus.map((tau) => ({ model, tau })));
  const all = cases.flatMap(({ model, tau }) => found(model, tau));
  const looks = all.flatMap(differences);
  const violations = violationsOf(looks);
  const largest = looks.reduce((most, one) => Math.max(most, one), Number.NEGATIVE_INFINITY);
  const last = (values: readonly number[]) => values.at(-1) ?? Number.NaN;
  const text = (values: readonly number[]) => {
    const { mean, deviation } = spreadOf(values);
    return `${Number(mean.toPrecision(3))} ± ${Number(deviation.toPrecision(2))}`;
  };
  return {
    verdicts: [
      {
        claim: 'left <= right at every look',
        shown: violations === 0,
        because: `${violations} of ${looks.length} looks violate it; the largest left - right is ${largest.toPrecision(3)}.`,
      },
    ],
    tables: [
      {
        title: `After ${count} steps: mean and standard deviation over the seeds`,
        head: ['model, tau', 'left', 'right', 'left / right', 'comp-sum regret', 'gap M(H)', 'right = 1', 'violations'],
        rows: cases.map(({ model, tau }) => {
          const those = found(model, tau);
          const rights = those.flatMap(({ right }) => right);
          return [
            `${model}, ${tau}`,
            text(those.map(({ left }) => last(left))),
            text(those.map(({ right }) => last(right))),
            text(those.map(({ left, right }) => last(left) / last(right))),
            text(those.map(({ regret }) => last(regret))),
            text(those.map(({ gap }) => gap)),
            `${rights.filter((value) => value === 1).length} of ${rights.length} looks`,
            String(violationsOf(those.flatMap(differences))),
          ];
        }),
      },
    ],
    notes: [
      'right = 1 says nothing: a zero-one regret is never above 1.',
      ...models.map((model) => `The gap M(H) of ${model}, ${found(model, taus[0] ?? 1)[0]?.method}`),
      'Where the gap is all of the regret, the last model is the best of those looked at: what is left of the right side is the set, not the training.',
    ],
    figure: {
      title: 'Both sides of the bound, mean over the seeds',
      panels: taus.map((tau) => {
        const curve = (model: Sight, side: 'left' | 'right') => {
          const those = found(model, tau);
          const points = (those[0]?.steps ?? []).map((step, i) => ({
            x: step,
            y: spreadOf(those.map((one) => one[side][i] ?? Number.NaN)).mean,
          }));
          return { name: `${model}, ${side}`, points };
        };
        const series = models.flatMap((model) => [curve(model, 'left'), curve(model, 'right')]);
        return { title: `tau ${tau}`, x: 'steps', series };
      }),
    },
  };
}

/** left - right at each look. */
function differences({ left, right }: BoundsFound): number[] {
  return left.map((value, i) => value - (right[i] ?? Number.NaN));
}

/** Written so that NaN, which is neither, counts as one. */
function violationsOf(looks: readonly number[]): number {
  return looks.filter((one) => !(one <= ROUNDING)).length;
}
