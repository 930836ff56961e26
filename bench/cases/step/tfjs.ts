import type { Contender } from '../../case.js';
import { oneHot } from '../../oneHot.js';
import { awaitTensor } from '../../peers/awaitTensor.js';
import type { TensorFlow, TfTensor, TfVariable } from '../../peers/tfjs.js';
import { named, type Problem, RULES } from './problem.js';

export async function tfjs(tf: TensorFlow, problem: Problem): Promise<Contender> {
  const { images, labels, layers, batch, features, classes, rule } = problem;
  const before = tf.memory().numBytes;
  const x = tf.tensor(images, [batch, features]);
  const y = tf.tensor(oneHot(labels, classes), [batch, classes]);
  const variables = layers.map(({ inputs, outputs, weight, bias }) => ({
    weight: variable(tf, weight, [inputs, outputs]),
    bias: variable(tf, bias, [outputs]),
  }));
  const { momentum, adamw } = RULES;
  const optimizer =
    rule === 'adamw'
      ? tf.train.adam(adamw.learningRate, adamw.beta1, adamw.beta2, adamw.epsilon)
      : tf.train.momentum(momentum.learningRate, momentum.momentum);
  const lossOf = () => {
    const logits = variables.reduce<TfTensor>((h, { weight, bias }, i) => {
      const activation = i < variables.length - 1 ? 'relu' : 'linear';
      return tf.fused.matMul({ a: h, b: weight, bias, activation });
    }, x);
    return tf.losses.softmaxCrossEntropy(y, logits);
  };
  let loss: TfTensor | undefined;
  const run = () => {
    loss?.dispose();
    loss = tf.tidy(() => optimizer.minimize(lossOf, true));
  };
  return {
    run,
    settle: async () => {
      // A value of the last update comes after all before it.
      const { weight } = variables[0] as (typeof variables)[number];
      await Promise.all([loss?.data(), awaitTensor(tf, weight)]);
    },
    results: async () => ({
      loss: (await loss?.data()) ?? [],
      ...named(await Promise.all(variables.flatMap(({ weight, bias }) => [weight.data(), bias.data()]))),
    }),
    memory: async () => {
      const { peakBytes } = await tf.profile(run);
      return { held: tf.memory().numBytes - before, peak: peakBytes - before };
    },
    dispose: () => {
      for (const each of [loss, x, y, ...variables.flatMap((layer) => Object.values(layer))]) each?.dispose();
      optimizer.dispose();
    },
  };
}

function variable(tf: TensorFlow, values: Float32Array, shape: readonly number[]): TfVariable {
  const initial = tf.tensor(values, shape);
  const made = tf.variable(initial);
  initial.dispose();
  return made;
}
