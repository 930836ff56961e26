import { parameterOf } from '../custom/lossArguments.js';
import { ValueError } from '../errors.js';
import type { Tensor, TensorLike } from '../graph/tensor.js';
import { crossEntropy } from '../losses/crossEntropy.js';
import { marginShift } from '../losses/marginShift.js';
import { smoothAdversarialCompSum } from '../losses/smoothAdversarialCompSum.js';
import { add, multiply, subtract } from '../ops/arithmetic.js';
import { exp } from '../ops/exponential.js';
import { mean, sum } from '../ops/reduce.js';
import { logSoftmax } from '../ops/softmax.js';
import type { RandomStart } from './attacks/pgd.js';
import { checkOptionNames } from './attacks/threat.js';

/** Logits `[n, classes]` of a training step, computed if the recipe asks for them. */
export interface Branches {
  /** At the inputs. */
  readonly clean: () => Tensor;
  /** At the attacked inputs. */
  readonly adversarial: () => Tensor;
}

/** A way to train: what an attack maximises, and what is minimised then. */
export interface Recipe {
  readonly name: string;
  /** The paper and equation. */
  readonly source: string;
  /** Where the attack begins. */
  readonly start: RandomStart;
  /** What the attack maximises, `[n]`: of its logits, the labels, and the clean logits. Both branches are in evaluation mode. */
  readonly ascend: (adversarial: Tensor, target: Tensor, clean: Tensor) => Tensor;
  /** What is minimised, 0-d. Both branches are in the model's own mode. */
  readonly loss: (logits: Branches, target: Tensor) => Tensor;
}

const byCrossEntropy = (logits: Tensor, target: Tensor) => crossEntropy(logits, target, { reduction: 'none' });

/** No attack: cross-entropy of the clean logits. */
export const standard: Recipe = {
  name: 'standard',
  source: 'cross-entropy of the clean inputs',
  start: 'none',
  ascend: byCrossEntropy,
  loss: ({ clean }, target) => crossEntropy(clean(), target),
};

/**
 * Adversarial training: cross-entropy where an attack made it large.
 * @source Madry, Makelov, Schmidt, Tsipras and Vladu 2018, eq. 2.1.
 */
export const pgdAdversarialTraining: Recipe = {
  name: 'pgdAdversarialTraining',
  source: 'Madry, Makelov, Schmidt, Tsipras and Vladu 2018, eq. 2.1',
  start: 'uniform',
  ascend: byCrossEntropy,
  loss: ({ adversarial }, target) => crossEntropy(adversarial(), target),
};

export interface TradesOptions {
  /** The weight of robustness against accuracy, at least 0. Default 6. */
  readonly beta?: TensorLike;
}

/**
 * TRADES: `crossEntropy(z) + beta mean KL(softmax(z) || softmax(z'))`, where the attack makes the KL large. Gradients go
 * through both branches.
 * @throws ValueError when beta is negative.
 * @source Zhang, Yu, Jiao, Xing, El Ghaoui and Jordan 2019, eq. 5.
 */
export function trades(options: TradesOptions = {}): Recipe {
  const op = 'robust.trades';
  checkOptionNames(op, options, ['beta']);
  const beta = parameterOf(op, 'beta', { default: 6, min: 0 }, options.beta);
  return {
    name: 'trades',
    source: 'Zhang, Yu, Jiao, Xing, El Ghaoui and Jordan 2019, eq. 5',
    start: 'normal',
    ascend: (adversarial, _target, clean) => divergences(clean, adversarial),
    loss: ({ clean, adversarial }, target) =>
      add(crossEntropy(clean(), target), multiply(beta, mean(divergences(clean(), adversarial())))),
  };
}

/** `KL(softmax(a) || softmax(b))` of each row. */
function divergences(a: Tensor, b: Tensor): Tensor {
  const logA = logSoftmax(a);
  return sum(multiply(exp(logA), subtract(logA, logSoftmax(b))), { axes: -1 });
}

export interface AdvCompSumOptions {
  /** The comp-sum loss of the clean logits, at least 0. Default 1: cross-entropy. */
  readonly tau?: TensorLike;
  /** The margin's scale. Default 1. */
  readonly rho?: TensorLike;
  /** The weight of how far margins move, at least 0. Default 1. */
  readonly nu?: TensorLike;
}

/**
 * ADV-COMP-SUM: the smooth adversarial comp-sum loss, where the attack moves the margins as far as it can. The paper's
 * regulariser of norms is the optimizer's weight decay.
 * @throws ValueError when tau or nu is negative, or rho below 1e-6; at the step, for soft targets.
 * @source Mao, Mohri, Zhong 2023, as recalled.
 */
export function advCompSum(options: AdvCompSumOptions = {}): Recipe {
  const op = 'robust.advCompSum';
  checkOptionNames(op, options, ['tau', 'rho', 'nu']);
  const tau = parameterOf(op, 'tau', { default: 1, min: 0 }, options.tau);
  const rho = parameterOf(op, 'rho', { default: 1, min: 1e-6 }, options.rho);
  const nu = parameterOf(op, 'nu', { default: 1, min: 0 }, options.nu);
  return {
    name: 'advCompSum',
    source: 'Mao, Mohri, Zhong 2023, the smooth adversarial comp-sum loss, as recalled',
    start: 'normal',
    // The shift r, not r^2: an attack asks for the direction of a row's gradient alone, and that is the same.
    ascend: (adversarial, target, clean) => {
      if (target.rank === 2) {
        throw new ValueError(op, 'the targets are soft; margins need a label for each row.', {
          mend: 'give labels [n], or train by robust.trades.',
        });
      }
      return marginShift(subtract(adversarial, clean), target, { reduction: 'none' });
    },
    loss: ({ clean, adversarial }, target) =>
      smoothAdversarialCompSum(clean(), adversarial(), target, { tau, rho, nu }),
  };
}
