export { Accumulator } from './accumulator.js';
export { adam, type AdamOptions, type AdamSettings, adamw } from './adam.js';
export type { Clip } from './clip.js';
export { decayWeightsOnly, type Hyperparameter, Optimizer, type ParameterGroup } from './optimizer.js';
export { constant, cosine, oneCycle, type Schedule, step, warmup } from './schedules.js';
export { sgd, type SgdOptions, type SgdSettings } from './sgd.js';
