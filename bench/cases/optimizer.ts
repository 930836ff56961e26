import { compile, multiply, optim, Parameter, profile, tensor } from '../../src/index.js';
import { type Case, defineCase } from '../case.js';
import { awaitTensor } from '../peers/awaitTensor.js';
import type { JaxArray } from '../peers/jaxJs.js';
import { someOf, symmetric } from '../random.js';
import { adamw } from './step/jaxJs.js';
import { RULES } from './step/problem.js';

const SIZE = 10_000_000;
const REFERENCE_ELEMENTS = 4096;
const STEPS_TO_CHECK = 3;

/** Down a bowl: the gradient is half the parameter, so hardly more than the update is timed. */
const SLOPE = 0.5;

const { learningRate, beta1, beta2, epsilon } = RULES.adamw;

const adamwOfTenMillion: Case = defineCase<Float32Array<ArrayBuffer>>({
  name: 'optimizer/adamw-10M',
  // Parameter and two moments, in and out; a gradient made on the way need not be stored.
  bytes: 6 * 4 * SIZE,
  repetitionsToCheck: STEPS_TO_CHECK,
  repeatable: false,
  inputs: (seed) => symmetric(SIZE, 1, seed + 1),
  reference: (initial) => {
    const at = someOf(SIZE, REFERENCE_ELEMENTS);
    return { parameter: { values: at.map((i) => descend(initial[i] ?? 0)), at } };
  },
  tolerance: () => ({ largest: 6 * 2 ** -24, why: 'three steps, each rounded once at 1 and a few times at 0.001' }),
  ours: async (initial) => {
    const parameter = new Parameter(tensor(initial));
    const optimizer = optim.adamw([parameter], RULES.adamw);
    const step = compile(() => optimizer.update([multiply(parameter, SLOPE)]), { name: 'adamw' });
    await step.prepare();
    return {
      run: () => step(),
      settle: () => step.ready(),
      results: async () => ({ parameter: (await parameter.data()) as Float32Array }),
      explain: () => step.explain(),
      profile: () => profile(step),
      dispose: () => {
        step.dispose();
        optimizer.dispose();
        parameter.dispose();
      },
    };
  },
  peers: {
    'jax-js': async (jax, initial) => {
      const { numpy: np } = jax;
      const array = (data: Float32Array) => np.array(data, { shape: [data.length] });
      const descent = adamw(jax);
      const step = jax.jit((w: JaxArray, state: readonly JaxArray[], corrections: readonly JaxArray[]) => {
        const { next, state: moved } = descent(w.ref, state, w.mul(SLOPE), corrections);
        for (const correction of corrections) correction.dispose();
        return [next, moved] as const;
      });
      let parameter = array(initial);
      let state: readonly JaxArray[] = [array(new Float32Array(SIZE)), array(new Float32Array(SIZE))];
      let count = 0;
      return {
        run: () => {
          count++;
          const corrections = [beta1, beta2].map((beta) =>
            np.array(new Float32Array([1 - beta ** count]), { shape: [] }),
          );
          [parameter, state] = step(parameter, state, corrections);
          parameter.ref.gpuBufferSync();
        },
        settle: async () => {
          await parameter.blockUntilReady();
        },
        results: async () => ({ parameter: await parameter.ref.data() }),
        dispose: () => {
          for (const each of [parameter, ...state]) each.dispose();
          step.dispose();
        },
      };
    },
    tfjs: async (tf, initial) => {
      const parameter = tf.variable(tf.tensor(initial, [SIZE]));
      const optimizer = tf.train.adam(learningRate, beta1, beta2, epsilon);
      return {
        run: () => {
          const slope = tf.mul(parameter, SLOPE);
          optimizer.applyGradients([{ name: parameter.name, tensor: slope }]);
          slope.dispose();
        },
        settle: () => awaitTensor(tf, parameter),
        results: async () => ({ parameter: await parameter.data() }),
        dispose: () => {
          parameter.dispose();
          optimizer.dispose();
        },
      };
    },
  },
});

function descend(initial: number): number {
  let [w, m, v] = [initial, 0, 0];
  for (let count = 1; count <= STEPS_TO_CHECK; count++) {
    const g = SLOPE * w;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    w -= (learningRate * (m / (1 - beta1 ** count))) / (Math.sqrt(v / (1 - beta2 ** count)) + epsilon);
  }
  return w;
}

export const optimizerCases = [adamwOfTenMillion];
