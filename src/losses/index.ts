export { compSum } from './compSum.js';
export { crossEntropy } from './crossEntropy.js';
export { meanSquaredError } from './meanSquaredError.js';
