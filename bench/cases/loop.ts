import { repeat } from '../../src/index.js';
import { type Contender, defineCase } from '../case.js';
import { byHand } from './step/byHand.js';
import { jaxJs } from './step/jaxJs.js';
import { ours, trained } from './step/ours.js';
import { makeProblem, named, type Problem } from './step/problem.js';
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

/** Forty steps of the smallest net: inside one plan; and, by the others, one by one. */
export const loopCases = [
  defineCase<Problem>({
    name: 'loop/repeat-40',
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
    ours: (problem) => trained(problem, (update) => repeat(COUNT, update)),
    peers: {
      plain: async (_, problem) => manyOf(await ours(problem)),
      'by-hand': async (device, problem) => manyOf(await byHand(device, problem)),
      'jax-js': async (jax, problem) => manyOf(await jaxJs(jax, problem)),
      tfjs: async (tf, problem) => manyOf(await tfjs(tf, problem)),
    },
  }),
];
