export type { Attack, Classifier } from './attack.js';
export { type NoiseOptions, noise } from './noise.js';
export type { Objective, RowObjective } from './objective.js';
export { type FgsmOptions, fgsm, type PgdOptions, pgd, type RandomStart } from './pgd.js';
export { type RandomSearchOptions, randomSearch } from './randomSearch.js';
export type { StepSchedule } from './schedule.js';
export type { Norm, Threat, ThreatOptions } from './threat.js';
