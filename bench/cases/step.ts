import { compile, grad, losses, nn, optim, tensor } from '../../src/index.js';
import { type Case, defineCase } from '../case.js';
import { oneHot } from '../oneHot.js';
import type { JaxArray } from '../peers/jaxJs.js';
import { symmetric, uniform } from '../random.js';
import { trainInFloat64 } from './stepReference.js';

const LEARNING_RATE = 0.05;
const MOMENTUM = 0.9;

export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** [inputs, outputs] */
  readonly weight: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
}

export interface Inputs {
  /** [batch, inputs of the first layer] */
  readonly images: Float32Array<ArrayBuffer>;
  /** [batch], below the outputs of the last layer */
  readonly labels: Uint32Array<ArrayBuffer>;
  readonly layers: readonly Layer[];
  readonly batch: number;
  readonly learningRate: number;
  readonly momentum: number;
}

/** One step of a relu network of these widths on a batch: softmax cross-entropy, SGD with momentum. */
function trainingStep(widths: readonly number[], batch: number): Case {
  const classes = widths.at(-1) ?? 1;
  const weights = widths.slice(1).reduce((sum, outputs, i) => sum + outputs * (widths[i] ?? 0), 0);
  const firstLayer = (widths[0] ?? 0) * (widths[1] ?? 0);
  return defineCase<Inputs>({
    name: `step/${widths.join('-')}`,
    // Products forward, by the weights and by the inputs; nobody wants the gradient by the images.
    flops: 2 * batch * (3 * weights - firstLayer),
    repetitionsToCheck: 3,
    repeatable: false,
    inputs: (seed) => makeInputs(widths, batch, seed),
    reference: (inputs) => {
      const { loss, layers } = trainInFloat64(inputs, 3);
      return {
        loss: { values: [loss] },
        ...named(layers.flatMap(({ weight, bias }) => [{ values: weight }, { values: bias }])),
      };
    },
    tolerance: (result) =>
      result === 'loss'
        ? { largest: 2e-6, why: 'ten roundings of a loss of about 2.3' }
        : {
            largest: 1e-4,
            rootMeanSquare: 1e-6,
            why: 'roundings move a weight by 1e-7; one that flips a relu moves a few by 1e-4',
          },
    ours: async ({ images, labels, layers }) => {
      const model = nn.sequential(
        ...layers.flatMap(({ inputs, outputs }, i) => [...(i > 0 ? [nn.relu()] : []), nn.linear(inputs, outputs)]),
      );
      const parameters = model.parameters();
      layers.forEach(({ inputs, outputs, weight, bias }, i) => {
        parameters[2 * i]?.assign(tensor(weight, { shape: [inputs, outputs] }));
        parameters[2 * i + 1]?.assign(tensor(bias));
      });
      const optimizer = optim.sgd(parameters, { learningRate: LEARNING_RATE, momentum: MOMENTUM });
      const step = compile((x, y) => {
        const value = losses.crossEntropy(model(x), y);
        optimizer.update(grad(value, parameters));
        return value;
      });
      const x = tensor(images, { shape: [batch, widths[0] ?? 0] });
      const y = tensor(labels);
      await step.prepare(x, y);
      let loss: ReturnType<typeof step> | undefined;
      return {
        run: () => {
          loss = step(x, y);
        },
        settle: async () => {
          await loss?.item();
        },
        results: async () => ({
          loss: (await loss?.data()) as Float32Array,
          ...named(await Promise.all(parameters.map((parameter) => parameter.data()))),
        }),
        explain: () => step.explain(x, y),
        dispose: () => {
          step.dispose();
          for (const each of [x, y, ...parameters]) each.dispose();
        },
      };
    },
    peers: {
      'jax-js': async (jax, { images, labels, layers }) => {
        const { numpy: np } = jax;
        const lossOf = (parameters: readonly JaxArray[], x: JaxArray, y: JaxArray) => {
          let h = x;
          for (let i = 0; i < parameters.length; i += 2) {
            if (i > 0) h = jax.nn.relu(h);
            h = np.matmul(h, parameters[i] as JaxArray).add(parameters[i + 1] as JaxArray);
          }
          return jax.nn
            .logSoftmax(h)
            .mul(y)
            .sum()
            .mul(-1 / batch);
        };
        const step = jax.jit(
          (parameters: readonly JaxArray[], velocities: readonly JaxArray[], x: JaxArray, y: JaxArray) => {
            const [value, gradients] = jax.valueAndGrad(lossOf)(jax.tree.ref(parameters), x, y);
            const moved = velocities.map((v, i) => v.mul(MOMENTUM).add(gradients[i] as JaxArray));
            const next = parameters.map((w, i) => w.sub((moved[i] as JaxArray).ref.mul(LEARNING_RATE)));
            return [next, moved, value] as const;
          },
        );
        const x = np.array(images, { shape: [batch, widths[0] ?? 0] });
        const y = np.array(oneHot(labels, classes), { shape: [batch, classes] });
        let parameters: readonly JaxArray[] = layers.flatMap(({ inputs, outputs, weight, bias }) => [
          np.array(weight, { shape: [inputs, outputs] }),
          np.array(bias, { shape: [outputs] }),
        ]);
        let velocities: readonly JaxArray[] = parameters.map(({ shape }) =>
          np.array(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape }),
        );
        let loss: JaxArray | undefined;
        return {
          run: () => {
            loss?.dispose();
            [parameters, velocities, loss] = step(parameters, velocities, x.ref, y.ref);
            // All outputs of a jitted call are submitted with one of them.
            loss.ref.gpuBufferSync();
          },
          settle: async () => {
            await loss?.ref.data();
          },
          results: async () => ({
            loss: (await loss?.ref.data()) ?? [],
            ...named(await Promise.all(parameters.map((parameter) => parameter.ref.data()))),
          }),
          dispose: () => {
            for (const array of [loss, x, y, ...parameters, ...velocities]) array?.dispose();
            step.dispose();
          },
        };
      },
      tfjs: async (tf, { images, labels, layers }) => {
        const x = tf.tensor(images, [batch, widths[0] ?? 0]);
        const y = tf.tensor(oneHot(labels, classes), [batch, classes]);
        const variables = layers.map(({ inputs, outputs, weight, bias }) => ({
          weight: tf.variable(tf.tensor(weight, [inputs, outputs])),
          bias: tf.variable(tf.tensor(bias, [outputs])),
        }));
        const optimizer = tf.train.momentum(LEARNING_RATE, MOMENTUM);
        const lossOf = () => {
          const logits = variables.reduce((h, { weight, bias }, i) => {
            const activation = i < variables.length - 1 ? 'relu' : 'linear';
            return tf.fused.matMul({ a: h, b: weight, bias, activation });
          }, x);
          return tf.losses.softmaxCrossEntropy(y, logits);
        };
        let loss: typeof x | undefined;
        return {
          run: () => {
            loss?.dispose();
            loss = tf.tidy(() => optimizer.minimize(lossOf, true));
          },
          settle: async () => {
            // A queue runs in order: a value of the last update comes after all before it.
            const corner = tf.slice((variables[0] as (typeof variables)[number]).weight, [0, 0], [1, 1]);
            await Promise.all([loss?.data(), corner.data()]);
            corner.dispose();
          },
          results: async () => ({
            loss: (await loss?.data()) ?? [],
            ...named(await Promise.all(variables.flatMap(({ weight, bias }) => [weight.data(), bias.data()]))),
          }),
          dispose: () => {
            for (const each of [loss, x, y, ...variables.flatMap((layer) => Object.values(layer))]) each?.dispose();
            optimizer.dispose();
          },
        };
      },
    },
  });
}

/** Weights and biases, in turn, by name. */
function named<T>(values: readonly T[]): Record<string, T> {
  return Object.fromEntries(values.map((value, i) => [`${i % 2 === 0 ? 'weight' : 'bias'}${i >> 1}`, value]));
}

function makeInputs(widths: readonly number[], batch: number, seed: number): Inputs {
  const draw = uniform(1000 * seed + 1);
  const [inputs = 1] = widths;
  const classes = widths.at(-1) ?? 1;
  return {
    images: Float32Array.from({ length: batch * inputs }, draw),
    labels: Uint32Array.from({ length: batch }, () => Math.floor(draw() * classes)),
    layers: widths.slice(1).map((outputs, i) => {
      const fanIn = widths[i] ?? 1;
      return {
        inputs: fanIn,
        outputs,
        weight: symmetric(fanIn * outputs, Math.sqrt(1 / fanIn), 1000 * seed + 2 * i + 2),
        bias: symmetric(outputs, 0.1, 1000 * seed + 2 * i + 3),
      };
    }),
    batch,
    learningRate: LEARNING_RATE,
    momentum: MOMENTUM,
  };
}

export const stepCases = [
  // All overhead: what a step costs when its arithmetic costs nothing.
  trainingStep([2, 16, 16, 2], 32),
  trainingStep([784, 128, 10], 128),
  trainingStep([784, 512, 256, 10], 128),
];
