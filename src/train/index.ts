export {
  type CheckpointOptions,
  type CheckpointParts,
  type LoadedCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
} from './checkpoint.js';
export { type EvaluateOptions, type Evaluation, type Evaluator, evaluator } from './evaluate.js';
export {
  type EpochResult,
  type FitOptions,
  type FitResult,
  fit,
  type ModelToFit,
  type Progress,
  type Step,
  trainingStep,
} from './fit.js';
