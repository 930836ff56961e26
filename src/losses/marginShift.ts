import marginShiftWgsl from '../../shaders/losses/marginShift.wgsl';
import { defineLoss } from '../custom/defineLoss.js';
import { add, square, subtract } from '../ops/arithmetic.js';
import { sqrt } from '../ops/exponential.js';
import { takeByLabel } from '../ops/gather.js';
import { sum } from '../ops/reduce.js';
import { expandDims } from '../ops/shaping.js';

/**
 * How far margins moved, `sqrt(sum over j of (D_y - D_j)^2 + epsilon^2)`, of the difference D of two rows of logits.
 *
 * @param logits the differences, `[...batch, classes]`, f32.
 * @source Mao, Mohri, Zhong 2023, the second term of the smooth adversarial comp-sum loss, as recalled.
 */
export const marginShift = defineLoss({
  name: 'marginShift',
  source: 'Mao, Mohri, Zhong 2023, the second term of the smooth adversarial comp-sum loss, as recalled',
  parameters: { epsilon: { default: 1e-6, min: 0 } },
  wgsl: marginShiftWgsl,
  definition: (differences, labels, { epsilon }) => {
    const shifts = subtract(expandDims(takeByLabel(differences, labels), -1), differences);
    return sqrt(add(sum(square(shifts), { axes: -1 }), square(epsilon)));
  },
});
