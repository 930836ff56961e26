import { expect } from 'vitest';
import { disagreement } from '../reference/disagreement.js';
import type { Value } from '../reference/value.js';

export interface Comparison {
  /** What is compared: `value`, `gradient 1`. */
  readonly what: string;
  /** Op, shapes, seed: all that reproduces the case. */
  readonly label: string;
  /** The share of elements whose bound is infinite (a comparison of near equals decides them). Default 0. */
  readonly undecided?: number;
}

/**
 * Fails unless each element is within the reference's own bound, which follows the roundings through the
 * graph. NaN must meet NaN and an infinity the same infinity.
 */
export function expectClose(
  got: ArrayLike<number>,
  reference: Value,
  { what, label, undecided = 0 }: Comparison,
): void {
  const { complaint, open } = disagreement(got, reference, what);
  if (complaint !== undefined) expect.fail(`${label}:\n${complaint}`);
  const share = got.length === 0 ? 0 : open / got.length;
  if (share > undecided) {
    expect.fail(`${label}:\n${what}: no bound for ${open} of ${got.length} elements: the case tests too little`);
  }
}
