import { GradientError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import { abs, multiply, subtract } from '../ops/arithmetic.js';
import { equal, less } from '../ops/comparison.js';
import { and, not, where } from '../ops/logical.js';
import { sum } from '../ops/reduce.js';
import { logsumexp } from '../ops/softmax.js';
import { softRowHostVariants } from './rowHost.js';
import { type RowLoss, type RowLossParts, rowLossOps } from './rowLoss.js';

/** The loss as a function of c = -log p of the label, elementwise, in public ops. */
export type Curve = (crossEntropy: Tensor, parameters: Readonly<Record<string, Tensor>>) => Tensor;

/** How far from one a row of targets may sum: what f16 makes of a hundred of them, and far below any mistake. */
const TOLERANCE = 1e-3;

/** Rows with soft targets: inputs are logits, targets `[rows, classes]`, classWeights `[classes]`, parameters. */
export function softRows(parts: RowLossParts, curve: Curve | undefined): RowLoss {
  const { name, parameters } = parts;
  return rowLossOps(parts, {
    name: '.soft',
    operands: ['targets', 'classWeights'],
    variants: softRowHostVariants,
    extents: (operand, rows, classes) => (operand === 'targets' ? [rows, classes] : [classes]),
    uniforms: ({ targets }) => ({ tolerance: targets === 'error' || targets === 'normalise' ? TOLERANCE : 3e38 }),
    replace: {},
    defined: (inputs, _, what) => {
      if (curve === undefined) {
        throw new GradientError(`losses.${name}`, `${what} needs its curve in public ops, and it has none.`, {
          mend: 'give defineLoss a curve: (crossEntropy, parameters) => values.',
        });
      }
      const [logits, targets, classWeights, ...given] = inputs as [Tensor, Tensor, Tensor, ...Tensor[]];
      const named = Object.fromEntries(parameters.map((parameter, i) => [parameter, given[i] as Tensor]));
      const shares = multiply(targets, classWeights);
      const row = { axes: -1, keepDims: true };
      // Zeros for the logits of a row without targets (an ignored one, say) that are NaN: they reach no derivative.
      const isEmpty = equal(sum(abs(targets), row), 0);
      const z = where(and(isEmpty, not(less(abs(logsumexp(logits, row)), Number.POSITIVE_INFINITY))), 0, logits);
      // A masked class that is no target costs nothing, though its own loss is infinite.
      const masked = and(equal(shares, 0), equal(z, Number.NEGATIVE_INFINITY));
      const c = where(masked, 0, subtract(logsumexp(z, row), z));
      return sum(multiply(shares, curve(c, named)), { axes: -1 });
    },
  });
}
