import type { Dataset } from '../data/fields.js';
import { ValueError } from '../errors.js';
import { attackedRows, type RowOptions } from './attackedRows.js';
import type { Attack, Classifier } from './attacks/attack.js';

export interface RobustEvaluateOptions extends RowOptions {
  /** By name: `robust.ensemble({ epsilon })`, say. */
  readonly attacks: Readonly<Record<string, Attack>>;
}

export interface RobustEvaluation {
  readonly examples: number;
  /** Part of the examples that the model gets right. */
  readonly clean: number;
  /** Of each attack by its name. */
  readonly attacks: Readonly<Record<string, AttackResult>>;
  /** Part of the examples that the model gets right whatever any of the attacks does: an upper bound of the true one. */
  readonly robust: number;
}

export interface AttackResult {
  /** Part of the examples that the model gets right, clean and attacked. */
  readonly accuracy: number;
  /** The farthest that an example was moved, in the attack's norm. */
  readonly distance: number;
}

/**
 * The accuracy of a classifier under attacks, in evaluation mode. An example counts as robust under the ensemble only if
 * every attack fails on it. A stronger attack may always exist: `robust.sanityChecks` looks for signs of it.
 *
 * @param model `[batch, ...]` to logits `[batch, classes]`.
 * @param dataset its first field is the model's input, the second the labels.
 * @throws ValueError when there are no attacks; (the evaluation rejects) for a label that is no class, with its row.
 * @example const { clean, robust: left } = await robust.evaluate(model, digits, { attacks: robust.ensemble({ epsilon: 0.1 }) });
 */
export async function evaluate<Fields extends Dataset<Fields>>(
  model: Classifier,
  dataset: Fields,
  { attacks, ...options }: RobustEvaluateOptions,
): Promise<RobustEvaluation> {
  const op = 'robust.evaluate';
  const named = Object.entries(attacks ?? {});
  if (named.length === 0) {
    throw new ValueError(op, 'there are no attacks.', {
      mend: 'give { attacks: robust.ensemble({ epsilon: 8 / 255 }) }.',
    });
  }
  const trials = [{ attack: undefined }, ...named.map(([, attack]) => ({ attack }))];
  const [clean, ...rows] = await attackedRows(op, model, dataset, trials, options);
  const stood = Array.from(clean?.right ?? [], (right) => right === 1);
  const standing = stood.slice();
  const results = rows.map(({ right, distance }): AttackResult => {
    const left = stood.map((was, i) => was && right[i] === 1);
    for (const [i, one] of left.entries()) if (!one) standing[i] = false;
    return { accuracy: shareOf(left), distance: distance.reduce((a, b) => Math.max(a, b), 0) };
  });
  return {
    examples: stood.length,
    clean: shareOf(stood),
    attacks: Object.fromEntries(named.map(([name], k) => [name, results[k] as AttackResult])),
    robust: shareOf(standing),
  };
}

function shareOf(rows: readonly boolean[]): number {
  return rows.filter((row) => row).length / rows.length;
}
