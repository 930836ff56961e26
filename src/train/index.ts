export { type CheckpointOptions, type CheckpointParts, loadCheckpoint, type LoadedCheckpoint, saveCheckpoint } from './checkpoint.js';
export { type Evaluation, type EvaluateOptions, type Evaluator, evaluator } from './evaluate.js';
export { type EpochResult, fit, type FitOptions, type FitResult, type ModelToFit, type Progress, type Step, trainingStep } from './fit.js';
