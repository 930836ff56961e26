import { formatShape, ShapeError, ValueError } from '../errors.js';
import type { HostArray } from '../graph/hostArray.js';
import { sizeOf } from '../graph/shape.js';

/** A table of numbers: an array of rows, or row-major `{ data, shape: [rows, columns] }`, as a tensor's data comes. */
export type Rows = readonly ArrayLike<number>[] | HostArray;

/** How far a sum of probabilities may be from 1: room for probabilities computed in f32. */
const SUM_TOLERANCE = 1e-6;

/** The rows, all of one length. */
export function rowsOf(op: string, name: string, table: Rows): readonly ArrayLike<number>[] {
  const rows = 'shape' in table ? viewsOf(op, name, table) : table;
  const columns = rows[0]?.length ?? 0;
  rows.forEach((row, i) => {
    if (row.length !== columns) {
      throw new ShapeError(
        op,
        `${name}[${i}] has ${row.length} classes, ${name}[0] has ${columns}; rows must be equally long.`,
      );
    }
  });
  return rows;
}

function viewsOf(op: string, name: string, { data, shape }: HostArray): ArrayLike<number>[] {
  const [rows = 0, columns = 0] = shape;
  if (shape.length !== 2 || sizeOf(shape) !== data.length) {
    throw new ShapeError(
      op,
      `${name} are ${formatShape(shape)} with ${data.length} numbers; they must be [inputs, classes], full.`,
    );
  }
  return Array.from({ length: rows }, (_, i) => data.subarray(i * columns, (i + 1) * columns));
}

/** Numbers in [0, 1] whose sum is 1 up to rounding. They are used as they are, not normalised. */
export function checkProbabilities(op: string, name: string, probabilities: ArrayLike<number>): void {
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i] as number;
    if (!(p >= 0 && p <= 1)) throw new ValueError(op, `${name}[${i}] is ${p}; it must be in [0, 1].`);
    sum += p;
  }
  if (Math.abs(sum - 1) > SUM_TOLERANCE) {
    throw new ValueError(op, `${name} sum to ${sum}; they must sum to 1, within ${SUM_TOLERANCE}.`, {
      mend: 'divide them by their sum.',
    });
  }
}

/** Finite numbers or -Infinity (a class masked out), one of them finite, one for each class. */
export function checkScores(op: string, name: string, scores: ArrayLike<number>, classes: number): void {
  if (scores.length !== classes) {
    throw new ShapeError(op, `${name} are for ${scores.length} classes, probabilities for ${classes}.`);
  }
  let possible = false;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number;
    if (!(score < Number.POSITIVE_INFINITY)) {
      throw new ValueError(op, `${name}[${i}] is ${score}; it must be a finite number or -Infinity.`);
    }
    possible ||= score !== Number.NEGATIVE_INFINITY;
  }
  if (!possible) throw new ValueError(op, `${name} are all -Infinity; one class at least must be possible.`);
}
