import { compile, multiply, optim, Parameter, profile, tensor } from '../../src/index.js';
import { type Case, defineCase, type Figure } from '../case.js';
import { symmetric } from '../random.js';
import { RULES } from './step/problem.js';
import { trainingStep } from './step.js';

const STEPS_TO_CHECK = 3;
/** Floats of all tensors together: divisible by every count of them, and no tensor ends inside a block. */
const FLOATS = 1_024_000;
/** Down a bowl: each tensor's gradient is half of it, one small kernel. */
const SLOPE = 0.5;

/** How a step grows with one of its sizes; the others stay. */
const network = (what: string, widths: readonly number[], batch: number) =>
  trainingStep({ name: `scale/${what}`, widths, batch, peers: ['by-hand', 'jax-js'] });

/** GPU ms of the update's own dispatches, those of the gradients apart. */
const updateAlone: Figure = {
  unit: 'ms',
  of: async (contender) => {
    const measured = await contender.profile?.();
    if (measured?.timing !== 'dispatch') throw new Error('the device has no timestamps.');
    const own = measured.dispatches.filter(({ label }) => label.startsWith('optimizer'));
    return own.reduce((sum, { ms = 0 }) => sum + ms, 0);
  },
};

/** Momentum over a million floats in so many tensors: the whole step, or the update alone. */
function tensors(count: number, figure?: Figure): Case {
  const size = FLOATS / count;
  return defineCase<Float32Array<ArrayBuffer>>({
    name: `scale/tensors-${count}${figure === undefined ? '-with-gradients' : ''}`,
    ...(figure === undefined ? {} : { figure }),
    repetitionsToCheck: STEPS_TO_CHECK,
    repeatable: false,
    inputs: (seed) => symmetric(FLOATS, 1, seed + 1),
    reference: (initial) => ({ floats: { values: Float64Array.from(initial, descend) } }),
    tolerance: () => ({ largest: 6 * 2 ** -24, why: 'three steps of a few roundings below 1' }),
    ours: async (initial) => {
      const parameters = Array.from(
        { length: count },
        (_, i) => new Parameter(tensor(initial.slice(i * size, (i + 1) * size))),
      );
      const optimizer = optim.sgd(parameters, RULES.momentum);
      const step = compile(() => optimizer.update(parameters.map((parameter) => multiply(parameter, SLOPE))), {
        name: 'sgd',
      });
      await step.prepare();
      return {
        run: () => step(),
        settle: () => step.ready(),
        results: async () => {
          const floats = new Float32Array(FLOATS);
          const parts = await Promise.all(parameters.map((parameter) => parameter.data()));
          parts.forEach((part, i) => {
            floats.set(part, i * size);
          });
          return { floats };
        },
        explain: () => step.explain(),
        profile: () => profile(step),
        dispose: () => {
          step.dispose();
          optimizer.dispose();
          for (const parameter of parameters) parameter.dispose();
        },
      };
    },
    peers: {},
  });
}

function descend(initial: number): number {
  const { learningRate, momentum } = RULES.momentum;
  let [w, v] = [initial, 0];
  for (let i = 0; i < STEPS_TO_CHECK; i++) {
    v = momentum * v + SLOPE * w;
    w -= learningRate * v;
  }
  return w;
}

export const scaleCases: readonly Case[] = [
  network('batch-32', [784, 128, 10], 32),
  network('batch-128', [784, 128, 10], 128),
  network('batch-512', [784, 128, 10], 512),
  network('width-64', [784, 64, 10], 128),
  network('width-256', [784, 256, 10], 128),
  network('width-1024', [784, 1024, 10], 128),
  network('depth-1', [128, 128, 10], 128),
  network('depth-4', [128, 128, 128, 128, 128, 10], 128),
  network('depth-16', [...new Array<number>(17).fill(128), 10], 128),
  ...[1, 10, 100, 1000].flatMap((count) => [tensors(count, updateAlone), tensors(count)]),
];
