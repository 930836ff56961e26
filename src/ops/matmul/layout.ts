import { collapse, type View } from '../../graph/view.js';

/** How one operand lies: strides in elements, batch axes merged into one. */
export interface MatrixLayout {
  readonly offset: number;
  readonly row: number;
  readonly column: number;
  readonly batch: number;
}

/** A matrix whose batch axes merge into one axis of constant stride, or undefined. */
export function matrixLayoutOf({ shape, strides, offset }: View): MatrixLayout | undefined {
  const batches = collapse({ shape: shape.slice(0, -2), strides: strides.slice(0, -2), offset: 0 });
  if (batches.shape.length > 1) return undefined;
  const [row = 0, column = 0] = strides.slice(-2);
  const layout = { offset, row, column, batch: batches.strides[0] ?? 0 };
  return Object.values(layout).every((stride) => stride >= 0) ? layout : undefined;
}

/** One of the last two strides must be 1: the kernels walk along it. */
export function acceptsMatrix(view: View): boolean {
  const [row = 0, column = 0] = view.strides.slice(-2);
  const [rows = 1, columns = 1] = view.shape.slice(-2);
  const walks = row === 1 || column === 1 || rows === 1 || columns === 1;
  return walks && matrixLayoutOf(view) !== undefined;
}
