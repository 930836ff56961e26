/** What a researcher needs to write a loss, and nothing else: `cotangent/custom`. */
export { defineLoss, type Loss, type LossDeclaration } from './defineLoss.js';
export type { Definition } from './labelRows.js';
export type { LossOptions, LossParameter } from './lossArguments.js';
