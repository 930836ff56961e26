import { expect } from 'vitest';
import { at, type Value } from '../reference/value.js';

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
  if (got.length !== reference.data.length) {
    expect.fail(`${label}:\n${what} has ${got.length} elements, the reference ${reference.data.length}`);
  }
  let open = 0;
  for (let i = 0; i < got.length; i++) {
    const value = at(got, i);
    const wanted = at(reference.data, i);
    const allowed = at(reference.error, i);
    if (!Number.isFinite(allowed)) {
      open++;
      continue;
    }
    if (agrees(value, wanted, allowed)) continue;
    const index = indexOf(i, reference.shape).join(', ');
    const steps = allowed / Math.max(Math.abs(wanted) * 2 ** -24, Number.MIN_VALUE);
    expect.fail(
      `${label}:\n${what}[${index}] is ${value}, reference ${wanted}, off by ${short(Math.abs(value - wanted))} ` +
        `(allowed ${short(allowed)}: ${Number.isFinite(steps) ? short(steps) : 'many'} roundings of 6.0e-8)`,
    );
  }
  const share = got.length === 0 ? 0 : open / got.length;
  if (share > undecided) {
    expect.fail(`${label}:\n${what}: no bound for ${open} of ${got.length} elements: the case tests too little`);
  }
}

function agrees(value: number, wanted: number, allowed: number): boolean {
  if (Number.isNaN(wanted)) return Number.isNaN(value);
  if (!Number.isFinite(wanted)) return value === wanted;
  return Math.abs(value - wanted) <= allowed;
}

function indexOf(linear: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let rest = linear;
  for (const length of [...shape].reverse()) {
    index.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return index;
}

function short(value: number): string {
  return value.toExponential(1);
}
