import {
  compile,
  grad,
  losses,
  memory,
  nn,
  optim,
  type Parameter,
  profile,
  type Tensor,
  tensor,
} from '../../../src/index.js';
import type { Contender } from '../../case.js';
import { named, type Problem, RULES } from './problem.js';

/** The network with its parameters as the problem has them. */
export function network({ layers }: Problem) {
  const model = nn.sequential(
    ...layers.flatMap(({ inputs, outputs }, i) => [...(i > 0 ? [nn.relu()] : []), nn.linear(inputs, outputs)]),
  );
  const parameters = model.parameters();
  layers.forEach(({ inputs, outputs, weight, bias }, i) => {
    parameters[2 * i]?.assign(tensor(weight, { shape: [inputs, outputs] }));
    parameters[2 * i + 1]?.assign(tensor(bias));
  });
  return { model, parameters };
}

function optimizerOf({ rule }: Problem, parameters: readonly Parameter[]) {
  return rule === 'adamw' ? optim.adamw(parameters, RULES.adamw) : optim.sgd(parameters, RULES.momentum);
}

export const ours = (problem: Problem): Promise<Contender> => trained(problem, (update) => update());

/** @param run how a step runs the update, which gives the loss: once, or in a loop. */
export async function trained(problem: Problem, run: (update: () => Tensor) => Tensor): Promise<Contender> {
  const { images, labels, batch, features } = problem;
  const { model, parameters } = network(problem);
  const optimizer = optimizerOf(problem, parameters);
  const step = compile((x: Tensor, y: Tensor) =>
    run(() => {
      const value = losses.crossEntropy(model(x), y);
      optimizer.update(grad(value, parameters));
      return value;
    }),
  );
  const x = tensor(images, { shape: [batch, features] });
  const y = tensor(labels);
  await step.prepare(x, y);
  const explain = () => step.explain(x, y);
  let loss: Tensor | undefined;
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
    explain,
    profile: () => profile(step, x, y),
    dispatches: () => Number(/(\d+) dispatches/.exec(explain())?.[1]),
    memory: async () => {
      const { bytesInUse, highWater } = memory();
      return { held: bytesInUse, peak: highWater };
    },
    dispose: () => {
      step.dispose();
      optimizer.dispose();
      for (const each of [x, y, ...parameters]) each.dispose();
    },
  };
}
