/** What a researcher needs to write a loss, and nothing else: `cotangent/custom`. */
export { defineLoss, type Loss, type LossDeclaration, type LossOptions, type LossParameter } from './defineLoss.js';
export type { Definition } from './rowLoss.js';
