import type { MatrixLayout } from './layout.js';

/** What an operand's elements are in its buffer. */
export type Element = 'f32' | 'f16';

/** Of a product whose operands nothing but f32 can be. */
export const FLOATS = { aElement: 'f32', bElement: 'f32' } as const;

export interface MatmulShape {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly batches: number;
  /** Whether a walks along its rows (stride 1), and b along inner. */
  readonly aTransposed: boolean;
  readonly bTransposed: boolean;
  /** Whether inner, and what each operand walks along, go by fours: see quadPacked.wgsl. */
  readonly byFours: boolean;
  readonly aElement: Element;
  readonly bElement: Element;
}

export type Extents = Pick<MatmulShape, 'rows' | 'columns' | 'inner' | 'batches'>;

/** What kernels and tiles are chosen by. */
export function matmulShape(
  extents: Extents,
  left: MatrixLayout,
  right: MatrixLayout,
  { aElement, bElement }: Pick<MatmulShape, 'aElement' | 'bElement'>,
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

/** The declarations of `scalars.wgsl` for what the operands lie in memory as. */
export function elementAliases({ aElement, bElement }: MatmulShape): Readonly<Record<string, string>> {
  return {
    LeftElement: `alias LeftElement = ${aElement};`,
    RightElement: `alias RightElement = ${bElement};`,
  };
}
