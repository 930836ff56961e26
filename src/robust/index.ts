export { type EnsembleOptions, ensemble } from './ensemble.js';
export { type AttackResult, evaluate, type RobustEvaluateOptions, type RobustEvaluation } from './evaluate.js';
export {
  type AdvCompSumOptions,
  advCompSum,
  type Branches,
  pgdAdversarialTraining,
  type Recipe,
  standard,
  type TradesOptions,
  trades,
} from './recipes.js';
export { type SanityCheck, type SanityOptions, sanityChecks } from './sanityChecks.js';
export { type RobustTraining, trainingStep } from './trainingStep.js';
