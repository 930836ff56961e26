import { type Loss, type Scores, specialCase } from '../custom/defineLoss.js';
import { checkLogits, type LossOptions, parameterOf } from '../custom/lossArguments.js';
import { formatShape, ShapeError, ValueError } from '../errors.js';
import { sameShape, sizeOf } from '../graph/shape.js';
import type { TensorData } from '../graph/source.js';
import type { Tensor, TensorLike } from '../graph/tensor.js';
import { add, multiply, subtract } from '../ops/arithmetic.js';
import { reshapeExactly } from '../ops/broadcast.js';
import { compSum } from './compSum.js';
import { marginShift } from './marginShift.js';

const NAME = 'smoothAdversarialCompSum';
const OP = `losses.${NAME}`;
const SOURCE = 'Mao, Mohri, Zhong 2023, the smooth adversarial comp-sum loss, as recalled';

export interface SmoothAdversarialCompSumOptions
  extends Pick<LossOptions, 'reduction' | 'sampleWeights' | 'classWeights' | 'ignoreIndex' | 'check'> {
  /** The comp-sum loss of the clean logits. Default 1: cross-entropy. */
  readonly tau?: TensorLike;
  /** The margin's scale: clean logits are divided by it. Default 1; at least 1e-6. */
  readonly rho?: TensorLike;
  /** The weight of the second term. Default 1. The bound asks for at least `sqrt(classes - 1) / rho`; in practice tuned. */
  readonly nu?: TensorLike;
  /** Rounds off the cusp of the second term where nothing moved. Default 1e-6. */
  readonly epsilon?: TensorLike;
}

/** The clean part under the name of the whole, for its complaints. */
const clean: Loss<{ tau: { default: number; min: number } }> = specialCase(
  compSum,
  { name: NAME, source: SOURCE, parameters: { tau: { default: 1, min: 0 } } },
  ({ tau }) => ({ tau }),
);

/**
 * Smooth adversarial comp-sum: `Phi_tau(sum over j != y of exp(-(z_y - z_j) / rho)) + nu sqrt(sum over j of a_j^2 +
 * epsilon^2)`, where `a_j = D_y - D_j` and `D = z' - z`: the clean loss, and how far the attack moved the margins.
 * Gradients go to both rows of logits. Two kernels, each of which gives value and gradient.
 *
 * @param logits z, at the clean inputs, `[...batch, classes]`, f32.
 * @param adversarialLogits z', at the adversarial inputs, of the same shape.
 * @param target labels `[...batch]` in `[0, classes)`; soft targets are refused.
 * @returns 0-d (mean); `[...batch]` with `reduction: 'none'`.
 * @throws ShapeError if shapes differ; ValueError if tau, nu or epsilon is negative, or rho below 1e-6.
 * @source Mao, Mohri, Zhong 2023, the smooth adversarial comp-sum loss, as recalled.
 * @example losses.smoothAdversarialCompSum(model(images), model(attacked), labels, { rho: 1, nu: 1 })
 */
export function smoothAdversarialCompSum(
  logits: Tensor,
  adversarialLogits: Tensor,
  target: TensorLike | TensorData,
  { rho, nu, epsilon, ...options }: SmoothAdversarialCompSumOptions = {},
): Tensor {
  checkLogits(OP, logits);
  checkLogits(OP, adversarialLogits);
  const { shape } = logits;
  if (!sameShape(shape, adversarialLogits.shape)) {
    throw new ShapeError(
      OP,
      `logits are ${formatShape(shape)}, adversarialLogits ${formatShape(adversarialLogits.shape)}; they must be equal.`,
      { mend: 'give the logits of the same examples, at their adversarial inputs.' },
    );
  }
  const temperature = parameterOf(OP, 'rho', { default: 1, min: 1e-6 }, rho);
  const weight = parameterOf(OP, 'nu', { default: 1, min: 0 }, nu);
  const rounding = parameterOf(OP, 'epsilon', { default: 1e-6, min: 0 }, epsilon);
  const flat = [sizeOf(shape.slice(0, -1)), shape.at(-1) ?? 0];
  const scores: Scores = {
    shape,
    values: (rows, inputs, attributes, cool) => {
      if (rows !== clean.rows.labels) {
        throw new ValueError(OP, 'the targets are soft; margins need a label for each row.', {
          mend: 'give labels, and leave labelSmoothing out.',
        });
      }
      const [labels] = inputs as [Tensor];
      const z = reshapeExactly(logits, flat);
      const difference = subtract(reshapeExactly(adversarialLogits, flat), z);
      const moved = marginShift.rows.labels.values([difference, labels, rounding], attributes);
      return add(rows.values([cool(z, true), ...inputs], attributes), multiply(weight, moved));
    },
  };
  return clean.over(scores, target, { ...options, temperature });
}
