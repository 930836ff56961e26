import type { LossOptions } from '../../custom/lossArguments.js';
import { formatShape, ShapeError, ValueError } from '../../errors.js';
import { sameShape } from '../../graph/shape.js';
import { Tensor } from '../../graph/tensor.js';
import { crossEntropy } from '../../losses/crossEntropy.js';
import { subtract } from '../../ops/arithmetic.js';
import { toF32, toI32 } from '../../ops/casts.js';
import { notEqual } from '../../ops/comparison.js';
import { oneHot } from '../../ops/create.js';
import { takeByLabel } from '../../ops/gather.js';
import { isNaN as areNaN, not, or, where } from '../../ops/logical.js';
import { argmax, max } from '../../ops/reduce.js';
import { softmax } from '../../ops/softmax.js';
import { checkName } from './threat.js';

/** What an attack makes large, for each row: logits `[n, classes]` and the target to values `[n]`. */
export type RowObjective = (logits: Tensor, target: Tensor) => Tensor;

/**
 * - 'crossEntropy' (default);
 * - 'logitMargin': the largest other logit less the label's. It does not fade where probabilities saturate (Carlini and
 *   Wagner 2017);
 * - 'probabilityMargin': the same of probabilities;
 * - any function of rows, or a loss of `defineLoss`, at its defaults.
 */
export type Objective = 'crossEntropy' | 'logitMargin' | 'probabilityMargin' | RowObjective;

const NAMED = {
  crossEntropy: (logits: Tensor, target: Tensor) =>
    crossEntropy(logits, target, { reduction: 'none', targets: 'accept' }),
  logitMargin,
  probabilityMargin: (logits: Tensor, target: Tensor) => logitMargin(softmax(logits), target),
} satisfies Record<string, RowObjective>;

/** @returns the objective as a function of rows, its result checked. */
export function objectiveOf(op: string, objective: Objective): RowObjective {
  const rows = rowsOf(op, objective);
  return (logits, target) => {
    const values = rows(logits, target);
    const wanted = logits.shape.slice(0, 1);
    if (!(values instanceof Tensor)) throw new ValueError(op, 'the objective returned no Tensor.');
    if (sameShape(values.shape, wanted)) return values;
    throw new ShapeError(op, `the objective is ${formatShape(values.shape)}; it must be ${formatShape(wanted)}.`, {
      mend: "give the value of each row: { reduction: 'none' }.",
    });
  };
}

function rowsOf(op: string, objective: Objective): RowObjective {
  if (typeof objective === 'string') {
    checkName(op, 'objective', objective, Object.keys(NAMED));
    return NAMED[objective];
  }
  if (typeof objective !== 'function') {
    throw new ValueError(op, `the objective is ${String(objective)}, not a function.`, {
      mend: `name one (${Object.keys(NAMED).join(', ')}), or give (logits, target) => rows.`,
    });
  }
  const loss: (logits: Tensor, target: Tensor, options: LossOptions) => Tensor = objective;
  return 'declaration' in objective ? (logits, target) => loss(logits, target, { reduction: 'none' }) : objective;
}

/** The largest other class less the label's: above 0 where the row is misclassified. */
export function logitMargin(scores: Tensor, target: Tensor): Tensor {
  const labels = labelsOf(target);
  const isLabel = oneHot(labels, scores.shape[1] ?? 0, { dtype: 'bool' });
  const others = max(where(isLabel, Number.NEGATIVE_INFINITY, scores), { axes: -1 });
  return subtract(others, takeByLabel(scores, labels));
}

/** A label for each row; of soft targets the likeliest class. */
export function labelsOf(target: Tensor): Tensor {
  return target.rank === 2 ? argmax(target, -1) : toI32(target);
}

/** 1 for each row that the model gets right, else 0, `[n]`; a row with a NaN in its logits is wrong. */
export function rightRows(logits: Tensor, target: Tensor): Tensor {
  const wrong = or(notEqual(argmax(logits, -1), labelsOf(target)), areNaN(max(logits, { axes: -1 })));
  return toF32(not(wrong));
}
