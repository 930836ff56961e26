import gatherWgsl from '../../shaders/indexing/gather.wgsl';
import scatterWgsl from '../../shaders/indexing/scatterAdd.wgsl';
import { DtypeError, formatShape, ShapeError, ValueError } from '../errors.js';
import { lowering } from '../graph/lowering.js';
import type { KernelOp } from '../graph/op.js';
import { resolveAxis, sameShape } from '../graph/shape.js';
import { asTensor } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { reshapeExactly } from './broadcast.js';
import { toF16, toF32, toI32 } from './casts.js';
import { equal, greaterEqual, less } from './comparison.js';
import { indices as iota } from './create.js';
import { around, elementAlias, linearGrid } from './elements.js';
import { and, where } from './logical.js';
import { sum } from './reduce.js';
import { expandDims } from './shaping.js';

const gatherOp: KernelOp = {
  name: 'gather',
  kind: 'kernel',
  access: ['hook', 'fused'],
  vjp: ({ cotangent, inputs: [x, at], attributes }) => [
    scatterAdd(cotangent, at as Tensor, (x as Tensor).shape[attributes.axis as number] ?? 0, attributes.axis as number),
    undefined,
  ],
  lower: ({ node, inputs }) => {
    const [x, at] = inputs as [Tensor, Tensor];
    const [outer, axisSize, inner] = around(x.shape, node.attributes.axis as number);
    const grid = linearGrid(node.size);
    return lowering({
      kernel: gatherWgsl,
      loads: {
        load_source: { tensor: x, extents: [outer, axisSize, inner] },
        load_indices: { tensor: at, extents: [at.size] },
      },
      stores: { store_result: { tensor: node, extents: [outer, at.size, inner] } },
      replace: elementAlias(node),
      uniforms: { outer, axisSize, inner, count: at.size, gridWidth: grid.gridWidth },
      overrides: grid.overrides,
      workgroups: grid.workgroups,
    });
  },
};

const scatterOp: KernelOp = {
  name: 'scatterAdd',
  kind: 'kernel',
  access: ['hook', 'hook'],
  vjp: ({ cotangent, inputs: [values, at], output, attributes }) => {
    const axis = attributes.axis as number;
    const index = at as Tensor;
    const size = output.shape[axis] ?? 0;
    // What was left out gets nothing back, where gather alone would give NaN.
    const kept = and(greaterEqual(index, -size), less(index, size));
    const along = (values as Tensor).shape.map((length, i) => (i === axis ? length : 1));
    return [where(reshapeExactly(kept, along), gather(cotangent, index, axis), 0), undefined];
  },
  lower: ({ node, inputs }) => {
    const [values, at] = inputs as [Tensor, Tensor];
    const [outer, axisSize, inner] = around(node.shape, node.attributes.axis as number);
    const grid = linearGrid(node.size);
    return lowering({
      kernel: scatterWgsl,
      loads: {
        load_values: { tensor: values, extents: [outer, at.size, inner] },
        load_indices: { tensor: at, extents: [at.size] },
      },
      stores: { store_result: { tensor: node, extents: [outer, axisSize, inner] } },
      replace: elementAlias(node),
      uniforms: { outer, axisSize, inner, count: at.size, gridWidth: grid.gridWidth },
      overrides: grid.overrides,
      workgroups: grid.workgroups,
    });
  },
};

function indexTensor(op: string, at: TensorLike): Tensor {
  const tensor = asTensor(op, at, 'i32');
  if (tensor.dtype !== 'i32' && tensor.dtype !== 'u32') {
    throw new DtypeError(op, `indices are ${tensor.dtype}; they must be i32 or u32.`, {
      mend: 'cast them: toI32(indices).',
    });
  }
  return toI32(tensor);
}

/**
 * Slices of `x` along an axis by index: the result has `indices`' shape in place of that axis (an embedding
 * lookup at axis 0). Negative indices count from the end; one out of range gives NaN (0 for integers).
 */
export function gather(x: TensorLike, at: TensorLike, axis = 0): Tensor {
  const tensor = asTensor('gather', x);
  const index = indexTensor('gather', at);
  const along = resolveAxis('gather', axis, tensor.rank);
  const flat = reshapeExactly(index, [index.size]);
  const shape = [...tensor.shape.slice(0, along), index.size, ...tensor.shape.slice(along + 1)];
  const taken = new Tensor(gatherOp, [tensor, flat], shape, tensor.dtype, { axis: along });
  return reshapeExactly(taken, [...tensor.shape.slice(0, along), ...index.shape, ...tensor.shape.slice(along + 1)]);
}

/**
 * Adds slices into zeros of size `size` along an axis, at the given indices; several at one index add up, in
 * order, without atomics. Indices out of range are left out.
 */
export function scatterAdd(values: TensorLike, at: TensorLike, size: number, axis = 0): Tensor {
  const tensor = asTensor('scatterAdd', values);
  const index = indexTensor('scatterAdd', at);
  const along = resolveAxis('scatterAdd', axis, tensor.rank);
  if (index.rank !== 1 || tensor.shape[along] !== index.size) {
    throw new ShapeError(
      'scatterAdd',
      `indices are ${formatShape(index.shape)}; axis ${along} of the values ${formatShape(tensor.shape)} must be their length.`,
    );
  }
  if (!Number.isInteger(size) || size < 0)
    throw new ValueError('scatterAdd', `size is ${size}; it must be an integer of at least 0.`);
  if (tensor.dtype === 'f16') return toF16(scatterAdd(toF32(tensor), index, size, axis));
  const shape = tensor.shape.map((length, i) => (i === along ? size : length));
  return new Tensor(scatterOp, [tensor, index], shape, tensor.dtype, { axis: along });
}

/**
 * One element of each row by its label: `x[..., label]`. `labels` has the shape of x without the last axis.
 * A label out of range gives 0.
 */
export function takeByLabel(x: TensorLike, labels: TensorLike): Tensor {
  const tensor = asTensor('takeByLabel', x);
  const index = indexTensor('takeByLabel', labels);
  if (!sameShape(index.shape, tensor.shape.slice(0, -1))) {
    throw new ShapeError(
      'takeByLabel',
      `labels are ${formatShape(index.shape)}, x is ${formatShape(tensor.shape)}; labels must have its shape without the last axis.`,
    );
  }
  const chosen = equal(expandDims(index, -1), iota(tensor.shape.at(-1) ?? 0));
  return sum(where(chosen, tensor, 0), { axes: -1 });
}
