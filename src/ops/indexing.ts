import gatherWgsl from '../../shaders/indexing/gather.wgsl';
import padWgsl from '../../shaders/indexing/pad.wgsl';
import placeWgsl from '../../shaders/indexing/place.wgsl';
import scatterWgsl from '../../shaders/indexing/scatterAdd.wgsl';
import { DtypeError, formatShape, ShapeError, ValueError } from '../errors.js';
import { storageType } from '../graph/dtype.js';
import { lowering } from '../graph/lowering.js';
import type { KernelOp } from '../graph/op.js';
import { resolveAxis, type Shape, sameShape, sizeOf } from '../graph/shape.js';
import { asTensor } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { foldGrid } from '../kernels/workgroups.js';
import { broadcastTo, reshapeExactly } from './broadcast.js';
import { toI32 } from './casts.js';
import { equal, greaterEqual, less } from './comparison.js';
import { indices as iota } from './create.js';
import { operands } from './elementwise.js';
import { and, where } from './logical.js';
import { sum } from './reduce.js';
import { expandDims, type Range, slice } from './shaping.js';

const WORKGROUP_SIZE = 64;

function linearGrid(elements: number) {
  const workgroups = foldGrid(Math.ceil(elements / WORKGROUP_SIZE));
  return { workgroups, gridWidth: workgroups[0], overrides: { WORKGROUP_SIZE } };
}

/** `[outer, axis, inner]` of a shape around one axis. */
function around(shape: Shape, axis: number): [number, number, number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis] ?? 1, sizeOf(shape.slice(axis + 1))];
}

const elementAlias = (node: Tensor) => ({ Element: `alias Element = ${storageType(node.dtype)};` });

// --- concatenate -----------------------------------------------------------------------------------------

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
  if (only !== undefined && parts.length === 1 && sameShape(only.shape, shape)) return only;
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

// --- pad -------------------------------------------------------------------------------------------------

export interface PadOptions {
  /** Elements before each axis; negative ones cut. Default 0. */
  readonly low?: readonly number[];
  /** Elements after each axis; negative ones cut. Default 0. */
  readonly high?: readonly number[];
  /** Elements between neighbours of each axis. Default 0. */
  readonly interior?: readonly number[];
  /** What is filled in. Default 0. */
  readonly value?: number;
}

const padOp: KernelOp = {
  name: 'pad',
  kind: 'kernel',
  access: ['hook'],
  vjp: ({ cotangent, inputs: [x], attributes }) => {
    const { shape } = x as Tensor;
    const low = attributes.low as number[];
    const high = attributes.high as number[];
    const interior = attributes.interior as number[];
    // Undo the cut ends with zeros, then take every (interior + 1)-th.
    const grown = pad(cotangent, {
      low: low.map((amount) => Math.max(0, -amount)),
      high: high.map((amount) => Math.max(0, -amount)),
    });
    const ranges = shape.map((length, axis): Range => {
      const step = (interior[axis] ?? 0) + 1;
      const first = Math.max(0, low[axis] ?? 0);
      return [first, first + Math.max(0, (length - 1) * step + 1), step];
    });
    return [(x as Tensor).size === 0 ? undefined : slice(grown, ...ranges)];
  },
  lower: ({ node, inputs }) => {
    const [source] = inputs as [Tensor];
    const grid = linearGrid(node.size);
    const { low, interior, value } = node.attributes as { low: number[]; interior: number[]; value: number };
    const uniforms: Record<string, number> = {
      count: node.size,
      rank: node.rank,
      gridWidth: grid.gridWidth,
      fill: value,
    };
    node.shape.forEach((length, axis) => {
      uniforms[`resultShape.${axis}`] = length;
      uniforms[`sourceShape.${axis}`] = source.shape[axis] ?? 1;
      uniforms[`low.${axis}`] = low[axis] ?? 0;
      uniforms[`step.${axis}`] = (interior[axis] ?? 0) + 1;
    });
    return lowering({
      kernel: padWgsl,
      loads: { load_source: { tensor: source, extents: [source.size] } },
      stores: { store_result: { tensor: node, extents: [node.size] } },
      replace: elementAlias(node),
      uniforms,
      overrides: grid.overrides,
      workgroups: grid.workgroups,
    });
  },
};

/**
 * Surrounds (or, with negative amounts, cuts) each axis, and spreads its elements apart.
 * @throws ShapeError for more than 8 axes or a size below 0.
 */
export function pad(x: TensorLike, options: PadOptions): Tensor {
  const tensor = asTensor('pad', x);
  const amounts = (list: readonly number[] | undefined, name: string) => {
    const full = list ?? tensor.shape.map(() => 0);
    if (full.length !== tensor.rank || !full.every(Number.isInteger)) {
      throw new ShapeError(
        'pad',
        `${name} is [${full.join(', ')}]; it needs one integer for each axis of ${formatShape(tensor.shape)}.`,
      );
    }
    return full;
  };
  const low = amounts(options.low, 'low');
  const high = amounts(options.high, 'high');
  const interior = amounts(options.interior, 'interior');
  if (tensor.rank > 8) throw new ShapeError('pad', `the tensor has ${tensor.rank} axes; at most 8 can be padded.`);
  if (interior.some((amount) => amount < 0))
    throw new ShapeError('pad', `interior is [${interior.join(', ')}]; it cannot be negative.`);
  const shape = tensor.shape.map((length, axis) => {
    const spread = length === 0 ? 0 : length + (length - 1) * (interior[axis] ?? 0);
    return (low[axis] ?? 0) + spread + (high[axis] ?? 0);
  });
  if (shape.some((length) => length < 0))
    throw new ShapeError('pad', `${formatShape(tensor.shape)} would become ${formatShape(shape)}.`);
  if ([low, high, interior].every((list) => list.every((amount) => amount === 0))) return tensor;
  const value = options.value ?? 0;
  if (tensor.size === 0) return broadcastTo(asTensor('pad', value, tensor.dtype), shape);
  return new Tensor(padOp, [tensor], shape, tensor.dtype, { low, high, interior, value });
}

// --- gather and scatter ----------------------------------------------------------------------------------

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
