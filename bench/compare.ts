import type { Case, EngineName, Expected, Results } from './case.js';

/** @returns the sentences that say where a result is out of tolerance; none when all is well. */
export function disagreements(one: Case, results: Results, reference: Readonly<Record<string, Expected>>): string[] {
  return Object.entries(reference).flatMap(([name, expected]) =>
    judge(one, name, results[name], 'the float64 reference', expected, 1),
  );
}

/** The same between two engines, with room for the roundings of both. */
export function disagreementsBetween(
  one: Case,
  results: Results,
  [other, others]: readonly [EngineName, Results],
): string[] {
  return Object.entries(others).flatMap(([name, values]) => judge(one, name, results[name], other, { values }, 2));
}

function judge(
  one: Case,
  name: string,
  values: ArrayLike<number> | undefined,
  from: string,
  { values: expected, at }: Expected,
  allowance: number,
): string[] {
  if (values === undefined) return [`${name} is missing.`];
  if (at === undefined && values.length !== expected.length) {
    return [`${name} has ${values.length} elements, ${from} ${expected.length}.`];
  }
  let largest = -1;
  let worst = 0;
  let squares = 0;
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs((values[at?.[i] ?? i] ?? Number.NaN) - (expected[i] ?? Number.NaN));
    squares += off * off;
    if (!(off <= largest)) {
      largest = off;
      worst = i;
      if (Number.isNaN(off)) break;
    }
  }
  const rootMeanSquare = Math.sqrt(squares / Math.max(expected.length, 1));
  const tolerance = one.tolerance(name);
  const allowed = allowance * tolerance.largest;
  if (!(largest <= allowed)) {
    const index = at?.[worst] ?? worst;
    return [
      `${name}[${index}] is ${values[index]}, ${from} has ${expected[worst]}: off by ${largest.toExponential(1)} ` +
        `(allowed ${allowed.toExponential(1)}: ${tolerance.why}).`,
    ];
  }
  const allowedMean = allowance * (tolerance.rootMeanSquare ?? Number.POSITIVE_INFINITY);
  if (rootMeanSquare <= allowedMean) return [];
  return [
    `${name} is off ${from} by ${rootMeanSquare.toExponential(1)} in the root of the mean square ` +
      `(allowed ${allowedMean.toExponential(1)}: ${tolerance.why}).`,
  ];
}
