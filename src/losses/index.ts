export { compSum } from './compSum.js';
export { crossEntropy } from './crossEntropy.js';
export { generalizedCrossEntropy } from './generalizedCrossEntropy.js';
export { heldRows } from './heldRows.js';
export { linear } from './linear.js';
export { meanAbsoluteError } from './meanAbsoluteError.js';
export { meanSquaredError } from './meanSquaredError.js';
export { sumExponential } from './sumExponential.js';
