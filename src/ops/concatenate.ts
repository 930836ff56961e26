import placeWgsl from '../../shaders/indexing/place.wgsl';
import { formatShape, ShapeError, ValueError } from '../errors.js';
import { lowering } from '../graph/lowering.js';
import type { KernelOp } from '../graph/op.js';
import { currentValue } from '../graph/parameter.js';
import { resolveAxis, sameShape } from '../graph/shape.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { around, elementAlias, linearGrid } from './elements.js';
import { operands } from './elementwise.js';
import { expandDims, type Range, slice } from './shaping.js';

const concatenateOp: KernelOp = {
  name: 'concatenate',
  kind: 'kernel',
  access: (node) => node.inputs.map(() => 'fused' as const),
  vjp: ({ inputs, cotangent, attributes }) => {
    const axis = attributes.axis as number;
    let start = 0;
    return inputs.map((input) => {
      const from = start;
      start += input.shape[axis] ?? 0;
      const ranges = input.shape.map(
        (_, i): Range => (i === axis ? [from, from + (input.shape[axis] ?? 0)] : [null, null]),
      );
      return slice(cotangent, ...ranges);
    });
  },
  lower: ({ node, inputs }) => {
    const axis = node.attributes.axis as number;
    const [, resultAxis, inner] = around(node.shape, axis);
    let offset = 0;
    return inputs.map((input) => {
      const [outer, length] = around(input.shape, axis);
      const grid = linearGrid(input.size);
      const at = offset;
      offset += length;
      return lowering({
        kernel: placeWgsl,
        loads: { load_source: { tensor: input, extents: [outer, length, inner] } },
        stores: { store_result: { tensor: node, extents: [outer, resultAxis, inner] } },
        replace: elementAlias(node),
        uniforms: { outer, axis: length, inner, resultAxis, axisOffset: at, gridWidth: grid.gridWidth },
        overrides: grid.overrides,
        workgroups: grid.workgroups,
      });
    });
  },
};

/**
 * Tensors of one dtype one after another along an axis; the other sizes must agree.
 * @throws ShapeError naming the first that differs.
 */
export function concatenate(tensors: readonly TensorLike[], axis = 0): Tensor {
  if (tensors.length === 0) throw new ValueError('concatenate', 'there is nothing to concatenate.');
  const list = operands('concatenate', ['f32'], ...tensors);
  const [first] = list as [Tensor];
  const along = resolveAxis('concatenate', axis, first.rank);
  list.forEach((one, i) => {
    const fits = one.rank === first.rank && one.shape.every((length, j) => j === along || length === first.shape[j]);
    if (!fits) {
      throw new ShapeError(
        'concatenate',
        `tensor ${i} is ${formatShape(one.shape)}, the first ${formatShape(first.shape)}; they may differ along axis ${along} alone.`,
      );
    }
  });
  const length = list.reduce((total, one) => total + (one.shape[along] ?? 0), 0);
  const shape = first.shape.map((size, i) => (i === along ? length : size));
  const parts = list.filter((one) => one.size > 0);
  const [only] = parts;
  if (only !== undefined && parts.length === 1 && sameShape(only.shape, shape)) return currentValue(only);
  return new Tensor(concatenateOp, parts, shape, first.dtype, { axis: along });
}

/** Tensors of one shape along a new axis. */
export function stack(tensors: readonly TensorLike[], axis = 0): Tensor {
  const list = operands('stack', ['f32'], ...tensors);
  const [first] = list;
  if (first === undefined) throw new ValueError('stack', 'there is nothing to stack.');
  const odd = list.findIndex((one) => !sameShape(one.shape, first.shape));
  if (odd >= 0) {
    throw new ShapeError(
      'stack',
      `tensor ${odd} is ${formatShape(list[odd]?.shape ?? [])}, the first ${formatShape(first.shape)}.`,
    );
  }
  return concatenate(
    list.map((one) => expandDims(one, axis)),
    axis,
  );
}
