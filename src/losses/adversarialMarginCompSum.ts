import adversarialMarginCompSumWgsl from '../../shaders/losses/adversarialMarginCompSum.wgsl';
import { defineLoss } from '../custom/defineLoss.js';
import { divide, subtract } from '../ops/arithmetic.js';
import { greaterEqual, lessEqual } from '../ops/comparison.js';
import { oneHot } from '../ops/create.js';
import { log1p } from '../ops/exponential.js';
import { takeByLabel } from '../ops/gather.js';
import { where } from '../ops/logical.js';
import { sum } from '../ops/reduce.js';
import { expandDims } from '../ops/shaping.js';
import { compSumOf } from './compSumOf.js';

/**
 * Comp-sum of rho-margins, `Phi_tau(sum over j != y of min(1, max(0, 1 - (z_y - z_j) / rho)))`, for logits at adversarial
 * inputs: an attack gives the supremum over them. A row whose label leads by rho or more costs nothing; one that trails
 * every other class costs `Phi_tau(classes - 1)`, and has no gradient left. The ends of the ramp count as flat.
 *
 * @param logits `[...batch, classes]`, f32, at the adversarial inputs.
 * @param target labels `[...batch]` in `[0, classes)`; soft targets are refused.
 * @returns 0-d (mean); `[...batch]` with `reduction: 'none'`.
 * @throws ShapeError if the batch shapes differ; ValueError if tau is negative or rho below 1e-6.
 * @source Mao, Mohri, Zhong 2023, the adversarial comp-sum rho-margin loss, as recalled.
 * @example losses.adversarialMarginCompSum(model(attack(model, images, labels)), labels, { rho: 1 })
 */
export const adversarialMarginCompSum = defineLoss({
  name: 'adversarialMarginCompSum',
  source: 'Mao, Mohri, Zhong 2023, the adversarial comp-sum rho-margin loss, as recalled',
  parameters: { tau: { default: 1, min: 0 }, rho: { default: 1, min: 1e-6 } },
  wgsl: adversarialMarginCompSumWgsl,
  definition: (logits, labels, { tau, rho }) => {
    const isLabel = oneHot(labels, logits.shape[1] ?? 0, { dtype: 'bool' });
    const margins = subtract(expandDims(takeByLabel(logits, labels), -1), logits);
    const short = subtract(1, divide(margins, rho));
    // A clamp would hand the slope on at its bounds, which the kernel counts as flat.
    const ramps = where(lessEqual(short, 0), 0, where(greaterEqual(short, 1), 1, short));
    return compSumOf(log1p(sum(where(isLabel, 0, ramps), { axes: -1 })), tau);
  },
});
