import type { Tensor } from '../../graph/tensor.js';
import { subtract } from '../../ops/arithmetic.js';
import { reshapeExactly } from '../../ops/broadcast.js';
import { equal, greater } from '../../ops/comparison.js';
import { full, zeros } from '../../ops/create.js';
import { and, or, where } from '../../ops/logical.js';
import type { Victim } from './attack.js';
import { type RowObjective, rightRows } from './objective.js';
import { project, type Threat } from './threat.js';

/** What an attack holds of each row. */
export interface Found {
  /** `[n, ...item]` */
  readonly inputs: Tensor;
  /** The objective there, `[n]`. */
  readonly objective: Tensor;
  /** 1 where the model is wrong there, else 0, `[n]`. */
  readonly wrong: Tensor;
}

/** The inputs as they were, inside the bounds, worse than anything an attack finds. */
export function nothingFound({ center }: Victim, threat: Threat): Found {
  const rows = center.shape.slice(0, 1);
  return {
    inputs: project(center, center, threat),
    objective: full(rows, Number.NEGATIVE_INFINITY),
    wrong: zeros(rows),
  };
}

export function foundAt(victim: Victim, inputs: Tensor, objective: RowObjective): Found {
  const logits = victim.logits(inputs);
  return {
    inputs,
    objective: objective(logits, victim.target),
    wrong: subtract(1, rightRows(logits, victim.target)),
  };
}

/** Row by row the stronger one: a misclassification before none, then the larger objective; a tie or a NaN keeps `a`. */
export function stronger(a: Found, b: Found): Found {
  const larger = and(equal(b.wrong, a.wrong), greater(b.objective, a.objective));
  const takesB = or(greater(b.wrong, a.wrong), larger);
  return {
    inputs: where(perExample(takesB, a.inputs), b.inputs, a.inputs),
    objective: where(takesB, b.objective, a.objective),
    wrong: where(takesB, b.wrong, a.wrong),
  };
}

/** `[n]` as `[n, 1, …]`, to broadcast against the inputs. */
export function perExample(rows: Tensor, inputs: Tensor): Tensor {
  return reshapeExactly(
    rows,
    inputs.shape.map((length, axis) => (axis === 0 ? length : 1)),
  );
}
