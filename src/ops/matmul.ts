import type { Device } from '../device/device.js';
import { formatShape, ShapeError } from '../errors.js';
import { storageType } from '../graph/encoding.js';
import type { Lowering, LoweringContext } from '../graph/lowering.js';
import type { KernelOp, Reader } from '../graph/op.js';
import { broadcastShapes, type Shape, sizeOf } from '../graph/shape.js';
import { asTensor } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { permuteView, sameView } from '../graph/view.js';
import { broadcastTo, reshapeExactly } from './broadcast.js';
import { checkDtype } from './elementwise.js';
import { acceptsMatrix, type MatrixLayout, matrixLayoutOf } from './matmul/layout.js';
import { lowerProduct } from './matmul/product.js';
import { type Element, matmulShape } from './matmul/shape.js';
import { isSplit, lowerSplit, withSplits } from './matmul/splitProduct.js';
import { matmulVariants } from './matmul/variants.js';
import { transpose } from './shaping.js';

/** A sum over the right operand's rows, as wide as the product: a bias's gradient beside the weight's. */
function bringsSum({ tensor, operands: [, right] }: Reader, other: Reader): boolean {
  const [summed] = other.operands;
  if (other.tensor.op.name !== 'sum' || other.tensor.rank !== 1 || summed === undefined || right === undefined)
    return false;
  const transposed = permuteView(right.view, [1, 0]);
  // A product of no rows has no dispatch.
  return tensor.rank === 2 && tensor.size > 0 && summed.value === right.value && sameView(summed.view, transposed);
}

function lower({ node, nodes, inputs, viewOf, device, choose }: LoweringContext): Lowering | readonly Lowering[] {
  const [a, b] = inputs as [Tensor, Tensor];
  const left = matrixLayoutOf(viewOf(a)) as MatrixLayout;
  const right = matrixLayoutOf(viewOf(b)) as MatrixLayout;
  const [rows = 1, columns = 1] = node.shape.slice(-2);
  const batches = sizeOf(node.shape.slice(0, -2));
  const sums = nodes.get('sum');
  const extents = { rows, columns, inner: a.shape.at(-1) ?? 1, batches };
  const shape = matmulShape(extents, left, right, { aElement: elementOf(a, device), bElement: elementOf(b, device) });
  const question = matmulVariants(device, shape);
  // The sums of b's columns go through all of inner.
  const variant = choose(sums === undefined ? withSplits(device, shape, question) : question);
  if (isSplit(variant)) return lowerSplit(shape, left, right, variant, { a, b, result: node });
  return lowerProduct(shape, left, right, variant, {
    reads: { a, b },
    stores: {
      store_result: { tensor: node, extents: [batches, rows, columns] },
      ...(sums === undefined ? {} : { store_sum: { tensor: sums, extents: [columns] } }),
    },
    sums: sums !== undefined,
  });
}

function elementOf({ dtype }: Tensor, device: Device): Element {
  return storageType(dtype, device) === 'f16' ? 'f16' : 'f32';
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
 * @param a `[...batch, rows, inner]` or `[inner]`, f32 or f16.
 * @param b `[...batch, inner, columns]` or `[inner]`, f32 or f16, whatever a is.
 * @returns `[...batch, rows, columns]`, f32. Sums run in f32, in a fixed order.
 * @throws ShapeError when the inner sizes differ, or the batch axes do not broadcast.
 */
export function matmul(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = [asTensor('matmul', a), asTensor('matmul', b)];
  for (const { dtype } of [left, right]) checkDtype('matmul', dtype, ['f32', 'f16']);
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
