import { compile, grad, losses, optim, repeat, type Tensor, tensor } from '../../src/index.js';
import { type Case, type CaseDeclaration, type Contender, defineCase } from '../case.js';
import { byHand } from './step/byHand.js';
import { jaxJs } from './step/jaxJs.js';
import { network, ours } from './step/ours.js';
import { makeProblem, named, type Problem, RULES } from './step/problem.js';
import { trainInFloat64 } from './step/reference.js';
import { tfjs } from './step/tfjs.js';
import { SMALL } from './step.js';

const COUNT = 40;

/** A contender's step, 40 of them a run. */
function manyOf(contender: Contender): Contender {
  return {
    ...contender,
    run: () => {
      for (let i = 0; i < COUNT; i++) contender.run();
    },
  };
}

/** The same step as the body of one `repeat`. */
async function repeated(problem: Problem): Promise<Contender> {
  const { images, labels, batch, features } = problem;
  const { model, parameters } = network(problem);
  const optimizer = optim.sgd(parameters, RULES.momentum);
  const steps = compile((x: Tensor, y: Tensor) =>
    repeat(COUNT, () => {
      const value = losses.crossEntropy(model(x), y);
      optimizer.update(grad(value, parameters));
      return value;
    }),
  );
  const x = tensor(images, { shape: [batch, features] });
  const y = tensor(labels);
  await steps.prepare(x, y);
  let loss: Tensor | undefined;
  return {
    run: () => {
      loss = steps(x, y);
    },
    settle: async () => {
      await loss?.item();
    },
    results: async () => ({
      loss: (await loss?.data()) as Float32Array,
      ...named(await Promise.all(parameters.map((parameter) => parameter.data()))),
    }),
    explain: () => steps.explain(x, y),
    dispose: () => {
      steps.dispose();
      optimizer.dispose();
      for (const each of [x, y, ...parameters]) each.dispose();
    },
  };
}

function loop(name: string, contenders: Pick<CaseDeclaration<Problem>, 'ours' | 'peers'>): Case {
  return defineCase<Problem>({
    name,
    repetitionsToCheck: 1,
    repeatable: false,
    inputs: (seed) => makeProblem({ ...SMALL, rule: 'momentum' }, seed),
    reference: (problem) => {
      const { loss, layers } = trainInFloat64(problem, COUNT);
      return {
        loss: { values: [loss] },
        ...named(layers.flatMap(({ weight, bias }) => [{ values: weight }, { values: bias }])),
      };
    },
    tolerance: () => ({ largest: 1e-4, rootMeanSquare: 1e-5, why: '40 steps, each of which moves a weight by 1e-7' }),
    ...contenders,
  });
}

/** Forty steps of the smallest net: inside one plan, and one by one. */
export const loopCases = [
  loop('loop/repeat-40', {
    ours: repeated,
    peers: {
      'by-hand': async (device, problem) => manyOf(await byHand(device, problem)),
      'jax-js': async (jax, problem) => manyOf(await jaxJs(jax, problem)),
      tfjs: async (tf, problem) => manyOf(await tfjs(tf, problem)),
    },
  }),
  loop('loop/steps-40', { ours: async (problem) => manyOf(await ours(problem)), peers: {} }),
];
