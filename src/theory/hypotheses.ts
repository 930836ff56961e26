import { suggest, ValueError } from '../errors.js';
import { checkModel, type KnownDistribution, type Model } from './distribution.js';
import type { Rows } from './rows.js';

/**
 * The functions that a learner may choose from:
 * - 'measurable': all of them;
 * - `{ finite }`: just these, each by its scores at every input, `[inputs, classes]`;
 * - `{ complete }`: a set that can reach any scores at any one input (though not at all of them together), known by
 *   a sample: some members' scores. A network with a bias in its last layer is complete.
 */
export type Hypotheses = 'measurable' | { readonly finite: readonly Rows[] } | CompleteHypotheses;

/** A complete set, known by some of its members. */
export interface CompleteHypotheses {
  readonly complete: readonly Rows[];
}

/** Hypotheses that have been checked. */
export interface KnownHypotheses {
  readonly set: 'measurable' | 'finite' | 'complete';
  readonly models: readonly Model[];
}

export function checkHypotheses(
  op: string,
  hypotheses: Hypotheses,
  distribution: KnownDistribution,
  sets: readonly string[] = ['measurable', 'finite', 'complete'],
): KnownHypotheses {
  if (hypotheses === 'measurable') return { set: 'measurable', models: [] };
  const [set = '', ...others] = typeof hypotheses === 'object' ? Object.keys(hypotheses) : [String(hypotheses)];
  if (!sets.includes(set) || set === 'measurable' || others.length > 0) {
    throw new ValueError(op, `unknown hypotheses '${[set, ...others].join(', ')}'. ${suggest(set, sets)}`);
  }
  const members = 'finite' in hypotheses ? hypotheses.finite : hypotheses.complete;
  if (members.length === 0) throw new ValueError(op, `hypotheses.${set} is empty; it must hold one model at least.`);
  const models = members.map((scores, i) => checkModel(op, `hypotheses.${set}[${i}]`, scores, distribution));
  return { set: set as 'finite' | 'complete', models };
}
