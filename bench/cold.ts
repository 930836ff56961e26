import { init } from '../src/index.js';
import { ours } from './cases/step/ours.js';
import { makeProblem } from './cases/step/problem.js';
import { MIDDLE } from './cases/step.js';

declare global {
  /** Called by the terminal's side, once in a page. */
  var timeFirstStep: () => Promise<number>;
}

/** ms from `init` to the loss of the first step. */
globalThis.timeFirstStep = async () => {
  const problem = makeProblem({ ...MIDDLE, rule: 'momentum' }, 0);
  const start = performance.now();
  await init();
  const { run, settle } = await ours(problem);
  run();
  await settle();
  return performance.now() - start;
};
