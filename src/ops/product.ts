import blockedWgsl from '../../shaders/matmul/blocked.wgsl';
import quadWgsl from '../../shaders/matmul/quad.wgsl';
import quadHeldWgsl from '../../shaders/matmul/quadHeld.wgsl';
import quadPackedWgsl from '../../shaders/matmul/quadPacked.wgsl';
import registerWgsl from '../../shaders/matmul/register.wgsl';
import { type Lowering, lowering } from '../graph/lowering.js';
import { collapse, type View } from '../graph/view.js';
import { foldGrid, MAXIMUM_WORKGROUPS } from '../kernels/workgroups.js';
import type { MatmulShape, MatmulVariant } from './matmulVariants.js';

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

/** The files of the variants' kernels. */
export const PRODUCT_KERNELS = {
  register: registerWgsl,
  blocked: blockedWgsl,
  quad: quadWgsl,
  quadHeld: quadHeldWgsl,
  quadPacked: quadPackedWgsl,
} as const;

type Extents = Pick<MatmulShape, 'rows' | 'columns' | 'inner' | 'batches'>;

/** What kernels and tiles are chosen by. */
export function matmulShape(
  extents: Extents,
  left: MatrixLayout,
  right: MatrixLayout,
  { aElement, bElement }: Pick<MatmulShape, 'aElement' | 'bElement'> = { aElement: 'f32', bElement: 'f32' },
): MatmulShape {
  const [aTransposed, bTransposed] = [left.row === 1, right.row === 1];
  return { ...extents, aTransposed, bTransposed, byFours: byFours(extents, left, right), aElement, bElement };
}

/** Whether both operands can be read as vectors of four, without one that holds two lines' elements. */
function byFours({ rows, columns, inner }: Extents, left: MatrixLayout, right: MatrixLayout): boolean {
  const walks = ({ offset, row, column, batch }: MatrixLayout, lengths: readonly [number, number]) => {
    const [along, other, length] = row === 1 ? [row, column, lengths[0]] : [column, row, lengths[1]];
    return along === 1 && [offset, other, batch, length].every((count) => count % 4 === 0);
  };
  return inner > 0 && inner % 4 === 0 && walks(left, [rows, inner]) && walks(right, [inner, columns]);
}

interface ProductParts extends Pick<Lowering, 'reads' | 'stores' | 'scratch' | 'replace' | 'extra'> {
  /** Whether the sums of b's columns are wanted too. */
  readonly sums?: boolean;
  /** For a store hook of the caller's. */
  readonly firstRow?: number;
}

/** One product of an op that is made of several: its operands by how they lie, its hooks by the caller. */
export function lowerProduct(
  { rows, columns, inner, batches }: Extents,
  left: MatrixLayout,
  right: MatrixLayout,
  { kernel, variant, overrides, replace: types, workgroups: grid }: MatmulVariant,
  { sums = false, firstRow = 0, replace, ...parts }: ProductParts,
): Lowering {
  const folded = grid.some((length) => length > MAXIMUM_WORKGROUPS);
  const workgroups = folded ? foldGrid(grid[0] * grid[1] * grid[2]) : grid;
  return lowering({
    kernel: PRODUCT_KERNELS[kernel],
    variant,
    ...parts,
    replace: { ...types, ...replace },
    overrides: { ...overrides, COLUMN_SUMS: Number(sums), FOLDED: Number(folded) },
    uniforms: {
      rows,
      columns,
      inner,
      batches,
      aOffset: left.offset,
      aRow: left.row,
      aInner: left.column,
      aBatch: left.batch,
      bOffset: right.offset,
      bInner: right.row,
      bColumn: right.column,
      bBatch: right.batch,
      firstRow,
      gridWidth: workgroups[0],
    },
    workgroups,
    flops: 2 * batches * rows * columns * inner + (sums ? columns * inner : 0),
  });
}
