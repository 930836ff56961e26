import type { Generator } from '../ops/random.js';
import type { Attack } from './attacks/attack.js';
import { pgdAs } from './attacks/pgd.js';
import { randomSearch } from './attacks/randomSearch.js';
import { checkOptionNames, THREAT_OPTIONS, type ThreatOptions } from './attacks/threat.js';

export interface EnsembleOptions extends ThreatOptions {
  /** Where the draws come from. Default: the default generator (`random.seed`). */
  readonly generator?: Generator;
}

/** Iterations of each gradient attack; the usual count of reports. */
const STEPS = 40;
const RESTARTS = 3;

/**
 * Four attacks of different kinds, to report with: PGD-40 with 3 starts on cross-entropy, on the logit margin, and on the
 * probability margin with halving steps; and a search without gradients. It has no parameter but the threat. It is not
 * AutoAttack: its figures do not compare with those of AutoAttack, which may be lower.
 *
 * @throws ValueError for an option that is unknown or out of range.
 * @example await robust.evaluate(model, digits, { attacks: robust.ensemble({ epsilon: 8 / 255 }) });
 */
export function ensemble(options: EnsembleOptions): Readonly<Record<EnsembleName, Attack>> {
  const op = 'robust.ensemble';
  checkOptionNames(op, options, [...THREAT_OPTIONS, 'generator']);
  const shared = { ...options, steps: STEPS, restarts: RESTARTS, earlyStop: true };
  return {
    pgdCrossEntropy: pgdAs(op, shared),
    pgdLogitMargin: pgdAs(op, { ...shared, objective: 'logitMargin' }),
    pgdProbabilityMargin: pgdAs(op, {
      ...shared,
      objective: 'probabilityMargin',
      schedule: 'halving',
      stepSize: options.epsilon / 4,
    }),
    randomSearch: randomSearch(options),
  };
}

type EnsembleName = 'pgdCrossEntropy' | 'pgdLogitMargin' | 'pgdProbabilityMargin' | 'randomSearch';
