import { ValueError } from '../errors.js';
import { bestRisk } from './conditional.js';
import { type ConditionalLoss, compSumLoss, zeroOneLoss } from './conditionalLoss.js';
import {
  checkDistribution,
  type Distribution,
  expectation,
  type KnownDistribution,
  type Model,
} from './distribution.js';
import { checkHypotheses, type Hypotheses, type KnownHypotheses } from './hypotheses.js';
import { phi, type TauOptions, tauOf } from './phi.js';

export interface MinimizabilityGap {
  /** `bestRisk - pointwiseBest`, computed without cancellation; at least 0. */
  readonly gap: number;
  /** R*(H): the least risk of one hypothesis for all inputs. */
  readonly bestRisk: number;
  /** `E_x[inf_{h in H} C(h, x)]`: the least risk were the hypothesis chosen anew at each input. */
  readonly pointwiseBest: number;
  /** How these were found, and on which side they err. */
  readonly method: string;
}

/**
 * The minimizability gap of a comp-sum loss, `M(H) = R*(H) - E_x[inf_{h in H} C_tau(h, x)]`: how much of the least risk
 * is due to having one hypothesis for all inputs. 0 for all measurable functions. `method` says how it was found:
 * exact for a finite set; for a complete set the pointwise infimum is `bestConditionalRisk` and R*(H) is estimated
 * from above, by the best of the sample, so the gap is estimated from above too.
 *
 * @source Mao, Mohri, Zhong 2023 (the definition).
 */
export function minimizabilityGap(
  distribution: Distribution,
  hypotheses: Hypotheses,
  options: TauOptions,
): MinimizabilityGap {
  const op = 'theory.minimizabilityGap';
  const loss = compSumLoss(tauOf(op, options));
  const known = checkDistribution(op, distribution);
  return gapOf(known, checkHypotheses(op, hypotheses, known), loss);
}

/** The minimizability gap of the zero-one loss; a tie between scores goes to the first class. */
export function zeroOneMinimizabilityGap(distribution: Distribution, hypotheses: Hypotheses): MinimizabilityGap {
  const op = 'theory.zeroOneMinimizabilityGap';
  const known = checkDistribution(op, distribution);
  return gapOf(known, checkHypotheses(op, hypotheses, known), zeroOneLoss);
}

/**
 * An upper bound of the comp-sum gap of a complete set from its least sum-exponential risk:
 * `Phi_tau(R*_0(H)) - E_x[C*_tau]`. By Jensen's inequality, for the loss is `Phi_tau(u)`, Phi_tau is concave and
 * increasing in u, and u is the sum-exponential loss. Where labels are deterministic it falls as tau grows.
 *
 * @param bestSumExponentialRisk R*_0(H), or any number above it.
 */
export function minimizabilityGapBound(
  distribution: Distribution,
  bestSumExponentialRisk: number,
  options: TauOptions,
): number {
  const op = 'theory.minimizabilityGapBound';
  const tau = tauOf(op, options);
  if (!(bestSumExponentialRisk >= 0)) {
    throw new ValueError(op, `bestSumExponentialRisk is ${bestSumExponentialRisk}; a risk is at least 0.`);
  }
  const known = checkDistribution(op, distribution);
  return phi(Math.log1p(bestSumExponentialRisk), tau) - expectation(known, (p) => bestRisk(p, tau));
}

/** `minimizabilityGap` of arguments that have been checked. */
export function gapOf(
  distribution: KnownDistribution,
  { set, models }: KnownHypotheses,
  loss: ConditionalLoss,
): MinimizabilityGap {
  const count = models.length === 1 ? '1 hypothesis' : `${models.length} hypotheses`;
  const riskOf = (model: Model) => expectation(distribution, (p, x) => loss.risk(p, model[x] as ArrayLike<number>));
  if (set === 'finite') {
    const at = distribution.conditionals.map((p, x) =>
      models.map((model) => loss.risk(p, model[x] as ArrayLike<number>)),
    );
    const best = at.map(least);
    // The infinite risk of a masked class, at an input where every hypothesis masks it, is no one's excess.
    const excess = (x: number, h: number) =>
      best[x] === Number.POSITIVE_INFINITY ? 0 : (at[x]?.[h] ?? 0) - (best[x] ?? 0);
    return {
      gap: least(models.map((_, h) => expectation(distribution, (_p, x) => excess(x, h)))),
      bestRisk: least(models.map(riskOf)),
      pointwiseBest: expectation(distribution, (_p, x) => best[x] ?? 0),
      method: `exact for the ${count} given; of a larger set that they sample, both infima are estimated from above, and the gap errs either way.`,
    };
  }
  const pointwiseBest = expectation(distribution, loss.best);
  if (set === 'measurable') {
    return {
      gap: 0,
      bestRisk: pointwiseBest,
      pointwiseBest,
      method: 'exact: one measurable function is best at every input.',
    };
  }
  const excess = (model: Model) => expectation(distribution, (p, x) => loss.regret(p, model[x] as ArrayLike<number>));
  return {
    gap: least(models.map(excess)),
    bestRisk: least(models.map(riskOf)),
    pointwiseBest,
    method: `from above: the least risk of ${count} stands for the least of the set; the best at each input is in closed form, for the set is complete.`,
  };
}

/** Not `Math.min(...numbers)`: a sample may hold more models than a call takes arguments. */
function least(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}
