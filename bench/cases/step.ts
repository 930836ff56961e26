import { type Case, type CaseDeclaration, defineCase, type PeerName } from '../case.js';
import { byHand } from './step/byHand.js';
import { jaxJs } from './step/jaxJs.js';
import { ours } from './step/ours.js';
import { makeProblem, named, type Problem, type Rule } from './step/problem.js';
import { trainInFloat64 } from './step/reference.js';
import { tfjs } from './step/tfjs.js';

const STEPS_TO_CHECK = 3;

export interface TrainingStep extends Pick<CaseDeclaration<Problem>, 'figure' | 'settleEvery'> {
  readonly widths: readonly number[];
  readonly batch: number;
  /** Default: `step/` and the widths. */
  readonly name?: string;
  /** Default: momentum. */
  readonly rule?: Rule;
  /** Default: all that know the rule. */
  readonly peers?: readonly PeerName[];
  readonly ours?: CaseDeclaration<Problem>['ours'];
}

/** One step of a relu network of these widths on a batch: softmax cross-entropy, SGD with momentum or AdamW. */
export function trainingStep({ widths, batch, rule = 'momentum', peers, ...rest }: TrainingStep): Case {
  const weights = widths.slice(1).reduce((sum, outputs, i) => sum + outputs * (widths[i] ?? 0), 0);
  const firstLayer = (widths[0] ?? 0) * (widths[1] ?? 0);
  const wanted = (peer: PeerName) => peers === undefined || peers.includes(peer);
  return defineCase<Problem>({
    name: `step/${widths.join('-')}`,
    // Products forward, by the weights and by the inputs; nobody wants the gradient by the images.
    ...(rest.figure === undefined ? { flops: 2 * batch * (3 * weights - firstLayer) } : {}),
    repetitionsToCheck: STEPS_TO_CHECK,
    repeatable: false,
    inputs: (seed) => makeProblem({ widths, batch, rule }, seed),
    reference: (problem) => {
      const { loss, layers } = trainInFloat64(problem, STEPS_TO_CHECK);
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
    ours,
    peers: {
      // The step by hand moves its weights by momentum.
      ...(rule === 'momentum' && wanted('by-hand') ? { 'by-hand': byHand } : {}),
      ...(wanted('jax-js') ? { 'jax-js': jaxJs } : {}),
      ...(wanted('tfjs') ? { tfjs } : {}),
    },
    ...rest,
  });
}

export const SMALL = { widths: [2, 16, 16, 2], batch: 32 };
export const MIDDLE = { widths: [784, 128, 10], batch: 128 };
export const LARGE = { widths: [784, 512, 256, 10], batch: 128 };

export const stepCases = [
  // All overhead: what a step costs when its arithmetic costs nothing. The loss is read now and then, as one does.
  trainingStep({ ...SMALL, settleEvery: 100 }),
  trainingStep(MIDDLE),
  trainingStep(LARGE),
  trainingStep({ ...MIDDLE, name: 'step/784-128-10-adamw', rule: 'adamw' }),
];
