export { type Bound, type BoundOptions, type BoundSide, bound } from './bound.js';
export { bestConditionalRisk, bestScores, conditionalRegret, conditionalRisk } from './conditional.js';
export type { Distribution } from './distribution.js';
export type { CompleteHypotheses, Hypotheses } from './hypotheses.js';
export {
  type MinimizabilityGap,
  minimizabilityGap,
  minimizabilityGapBound,
  zeroOneMinimizabilityGap,
} from './minimizabilityGap.js';
export type { TauOptions } from './phi.js';
export type { Rows } from './rows.js';
export { explicitInverse, inverseTransform, type TransformOptions, transform } from './transform.js';
export { conditionalZeroOneRegret, conditionalZeroOneRisk, type ZeroOneOptions } from './zeroOne.js';
