import blockedWgsl from '../../../shaders/matmul/blocked.wgsl';
import quadWgsl from '../../../shaders/matmul/quad.wgsl';
import quadHeldWgsl from '../../../shaders/matmul/quadHeld.wgsl';
import quadPackedWgsl from '../../../shaders/matmul/quadPacked.wgsl';
import registerWgsl from '../../../shaders/matmul/register.wgsl';
import subgroupMatrixWgsl from '../../../shaders/matmul/subgroupMatrix.wgsl';
import vectorWgsl from '../../../shaders/matmul/vector.wgsl';
import { type Lowering, lowering } from '../../graph/lowering.js';
import { foldGrid, MAXIMUM_WORKGROUPS } from '../../kernels/workgroups.js';
import type { MatrixLayout } from './layout.js';
import type { Extents } from './shape.js';
import type { MatmulVariant } from './variants.js';

/** The files of the variants' kernels. */
export const PRODUCT_KERNELS = {
  register: registerWgsl,
  blocked: blockedWgsl,
  vector: vectorWgsl,
  subgroupMatrix: subgroupMatrixWgsl,
  quad: quadWgsl,
  quadHeld: quadHeldWgsl,
  quadPacked: quadPackedWgsl,
} as const;

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
