import { type Dataset, resolveFields } from '../data/fields.js';
import { ValueError } from '../errors.js';
import { type AttackedRows, attackedRows, type RowOptions, type Trial } from './attackedRows.js';
import type { Attack, Classifier } from './attacks/attack.js';
import { noise } from './attacks/noise.js';
import type { Threat } from './attacks/threat.js';

export interface SanityOptions extends RowOptions {
  readonly attack: Attack;
  /** Another model for the same task, for the transfer check. */
  readonly transferModel?: Classifier;
  /** A radius at which no model can be right. Default: what the bounds let an attack reach; without bounds 100 epsilon. */
  readonly radius?: number;
}

export interface SanityCheck {
  readonly check: 'ball' | 'steps' | 'radius' | 'noise' | 'transfer';
  readonly passed: boolean;
  /** What was found, a sentence. */
  readonly detail: string;
  readonly figures: Readonly<Record<string, number>>;
}

/** Standard errors up to which a difference counts as chance: beyond lies one case in 700. */
const SIGMAS = 3;

/**
 * Signs of an attack that does not work, or of gradients that mislead it (Athalye, Carlini and Wagner 2018; Carlini et
 * al. 2019). A check that fails says that a robust accuracy by this attack is not to be believed; all passed prove
 * nothing. Strength is measured by the logit margin, which does not saturate, in differences of the same rows.
 *
 * - ball: the attacked inputs are inside the ball;
 * - steps: with four times the steps the mean margin is not smaller by more than chance;
 * - radius: where everything is allowed the accuracy is 0;
 * - noise: random points of the ball are weaker by more than chance;
 * - transfer: the attack of another model is not stronger by more than chance.
 *
 * @param dataset its first field is the model's input, the second the labels.
 * @returns one entry for each check; that of transfer if a model for it was given.
 * @throws ValueError without an attack; (rejects) for a label that is no class, with its row.
 * @example for (const { check, passed, detail } of await robust.sanityChecks(model, digits, { attack })) …
 */
export async function sanityChecks<Fields extends Dataset<Fields>>(
  model: Classifier,
  dataset: Fields,
  { attack, transferModel, radius, ...options }: SanityOptions,
): Promise<readonly SanityCheck[]> {
  const op = 'robust.sanityChecks';
  if (typeof attack !== 'function') throw new ValueError(op, 'there is no attack.', { mend: 'give { attack }.' });
  const { threat, steps } = attack;
  const wide = radius ?? widest(threat, resolveFields(op, dataset).fields[0]?.itemSize ?? 1);
  const trials: Trial[] = [
    { attack },
    { attack: attack.vary({ steps: 4 * steps }) },
    { attack: attack.vary({ epsilon: wide }) },
    { attack: noise(threat) },
    ...(transferModel === undefined ? [] : [{ attack, against: transferModel }]),
  ];
  const rows = await attackedRows(op, model, dataset, trials, options);
  const [direct, longer, wider, noisy] = rows as [AttackedRows, AttackedRows, AttackedRows, AttackedRows];
  const transferred = rows[4];
  return [
    ballCheck(direct, threat),
    stepsCheck(direct, longer, steps),
    radiusCheck(wider, wide),
    noiseCheck(direct, noisy),
    ...(transferred === undefined ? [] : [transferCheck(direct, transferred)]),
  ];
}

function widest({ norm, epsilon, bounds }: Threat, itemSize: number): number {
  if (bounds === null) return 100 * epsilon;
  return (bounds[1] - bounds[0]) * (norm === 'linf' ? 1 : Math.sqrt(itemSize));
}

function ballCheck({ distance }: AttackedRows, { epsilon, norm }: Threat): SanityCheck {
  const largest = distance.reduce((a, b) => Math.max(a, b), 0);
  // Inputs of order 1 are rounded by 6e-8, and so are lengths.
  const passed = largest <= epsilon * (1 + 1e-5) + 1e-6;
  const detail = `The farthest example moved by ${short(largest)} in ${norm}; ${short(epsilon)} is allowed.`;
  return { check: 'ball', passed, detail, figures: { largest, epsilon } };
}

function stepsCheck(direct: AttackedRows, longer: AttackedRows, steps: number): SanityCheck {
  const { mean, error } = paired(longer.margin, direct.margin);
  return {
    check: 'steps',
    passed: mean >= -SIGMAS * error,
    detail: `${4 * steps} steps change the mean margin of ${steps} by ${short(mean)} ± ${short(error)}.`,
    figures: { difference: mean, standardError: error, steps, moreSteps: 4 * steps },
  };
}

function radiusCheck({ right }: AttackedRows, radius: number): SanityCheck {
  const accuracy = meanOf(right);
  const detail = `At radius ${short(radius)} the accuracy is ${percent(accuracy)}; an attack that works reaches 0 %.`;
  return { check: 'radius', passed: accuracy === 0, detail, figures: { accuracy, radius } };
}

function noiseCheck(direct: AttackedRows, noisy: AttackedRows): SanityCheck {
  const { mean, error } = paired(direct.margin, noisy.margin);
  const [accuracy, noiseAccuracy] = [meanOf(direct.right), meanOf(noisy.right)];
  return {
    check: 'noise',
    passed: mean > SIGMAS * error && accuracy <= noiseAccuracy,
    detail: `The attack's mean margin is above that of noise by ${short(mean)} ± ${short(error)}; the accuracies are ${percent(accuracy)} and ${percent(noiseAccuracy)}.`,
    figures: { difference: mean, standardError: error, accuracy, noiseAccuracy },
  };
}

function transferCheck(direct: AttackedRows, transferred: AttackedRows): SanityCheck {
  const rows = Array.from(direct.right, (right, i) => right - (transferred.right[i] ?? 0));
  const byTransfer = rows.filter((row) => row > 0).length;
  const byDirect = rows.filter((row) => row < 0).length;
  // Were both equally strong, each of these rows would fall to either side as a coin does.
  const chance = Math.sqrt(byTransfer + byDirect);
  return {
    check: 'transfer',
    passed: byTransfer - byDirect <= SIGMAS * chance,
    detail: `${byTransfer} examples fall to the other model's attack alone, ${byDirect} to the direct one alone.`,
    figures: { byTransfer, byDirect, chance },
  };
}

/** The mean of `a - b`, and its standard error; one row alone says nothing of chance. */
function paired(a: Float32Array, b: Float32Array): { mean: number; error: number } {
  const differences = Array.from(a, (value, i) => value - (b[i] ?? Number.NaN));
  const mean = meanOf(differences);
  const variance = meanOf(differences.map((value) => (value - mean) ** 2));
  const { length } = differences;
  return { mean, error: length > 1 ? Math.sqrt(variance / (length - 1)) : Number.POSITIVE_INFINITY };
}

function meanOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((a, b) => a + b, 0) / values.length;
}

function short(value: number): string {
  return String(+value.toPrecision(3));
}

function percent(share: number): string {
  return `${+(100 * share).toFixed(1)} %`;
}
