import { at, type Value } from './value.js';

export interface Disagreement {
  /** The first element beyond its bound, in words; undefined when there is none. */
  readonly complaint: string | undefined;
  /** Elements without a bound: a comparison of near equals decides them. */
  readonly open: number;
}

/** Compares each element with the reference's own bound. NaN must meet NaN and an infinity the same infinity. */
export function disagreement(got: ArrayLike<number>, reference: Value, what: string): Disagreement {
  if (got.length !== reference.data.length) {
    return { complaint: `${what} has ${got.length} elements, the reference ${reference.data.length}`, open: 0 };
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
    const complaint =
      `${what}[${index}] is ${value}, reference ${wanted}, off by ${short(Math.abs(value - wanted))} ` +
      `(allowed ${short(allowed)}: ${Number.isFinite(steps) ? short(steps) : 'many'} roundings of 6.0e-8)`;
    return { complaint, open };
  }
  return { complaint: undefined, open };
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
