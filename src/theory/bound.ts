import { type ConditionalLoss, compSumLoss, zeroOneLoss } from './conditionalLoss.js';
import { checkDistribution, checkModel, type Distribution, expectation, type Model } from './distribution.js';
import { type CompleteHypotheses, checkHypotheses } from './hypotheses.js';
import { gapOf } from './minimizabilityGap.js';
import { type TauOptions, tauOf } from './phi.js';
import type { Rows } from './rows.js';
import { explicit, inverse } from './transform.js';

export interface BoundOptions extends TauOptions {
  /**
   * What the model was chosen from. Default: all measurable functions, whose gaps are 0. For a complete set, its
   * sampled members (the model itself is counted among them) split each regret into excess and gap.
   */
  readonly hypotheses?: 'measurable' | CompleteHypotheses;
}

/** One loss's part of the bound: `regret = risk - bestRisk + gap`. */
export interface BoundSide {
  /** R(h). */
  readonly risk: number;
  /** R*(H). */
  readonly bestRisk: number;
  /** M(H), the minimizability gap. */
  readonly gap: number;
  /** `E_x[C(h, x) - C*(x)]`, computed without cancellation. The estimate of R*(H) has dropped out of it. */
  readonly regret: number;
}

export interface Bound {
  readonly tau: number;
  readonly classes: number;
  readonly zeroOne: BoundSide;
  readonly compSum: BoundSide;
  /** The zero-one regret: what is bounded. */
  readonly left: number;
  /** Gamma_tau of the comp-sum regret: `left <= right`. */
  readonly right: number;
  /** The explicit upper form of Gamma_tau, not cut off at 1: `right <= explicit` wherever it is below 1. */
  readonly explicit: number;
  /** How bestRisk and gap were found. */
  readonly method: string;
}

/**
 * Both sides of the H-consistency bound
 * `R_01(h) - R*_01(H) + M_01(H) <= Gamma_tau(R_tau(h) - R*_tau(H) + M_tau(H))`
 * for a model on a distribution that is known. H must be symmetric and complete, as all measurable functions are,
 * and as a network with free last biases is; a finite set is not. In both parentheses R*(H) drops out against M(H), so
 * the two sides do not depend on how well R*(H) is estimated. A tie between scores goes to the first class.
 *
 * @param distribution the inputs' probabilities and, for each, the classes'.
 * @param scores the model's logits at every input, `[inputs, classes]`: rows, or `{ data, shape }`.
 * @throws ShapeError for ragged or unlike arrays; ValueError for what is no probability, NaN scores, tau < 0.
 * @source Mao, Mohri, Zhong 2023, as recalled; test/theory holds it on random distributions.
 * @example
 * const { left, right } = theory.bound({ inputs, conditionals }, { data: await logits.data(), shape: logits.shape }, { tau: 1 });
 */
export function bound(distribution: Distribution, scores: Rows, options: BoundOptions): Bound {
  const op = 'theory.bound';
  const tau = tauOf(op, options, ['tau', 'hypotheses']);
  const known = checkDistribution(op, distribution);
  const model = checkModel(op, 'scores', scores, known);
  const { set, models } = checkHypotheses(op, options.hypotheses ?? 'measurable', known, ['measurable', 'complete']);
  const hypotheses = { set, models: set === 'measurable' ? [] : [model, ...models] };
  let method = '';
  const side = (loss: ConditionalLoss): BoundSide => {
    const expected = (part: ConditionalLoss['risk']) =>
      expectation(known, (p, x) => part(p, model[x] as Model[number]));
    const { gap, bestRisk, ...found } = gapOf(known, hypotheses, loss);
    method = found.method;
    return { risk: expected(loss.risk), bestRisk, gap, regret: expected(loss.regret) };
  };
  const zeroOne = side(zeroOneLoss);
  const compSum = side(compSumLoss(tau));
  return {
    tau,
    classes: known.classes,
    zeroOne,
    compSum,
    left: zeroOne.regret,
    right: inverse(compSum.regret, tau, known.classes),
    explicit: explicit(compSum.regret, tau, known.classes),
    method,
  };
}
