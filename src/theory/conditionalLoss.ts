import { bestRisk, regret, risk } from './conditional.js';
import { bestZeroOneRisk, zeroOneRegret, zeroOneRisk } from './zeroOne.js';

/** A loss by its conditional risk: at given scores, the least of all, and the difference of the two. */
export interface ConditionalLoss {
  readonly risk: (p: ArrayLike<number>, scores: ArrayLike<number>) => number;
  readonly best: (p: ArrayLike<number>) => number;
  readonly regret: (p: ArrayLike<number>, scores: ArrayLike<number>) => number;
}

export function compSumLoss(tau: number): ConditionalLoss {
  return {
    risk: (p, scores) => risk(p, scores, tau),
    best: (p) => bestRisk(p, tau),
    regret: (p, scores) => regret(p, scores, tau),
  };
}

export const zeroOneLoss: ConditionalLoss = { risk: zeroOneRisk, best: bestZeroOneRisk, regret: zeroOneRegret };
