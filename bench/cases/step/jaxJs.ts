import type { Contender } from '../../case.js';
import { oneHot } from '../../oneHot.js';
import type { JaxArray, JaxJs } from '../../peers/jaxJs.js';
import { named, type Problem, RULES } from './problem.js';

type Arrays = readonly JaxArray[];

export async function jaxJs(jax: JaxJs, problem: Problem): Promise<Contender> {
  const { images, labels, layers, batch, features, classes, rule } = problem;
  const { numpy: np } = jax;
  const lossOf = (parameters: Arrays, x: JaxArray, y: JaxArray) => {
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
  const descend = rule === 'adamw' ? adamw(jax) : momentum;
  const step = jax.jit(
    (parameters: Arrays, states: readonly Arrays[], corrections: Arrays, x: JaxArray, y: JaxArray) => {
      const [value, gradients] = jax.valueAndGrad(lossOf)(jax.tree.ref(parameters), x, y);
      const moved = parameters.map((w, i) => descend(w, states[i] as Arrays, gradients[i] as JaxArray, corrections));
      for (const correction of corrections) correction.dispose();
      return [moved.map(({ next }) => next), moved.map(({ state }) => state), value] as const;
    },
  );
  const x = np.array(images, { shape: [batch, features] });
  const y = np.array(oneHot(labels, classes), { shape: [batch, classes] });
  let parameters: Arrays = layers.flatMap(({ inputs, outputs, weight, bias }) => [
    np.array(weight, { shape: [inputs, outputs] }),
    np.array(bias, { shape: [outputs] }),
  ]);
  let states: readonly Arrays[] = parameters.map(({ shape }) =>
    Array.from({ length: rule === 'adamw' ? 2 : 1 }, () =>
      np.array(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape }),
    ),
  );
  let loss: JaxArray | undefined;
  let count = 0;
  const betas = rule === 'adamw' ? [RULES.adamw.beta1, RULES.adamw.beta2] : [];
  return {
    run: () => {
      count++;
      const corrections = betas.map((beta) => np.array(new Float32Array([1 - beta ** count]), { shape: [] }));
      loss?.dispose();
      [parameters, states, loss] = step(parameters, states, corrections, x.ref, y.ref);
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
      for (const array of [loss, x, y, ...parameters, ...states.flat()]) array?.dispose();
      step.dispose();
    },
  };
}

/** Takes all it is given but the corrections. */
type Descent = (w: JaxArray, state: Arrays, g: JaxArray, corrections: Arrays) => { next: JaxArray; state: Arrays };

const momentum: Descent = (w, [velocity], g) => {
  const moved = (velocity as JaxArray).mul(RULES.momentum.momentum).add(g);
  return { next: w.sub(moved.ref.mul(RULES.momentum.learningRate)), state: [moved] };
};

/** Of the step that is count-th: corrections are 1 - beta^count. */
export function adamw({ numpy: np }: JaxJs): Descent {
  const { learningRate, beta1, beta2, epsilon } = RULES.adamw;
  return (w, state, g, corrections) => {
    const [first, second] = state as [JaxArray, JaxArray];
    const [correction1, correction2] = corrections as [JaxArray, JaxArray];
    const m = first.mul(beta1).add(g.ref.mul(1 - beta1));
    const v = second.mul(beta2).add(g.ref.mul(g).mul(1 - beta2));
    const scale = np.sqrt(v.ref.div(correction2.ref)).add(epsilon);
    return { next: w.sub(m.ref.div(correction1.ref).div(scale).mul(learningRate)), state: [m, v] };
  };
}
