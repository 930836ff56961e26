import {
  add,
  attacks,
  clamp,
  compile,
  grad,
  losses,
  multiply,
  profile,
  sign,
  subtract,
  type Tensor,
  tensor,
} from '../../src/index.js';
import { type Contender, defineCase, type Expected } from '../case.js';
import { someOf } from '../random.js';
import { BATCH, IMAGE, imageGradient, makeVictim, networkOf, PIXELS, type Victim } from './attack/network.js';

const STEPS = 10;
const EPSILON = 0.1;
const STEP_SIZE = (2.5 * EPSILON) / STEPS;
/** Images that are attacked in float64. */
const REFERENCE_IMAGES = 8;
/** Of an image's largest gradient: a nearer one may have the other sign in float32, some hundred roundings off. */
const NEAR = 1e-5;

/** PGD from the inputs themselves, its sign steps in float64; images with a sign that is near to call are left out. */
function attacked({ images, labels, weights }: Victim): Expected {
  const values: number[] = [];
  const at: number[] = [];
  for (const i of someOf(BATCH, REFERENCE_IMAGES)) {
    const center = Float64Array.from(images.subarray(i * PIXELS, (i + 1) * PIXELS));
    let x = center;
    let nearest = Number.POSITIVE_INFINITY;
    for (let step = 0; step < STEPS; step++) {
      const gradient = imageGradient(weights, x, labels[i] ?? 0);
      const sizes = gradient.map(Math.abs);
      nearest = Math.min(nearest, sizes.reduce((a, b) => Math.min(a, b)) / sizes.reduce((a, b) => Math.max(a, b)));
      x = x.map((one, k) => {
        const [middle, moved] = [center[k] ?? 0, one + STEP_SIZE * Math.sign(gradient[k] ?? 0)];
        return Math.min(1, Math.max(0, Math.min(middle + EPSILON, Math.max(middle - EPSILON, moved))));
      });
    }
    if (nearest < NEAR) continue;
    for (const [k, value] of x.entries()) {
      values.push(value);
      at.push(i * PIXELS + k);
    }
  }
  if (at.length === 0) throw new Error('every image of the reference has a gradient too near to 0.');
  return { values, at };
}

type Model = ReturnType<typeof networkOf>;
/** From iterates, the inputs that the ball is around, and labels: later iterates. */
type Climb = (now: Tensor, images: Tensor, labels: Tensor) => Tensor;

/** All steps of the library's own attack, inside one plan: the host says nothing between them. */
const whole = (model: Model): Climb => {
  const attack = attacks.pgd({ epsilon: EPSILON, steps: STEPS, stepSize: STEP_SIZE, randomStart: 'none' });
  return (now, _images, labels) => attack(model, now, labels);
};

/** One step, as it is written without the library's loop. */
const single =
  (model: Model): Climb =>
  (now, images, labels) => {
    const gradient = grad(losses.crossEntropy(model(now), labels, { reduction: 'sum' }), now);
    const moved = add(now, multiply(sign(gradient), STEP_SIZE));
    return clamp(clamp(moved, subtract(images, EPSILON), add(images, EPSILON)), 0, 1);
  };

/** An attack by `count` submits of what `climb` makes of the model. Neither form reads anything back. */
async function contender(victim: Victim, climb: (model: Model) => Climb, count: number): Promise<Contender> {
  const model = networkOf(victim);
  const images = tensor(victim.images, { shape: [BATCH, ...IMAGE] });
  const labels = tensor(victim.labels);
  const step = compile(climb(model), { name: 'attack' });
  await step.prepare(images, images, labels);
  const explain = () => step.explain(images, images, labels);
  let found: Tensor = images;
  return {
    run: () => {
      found = images;
      for (let i = 0; i < count; i++) found = step(found, images, labels);
    },
    settle: () => step.ready(),
    results: async () => ({ attacked: (await found.data()) as Float32Array }),
    explain,
    profile: () => profile(step, images, images, labels),
    dispatches: () => count * Number(/(\d+) dispatches/.exec(explain())?.[1]),
    dispose: () => {
      step.dispose();
      for (const one of [images, labels, ...model.parameters()]) one.dispose();
    },
  };
}

/** PGD-10 on a small convolutional net, batch 32: in one plan with 0 words from the host; plainly, step by step. */
export const attackCases = [
  defineCase<Victim>({
    name: 'attack/pgd-10',
    repeatable: true,
    inputs: makeVictim,
    reference: (victim) => ({ attacked: attacked(victim) }),
    tolerance: () => ({ largest: 3 * STEPS * 2 ** -24, why: 'ten steps, three roundings of numbers up to 1 in each' }),
    ours: (victim) => contender(victim, whole, 1),
    peers: { plain: (_, victim) => contender(victim, single, STEPS) },
  }),
];
