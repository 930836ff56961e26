import { formatShape, ShapeError, ValueError } from '../errors.js';
import type { Shape } from '../graph/shape.js';

/** One number for both directions, or `[down, across]`. */
export type Pair = number | readonly [down: number, across: number];

/** Checks one or two integers, and makes them two. */
export function pairOf(op: string, name: string, given: Pair, least: number): readonly [number, number] {
  const pair = typeof given === 'number' ? ([given, given] as const) : given;
  if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((one) => Number.isInteger(one) && one >= least)) {
    const text = Array.isArray(given) ? formatShape(given) : String(given);
    throw new ValueError(
      op,
      `${name} is ${text}; it must be an integer of at least ${least}, or two of them: [down, across].`,
    );
  }
  return [pair[0] as number, pair[1] as number];
}

/** How many places a window has along an axis: `reach` is the distance of its last tap from its first. */
export function windowAlong(
  op: string,
  shape: Shape,
  axis: number,
  { reach, stride, padding }: { readonly reach: number; readonly stride: number; readonly padding: number },
): number {
  const padded = (shape[axis] ?? 0) + 2 * padding;
  if (padded > reach) return Math.floor((padded - reach - 1) / stride) + 1;
  throw new ShapeError(
    op,
    `the window reaches over ${reach + 1} pixels of axis ${axis}, but ${formatShape(shape)} has ${padded} there, padding included.`,
    { mend: 'pad more, or let the window reach less far.' },
  );
}
