import { compile, grad, losses, Parameter, profile, type Tensor, tensor } from '../../src/index.js';
import { type Case, defineCase } from '../case.js';
import { oneHot } from '../oneHot.js';
import { awaitTensor } from '../peers/awaitTensor.js';
import { someOf, symmetric, uniform } from '../random.js';

interface Inputs {
  /** [rows, classes] */
  readonly logits: Float32Array<ArrayBuffer>;
  /** [rows] */
  readonly labels: Uint32Array<ArrayBuffer>;
}

/** Rows whose gradient is computed in float64; the engines are compared with each other in all. */
const REFERENCE_ROWS = 16;

/** Mean softmax cross-entropy of [rows, classes], value and gradient by the logits. */
function crossEntropy(rows: number, classes: number): Case {
  return defineCase<Inputs>({
    name: `cross-entropy/${rows}x${classes}`,
    // The logits once in, their gradient once out.
    bytes: 2 * 4 * rows * classes,
    repeatable: true,
    inputs: (seed) => {
      const draw = uniform(3 * seed + 7);
      return {
        logits: symmetric(rows * classes, 4, 3 * seed + 5),
        labels: Uint32Array.from({ length: rows }, () => Math.floor(draw() * classes)),
      };
    },
    reference: ({ logits, labels }) => reference(logits, labels, rows, classes),
    tolerance: (result) =>
      result === 'loss'
        ? { largest: 2e-5, why: 'a sum of so many rows of about 10, in f32' }
        : // Elements are at most 1 / rows; exp is off by 3 + 2 |x| ulp, x at most 8.
          { largest: (40 * 2 ** -24) / rows, why: '40 roundings of a probability, by the number of rows' },
    ours: async ({ logits, labels }) => {
      const parameter = new Parameter(tensor(logits, { shape: [rows, classes] }));
      const target = tensor(labels);
      const step = compile(() => {
        const loss = losses.crossEntropy(parameter, target);
        return { loss, gradient: grad(loss, parameter) };
      });
      await step.prepare();
      let result: { loss: Tensor; gradient: Tensor } = step();
      return {
        run: () => {
          result = step();
        },
        settle: () => step.ready(),
        results: async () => ({
          loss: (await result.loss.data()) as Float32Array,
          gradient: (await result.gradient.data()) as Float32Array,
        }),
        explain: () => step.explain(),
        profile: () => profile(step),
        dispose: () => {
          step.dispose();
          parameter.dispose();
          target.dispose();
        },
      };
    },
    peers: {
      'jax-js': async (jax, { logits, labels }) => {
        const z = jax.numpy.array(logits, { shape: [rows, classes] });
        const chosen = jax.numpy.array(oneHot(labels, classes), { shape: [rows, classes] });
        const step = jax.jit(
          jax.valueAndGrad((x: typeof z, y: typeof z) =>
            jax.nn
              .logSoftmax(x)
              .mul(y)
              .sum()
              .mul(-1 / rows),
          ),
        );
        let [loss, gradient] = step(z.ref, chosen.ref);
        return {
          run: () => {
            loss.dispose();
            gradient.dispose();
            [loss, gradient] = step(z.ref, chosen.ref);
            loss.ref.gpuBufferSync();
            gradient.ref.gpuBufferSync();
          },
          settle: async () => {
            await loss.ref.data();
            await gradient.blockUntilReady();
          },
          results: async () => ({ loss: await loss.ref.data(), gradient: await gradient.ref.data() }),
          dispose: () => {
            for (const array of [loss, gradient, z, chosen]) array.dispose();
            step.dispose();
          },
        };
      },
      tfjs: async (tf, { logits, labels }) => {
        const z = tf.tensor(logits, [rows, classes]);
        const chosen = tf.tensor(oneHot(labels, classes), [rows, classes]);
        const step = tf.valueAndGrad((x) => tf.losses.softmaxCrossEntropy(chosen, x));
        let { value, grad: slope } = step(z);
        return {
          run: () => {
            value.dispose();
            slope.dispose();
            ({ value, grad: slope } = step(z));
          },
          settle: async () => {
            await value.data();
            await awaitTensor(tf, slope);
          },
          results: async () => ({ loss: await value.data(), gradient: await slope.data() }),
          dispose: () => {
            for (const each of [value, slope, z, chosen]) each.dispose();
          },
        };
      },
    },
  });
}

/** The mean loss over all rows, and the gradient of some. */
function reference(logits: Float32Array, labels: Uint32Array, rows: number, classes: number) {
  const chosen = new Map(someOf(rows, REFERENCE_ROWS).map((row, i) => [row, i]));
  const values = new Float64Array(chosen.size * classes);
  const at = new Uint32Array(chosen.size * classes);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const z = logits.subarray(row * classes, (row + 1) * classes);
    const maximum = z.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let sum = 0;
    for (const x of z) sum += Math.exp(x - maximum);
    const label = labels[row] ?? 0;
    loss += (maximum + Math.log(sum) - (z[label] ?? 0)) / rows;
    const i = chosen.get(row);
    if (i === undefined) continue;
    z.forEach((x, j) => {
      values[i * classes + j] = (Math.exp(x - maximum) / sum - (j === label ? 1 : 0)) / rows;
      at[i * classes + j] = row * classes + j;
    });
  }
  return { loss: { values: [loss] }, gradient: { values, at } };
}

export const crossEntropyCases = [crossEntropy(4096, 10), crossEntropy(4096, 1000), crossEntropy(512, 50257)];
