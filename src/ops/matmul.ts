import blockedWgsl from '../../shaders/matmul/blocked.wgsl';
import quadWgsl from '../../shaders/matmul/quad.wgsl';
import registerWgsl from '../../shaders/matmul/register.wgsl';
import { formatShape, ShapeError } from '../errors.js';
import { type Lowering, type LoweringContext, lowering } from '../graph/lowering.js';
import type { KernelOp, Reader } from '../graph/op.js';
import { broadcastShapes, type Shape, sizeOf } from '../graph/shape.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { collapse, permuteView, sameView, type View } from '../graph/view.js';
import { broadcastTo, reshapeExactly } from './broadcast.js';
import { checkDtype, operands } from './elementwise.js';
import { type MatmulShape, type MatmulVariant, matmulVariants } from './matmulVariants.js';
import { transpose } from './shaping.js';

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

/** A sum over the right operand's rows, as wide as the product: a bias's gradient beside the weight's. */
function bringsSum({ tensor, operands: [, right] }: Reader, other: Reader): boolean {
  const [summed] = other.operands;
  if (other.tensor.op.name !== 'sum' || other.tensor.rank !== 1 || summed === undefined || right === undefined)
    return false;
  const transposed = permuteView(right.view, [1, 0]);
  // A product of no rows has no dispatch.
  return tensor.rank === 2 && tensor.size > 0 && summed.value === right.value && sameView(summed.view, transposed);
}

function lower({ node, nodes, inputs, viewOf, device, choose }: LoweringContext): Lowering {
  const [a, b] = inputs as [Tensor, Tensor];
  const left = matrixLayoutOf(viewOf(a)) as MatrixLayout;
  const right = matrixLayoutOf(viewOf(b)) as MatrixLayout;
  const [rows = 1, columns = 1] = node.shape.slice(-2);
  const batches = sizeOf(node.shape.slice(0, -2));
  const sums = nodes.get('sum');
  const shape = { rows, columns, inner: a.shape.at(-1) ?? 1, batches };
  return lowerProduct(shape, left, right, (question) => choose(matmulVariants(device, question)), {
    reads: { a, b },
    stores: {
      store_result: { tensor: node, extents: [batches, rows, columns] },
      ...(sums === undefined ? {} : { store_sum: { tensor: sums, extents: [columns] } }),
    },
    sums: sums !== undefined,
  });
}

interface ProductParts extends Pick<Lowering, 'reads' | 'stores' | 'scratch' | 'replace' | 'extra'> {
  /** Whether the sums of b's columns are wanted too. */
  readonly sums?: boolean;
  /** For a store hook of the caller's. */
  readonly firstRow?: number;
}

/** One product of an op that is made of several: its operands by how they lie, its hooks by the caller. */
export function lowerProduct(
  shape: Pick<MatmulShape, 'rows' | 'columns' | 'inner' | 'batches'>,
  left: MatrixLayout,
  right: MatrixLayout,
  choose: (shape: MatmulShape) => MatmulVariant,
  { sums = false, firstRow = 0, replace, ...parts }: ProductParts,
): Lowering {
  const { rows, columns, inner, batches } = shape;
  const { kernel, ...choice } = choose({ ...shape, aTransposed: left.row === 1, bTransposed: right.row === 1 });
  return lowering({
    kernel: { register: registerWgsl, blocked: blockedWgsl, quad: quadWgsl }[kernel],
    ...choice,
    ...parts,
    replace: { ...choice.replace, ...replace },
    overrides: { ...choice.overrides, COLUMN_SUMS: Number(sums) },
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
    },
    flops: 2 * batches * rows * columns * inner + (sums ? columns * inner : 0),
  });
}

const matmulOp: KernelOp = {
  name: 'matmul',
  kind: 'kernel',
  access: ['strided', 'strided'],
  acceptsView: acceptsMatrix,
  epilogue: true,
  brings: bringsSum,
  lower,
  vjp: ({ cotangent, inputs: [a, b], needs }) => {
    const left = a as Tensor;
    const right = b as Tensor;
    // Transposes are views, which the kernels read as they lie.
    return [
      needs[0] === true ? matmul(cotangent, transpose(right)) : undefined,
      needs[1] === true ? matmul(transpose(left), cotangent) : undefined,
    ];
  },
};

/**
 * The matrix product, over any batch axes in front, which broadcast. A vector is taken as a row on the left
 * and as a column on the right, as in NumPy.
 *
 * @param a `[...batch, rows, inner]` or `[inner]`, f32.
 * @param b `[...batch, inner, columns]` or `[inner]`, f32.
 * @returns `[...batch, rows, columns]`. Sums run in f32, in a fixed order.
 * @throws ShapeError when the inner sizes differ, or the batch axes do not broadcast.
 */
export function matmul(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = operands('matmul', ['f32'], a, b) as [Tensor, Tensor];
  checkDtype('matmul', left.dtype, ['f32']);
  if (left.rank === 0 || right.rank === 0) {
    throw new ShapeError(
      'matmul',
      `a is ${formatShape(left.shape)}, b is ${formatShape(right.shape)}; neither may be 0-d.`,
      {
        mend: 'use multiply for a product with a number.',
      },
    );
  }
  const rowVector = left.rank === 1;
  const columnVector = right.rank === 1;
  const x = rowVector ? reshapeExactly(left, [1, left.size]) : left;
  const y = columnVector ? reshapeExactly(right, [right.size, 1]) : right;
  checkInner(left, right, x.shape.at(-1) ?? 0, y.shape.at(-2) ?? 0);
  const batch = broadcastShapes('matmul', x.shape.slice(0, -2), y.shape.slice(0, -2));
  const product = multiplyMatrices(x, y, batch);
  const shape = [...batch, ...(rowVector ? [] : [x.shape.at(-2) ?? 1]), ...(columnVector ? [] : [y.shape.at(-1) ?? 1])];
  return reshapeExactly(product, shape);
}

function multiplyMatrices(x: Tensor, y: Tensor, batch: Shape): Tensor {
  const rows = x.shape.at(-2) ?? 1;
  const inner = x.shape.at(-1) ?? 1;
  const columns = y.shape.at(-1) ?? 1;
  // Batches of rows against one matrix are one taller matrix: one product, and one in its backward pass.
  if (y.rank === 2 && batch.length > 0) {
    const tall = reshapeExactly(x, [sizeOf(batch) * rows, inner]);
    return reshapeExactly(new Tensor(matmulOp, [tall, y], [sizeOf(batch) * rows, columns], 'f32'), [
      ...batch,
      rows,
      columns,
    ]);
  }
  const left = broadcastTo(x, [...batch, rows, inner]);
  const right = broadcastTo(y, [...batch, inner, columns]);
  return new Tensor(matmulOp, [left, right], [...batch, rows, columns], 'f32');
}

function checkInner(a: Tensor, b: Tensor, left: number, right: number): void {
  if (left === right) return;
  const fits = a.shape.at(-1) === b.shape.at(-1) && b.rank >= 2;
  const mend = fits ? { mend: 'multiply by the transpose: matmul(a, transpose(b)).' } : {};
  throw new ShapeError(
    'matmul',
    `inner sizes differ: a is ${formatShape(a.shape)}, b is ${formatShape(b.shape)} (${left} against ${right}).`,
    mend,
  );
}
