export { Accumulator } from './accumulator.js';
export { type AdamOptions, type AdamSettings, adam, adamw } from './adam.js';
export type { Clip } from './clip.js';
export { decayWeightsOnly, type Hyperparameter, type ParameterGroup } from './groups.js';
export { Optimizer } from './optimizer.js';
export { constant, cosine, oneCycle, type Schedule, step, warmup } from './schedules.js';
export { type SgdOptions, type SgdSettings, sgd } from './sgd.js';
