import arithmetic from '../../shaders/elementwise/arithmetic.wgsl';
import argumentWgsl from '../../shaders/reduce/argument.wgsl';
import argumentWorkgroupWgsl from '../../shaders/reduce/argumentWorkgroup.wgsl';
import columnsWgsl from '../../shaders/reduce/columns.wgsl';
import serialWgsl from '../../shaders/reduce/serial.wgsl';
import workgroupWgsl from '../../shaders/reduce/workgroup.wgsl';
import { ShapeError } from '../errors.js';
import type { DType } from '../graph/dtype.js';
import { elementType } from '../graph/dtype.js';
import { type Lowering, type LoweringContext, lowering } from '../graph/lowering.js';
import type { KernelOp, Vjp } from '../graph/op.js';
import { currentValue } from '../graph/parameter.js';
import { resolveAxis, sizeOf } from '../graph/shape.js';
import { asTensor } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import type { View } from '../graph/view.js';
import { foldGrid, rowsPerWorkgroup } from '../kernels/workgroups.js';
import { divide, multiply, square, subtract } from './arithmetic.js';
import { type AxisOptions, arrange, restoreDims } from './arrange.js';
import { broadcastTo, reshapeExactly } from './broadcast.js';
import { toF32 } from './casts.js';
import { equal } from './comparison.js';
import { elementAlias } from './elements.js';
import { checkDtype } from './elementwise.js';
import { reduceVariants } from './reduceVariants.js';
import { permute } from './shaping.js';

const WORKGROUP_SIZE = 64;
/** Of a CPU's subgroup: its core goes on to the next sixteen columns by itself. */
const COLUMN_LANES = 4;

interface Reduction {
  readonly name: string;
  readonly combine: string;
  readonly identity: Readonly<Record<'f32' | 'i32' | 'u32', number>>;
  readonly vjp: Vjp;
}

/** A reduction over the last `reduced` axes. */
function reduction({ name, combine, identity, vjp }: Reduction): KernelOp {
  return {
    name,
    kind: 'kernel',
    access: ['fused'],
    epilogue: true,
    vjp,
    lower: (context) => lowerReduction(context, combine, identity),
  };
}

function lowerReduction(
  { node, inputs, device, viewOf, choose }: LoweringContext,
  combine: string,
  identity: Reduction['identity'],
): Lowering | readonly Lowering[] {
  const [source] = inputs as [Tensor];
  const outputs = node.size;
  const count = sizeOf(source.shape.slice(node.rank));
  const type = elementType(node.dtype);
  const shared = {
    replace: {
      ...elementAlias(node),
      combine: `fn combine(a: Element, b: Element) -> Element { return ${combine}_${type}(a, b); }`,
    },
    includes: [arithmetic],
  };
  const load = { tensor: source, extents: [outputs, count] };
  const store = { tensor: node, extents: [outputs] };
  const what = `${node.op.name} ${node.dtype}`;
  const columns = liesByColumns(viewOf(source), node.rank);
  const chosen = choose(reduceVariants(device, what, outputs, count, { cut: true, columns }));
  const { variant, lanes, chunk } = chosen;
  if (chosen.columns === true) {
    const workgroups = foldGrid(Math.ceil(outputs / (4 * COLUMN_LANES)));
    return lowering({
      ...shared,
      kernel: columnsWgsl,
      variant,
      loads: { load_source: load },
      stores: { store_result: store },
      uniforms: { outputs, count, gridWidth: workgroups[0], identity: identity[type] },
      overrides: { WORKGROUP_SIZE: COLUMN_LANES },
      workgroups,
      flops: outputs * count,
    });
  }
  const chunks = Math.max(1, Math.ceil(count / chunk));
  const stage = (parts: number, items: number, total: number) => {
    const rows = outputs * parts;
    const size = lanes === 1 ? rowsPerWorkgroup(rows) : lanes;
    const workgroups = foldGrid(lanes === 1 ? Math.ceil(rows / size) : rows);
    return {
      ...shared,
      kernel: lanes === 1 ? serialWgsl : workgroupWgsl,
      uniforms: {
        outputs,
        count: total,
        chunks: parts,
        itemsPerChunk: items,
        gridWidth: workgroups[0],
        identity: identity[type],
      },
      overrides: { WORKGROUP_SIZE: size },
      workgroups,
      flops: outputs * total,
    };
  };
  if (chunks === 1) {
    return lowering({
      ...stage(1, count, count),
      variant,
      loads: { load_source: load },
      stores: { store_result: store },
    });
  }
  const scratch = { key: 'partial', bytes: 4 * outputs * chunks };
  return [
    lowering({
      ...stage(chunks, chunk, count),
      variant: `${variant}, ${chunks} chunks`,
      loads: { load_source: load },
      scratch: { result: scratch },
    }),
    lowering({
      ...stage(1, chunks, chunks),
      variant: `${variant}, over chunks`,
      scratch: { source: scratch },
      stores: { store_result: store },
    }),
  ];
}

/** Whether enough neighbouring outputs' items lie side by side to fill a cache line. */
function liesByColumns({ shape, strides }: View, kept: number): boolean {
  const last = shape.slice(0, kept).findLastIndex((length) => length > 1);
  return last >= 0 && strides[last] === 1 && (shape[last] ?? 0) >= 16;
}

const zero = { f32: 0, i32: 0, u32: 0 };

const sumOp = reduction({
  name: 'sum',
  combine: 'add',
  identity: zero,
  vjp: ({ cotangent, inputs: [x] }) => [spread(cotangent, x as Tensor)],
});
const maxOp = reduction({
  name: 'max',
  combine: 'maximum',
  identity: { f32: Number.NEGATIVE_INFINITY, i32: -(2 ** 31), u32: 0 },
  vjp: ({ cotangent, inputs: [x], output }) => [shareTies(cotangent, x as Tensor, output)],
});
const minOp = reduction({
  name: 'min',
  combine: 'minimum',
  identity: { f32: Number.POSITIVE_INFINITY, i32: 2 ** 31 - 1, u32: 2 ** 32 - 1 },
  vjp: ({ cotangent, inputs: [x], output }) => [shareTies(cotangent, x as Tensor, output)],
});

/** Repeats a reduced result along the trailing axes that were reduced. */
function spread(reduced: Tensor, x: Tensor): Tensor {
  const ones = new Array<number>(x.rank - reduced.rank).fill(1);
  return broadcastTo(reshapeExactly(reduced, [...reduced.shape, ...ones]), x.shape);
}

/** Equal elements share the cotangent equally, as the extremum of all of them. */
function shareTies(cotangent: Tensor, x: Tensor, output: Tensor): Tensor {
  const attained = toF32(equal(x, spread(output, x)));
  const count = reduceTrailing(sumOp, attained, x.rank - output.rank);
  return multiply(attained, spread(divide(cotangent, count), x));
}

function reduceTrailing(op: KernelOp, x: Tensor, reduced: number): Tensor {
  return new Tensor(op, [x], x.shape.slice(0, x.rank - reduced), x.dtype === 'f16' ? 'f32' : x.dtype);
}

function reduce(op: KernelOp, x: TensorLike, dtypes: readonly DType[], options: AxisOptions): Tensor {
  const tensor = asTensor(op.name, x);
  checkDtype(op.name, tensor.dtype, dtypes);
  const { tensor: arranged, chosen } = arrange(op.name, tensor, options.axes);
  if (chosen.length === 0) return currentValue(tensor);
  const result = reduceTrailing(op, arranged, chosen.length);
  return options.keepDims === true ? restoreDims(result, tensor.shape, chosen) : result;
}

const numbers: readonly DType[] = ['f32', 'i32', 'u32'];

/** The sum over axes; 0 over none. Blocked, in a fixed order. Of f16 it is f32. */
export function sum(x: TensorLike, options: AxisOptions = {}): Tensor {
  const result = reduce(sumOp, x, [...numbers, 'f16'], options);
  return result.dtype === 'f16' ? toF32(result) : result;
}

/** The largest element over axes; NaN where there is one. Ties share the gradient equally. -infinity over none. */
export function max(x: TensorLike, options: AxisOptions = {}): Tensor {
  return reduce(maxOp, x, numbers, options);
}

/** The smallest element over axes; NaN where there is one. Ties share the gradient equally. infinity over none. */
export function min(x: TensorLike, options: AxisOptions = {}): Tensor {
  return reduce(minOp, x, numbers, options);
}

/** The mean over axes. Over no elements it is NaN, as in PyTorch, with a warning. Of f16 it is f32. */
export function mean(x: TensorLike, options: AxisOptions = {}): Tensor {
  const tensor = asTensor('mean', x);
  checkDtype('mean', tensor.dtype, ['f32', 'f16']);
  const { chosenShape } = arrange('mean', tensor, options.axes);
  const count = sizeOf(chosenShape);
  if (count === 0) console.warn('mean: over no elements: the result is NaN.');
  return divide(sum(tensor, options), count);
}

export interface VarianceOptions extends AxisOptions {
  /** Subtracted from the count of elements: 1 (default, Bessel's) or 0 (of the population). */
  readonly correction?: number;
}

/** The variance over axes: the sum of squared deviations from the mean, by `count - correction`. */
export function variance(x: TensorLike, options: VarianceOptions = {}): Tensor {
  const tensor = asTensor('variance', x);
  checkDtype('variance', tensor.dtype, ['f32']);
  const { chosenShape } = arrange('variance', tensor, options.axes);
  const count = sizeOf(chosenShape);
  const { axes } = options;
  const center = mean(tensor, { ...(axes === undefined ? {} : { axes }), keepDims: true });
  const deviations = sum(square(subtract(tensor, center)), options);
  return divide(deviations, Math.max(0, count - (options.correction ?? 1)));
}

function argument(name: string, better: string): KernelOp {
  return {
    name,
    kind: 'kernel',
    access: ['fused'],
    lower: ({ node, inputs, device, choose }) => {
      const [source] = inputs as [Tensor];
      const outputs = node.size;
      const count = source.shape.at(-1) ?? 1;
      const { variant, lanes } = choose(reduceVariants(device, `${name} ${source.dtype}`, outputs, count));
      const serial = lanes === 1;
      const workgroups = foldGrid(serial ? Math.ceil(outputs / WORKGROUP_SIZE) : outputs);
      return lowering({
        kernel: serial ? argumentWgsl : argumentWorkgroupWgsl,
        variant,
        loads: { load_source: { tensor: source, extents: [outputs, count] } },
        stores: { store_result: { tensor: node, extents: [outputs] } },
        replace: { ...elementAlias(source), better },
        uniforms: { outputs, count, gridWidth: workgroups[0] },
        overrides: { WORKGROUP_SIZE: serial ? WORKGROUP_SIZE : lanes },
        workgroups,
        flops: outputs * count,
      });
    },
  };
}

const argmaxOp = argument(
  'argmax',
  'fn better(candidate: Element, best: Element) -> bool { return candidate > best; }',
);
const argminOp = argument(
  'argmin',
  'fn better(candidate: Element, best: Element) -> bool { return candidate < best; }',
);

function argumentOf(op: KernelOp, x: TensorLike, axis: number | undefined): Tensor {
  const tensor = asTensor(op.name, x);
  checkDtype(op.name, tensor.dtype, numbers);
  const flat = axis === undefined ? reshapeExactly(tensor, [tensor.size]) : tensor;
  const along = resolveAxis(op.name, axis ?? 0, flat.rank);
  const order = [...flat.shape.keys()].filter((one) => one !== along);
  if (flat.shape[along] === 0) throw new ShapeError(op.name, 'the axis has no elements.');
  const arranged = permute(flat, [...order, along]);
  return new Tensor(op, [arranged], arranged.shape.slice(0, -1), 'i32');
}

/** The index (i32) of the largest element along an axis, or of all: the first of ties; NaN counts as largest. */
export function argmax(x: TensorLike, axis?: number): Tensor {
  return argumentOf(argmaxOp, x, axis);
}

/** The index (i32) of the smallest element along an axis, or of all: the first of ties; NaN counts as smallest. */
export function argmin(x: TensorLike, axis?: number): Tensor {
  return argumentOf(argminOp, x, axis);
}
