import serialWgsl from '../../shaders/softmax/serial.wgsl';
import workgroupWgsl from '../../shaders/softmax/workgroup.wgsl';
import { type Lowering, type LoweringContext, lowering } from '../graph/lowering.js';
import type { KernelOp, Vjp } from '../graph/op.js';
import { sizeOf } from '../graph/shape.js';
import { asTensor } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { foldGrid } from '../kernels/workgroups.js';
import { multiply, subtract } from './arithmetic.js';
import { type AxisOptions, arrange, rearrange, restoreDims } from './arrange.js';
import { reshapeExactly } from './broadcast.js';
import { checkDtype } from './elementwise.js';
import { exp } from './exponential.js';
import { sum } from './reduce.js';
import { expandDims } from './shaping.js';
import { softmaxVariants } from './softmaxVariants.js';

/** What the kernels call the three results. */
const RESULTS: Readonly<Record<string, string>> = {
  softmax: 'SOFTMAX',
  logSoftmax: 'LOG_SOFTMAX',
  logsumexp: 'LOGSUMEXP',
};

/** A kernel over `[rows, columns]`. */
function rowOp(name: string, vjp: Vjp): KernelOp {
  return {
    name,
    kind: 'kernel',
    access: ['fused'],
    epilogue: true,
    vjp,
    lower: (context) => lowerRows(context, name),
  };
}

function lowerRows({ node, inputs, device, choose }: LoweringContext, name: string): Lowering {
  const [logits] = inputs as [Tensor];
  const [rows = 1, columns = 1] = logits.shape;
  const { variant, serial, groups, workgroupSize } = choose(softmaxVariants(device, name, rows, columns));
  const workgroups = foldGrid(groups);
  return lowering({
    kernel: serial ? serialWgsl : workgroupWgsl,
    variant,
    loads: { load_logits: { tensor: logits, extents: [rows, columns] } },
    stores: { store_result: { tensor: node, extents: [rows, node.rank === 1 ? 1 : columns] } },
    uniforms: { rows, columns, gridWidth: workgroups[0] },
    overrides: { WORKGROUP_SIZE: workgroupSize },
    replace: { RESULT: `const RESULT = ${RESULTS[name]};` },
    workgroups,
    flops: 6 * rows * columns,
  });
}

const softmaxOp = rowOp('softmax', ({ cotangent, output }) => {
  const weighted = multiply(cotangent, output);
  return [subtract(weighted, multiply(output, sum(weighted, { axes: -1, keepDims: true })))];
});

const logSoftmaxOp = rowOp('logSoftmax', ({ cotangent, output }) => [
  subtract(cotangent, multiply(exp(output), sum(cotangent, { axes: -1, keepDims: true }))),
]);

const logsumexpOp = rowOp('logsumexp', ({ cotangent, inputs: [x] }) => [
  multiply(expandDims(cotangent, -1), rows(softmaxOp, x as Tensor)),
]);

function rows(op: KernelOp, x: Tensor): Tensor {
  return new Tensor(op, [x], op === logsumexpOp ? x.shape.slice(0, 1) : x.shape, 'f32');
}

function alongAxes(op: KernelOp, x: TensorLike, axes: AxisOptions['axes']): Tensor {
  const tensor = asTensor(op.name, x);
  checkDtype(op.name, tensor.dtype, ['f32']);
  const arranged = arrange(op.name, tensor, axes);
  const matrix = reshapeExactly(arranged.tensor, [sizeOf(arranged.keptShape), sizeOf(arranged.chosenShape)]);
  return rearrange(rows(op, matrix), arranged);
}

/** Which axes; default: the last. */
export interface SoftmaxOptions {
  readonly axes?: number | readonly number[];
}

/**
 * `exp(x) / sum(exp(x))` along axes (default: the last), from the log-sum-exp, so that no x overflows.
 * An element of -infinity gets 0; a row of nothing else, or with a NaN or +infinity, is NaN, as in PyTorch.
 */
export function softmax(x: TensorLike, { axes = -1 }: SoftmaxOptions = {}): Tensor {
  return alongAxes(softmaxOp, x, axes);
}

/** `log(softmax(x))` along axes (default: the last), without cancellation. */
export function logSoftmax(x: TensorLike, { axes = -1 }: SoftmaxOptions = {}): Tensor {
  return alongAxes(logSoftmaxOp, x, axes);
}

/**
 * `log(sum(exp(x)))` along axes (default: all). A row of -infinity alone gives -infinity; of none as well.
 */
export function logsumexp(x: TensorLike, options: AxisOptions = {}): Tensor {
  const tensor = asTensor('logsumexp', x);
  checkDtype('logsumexp', tensor.dtype, ['f32']);
  const { tensor: moved, keptShape, chosenShape, chosen } = arrange('logsumexp', tensor, options.axes);
  const matrix = reshapeExactly(moved, [sizeOf(keptShape), sizeOf(chosenShape)]);
  const result = reshapeExactly(rows(logsumexpOp, matrix), keptShape);
  return options.keepDims === true ? restoreDims(result, tensor.shape, chosen) : result;
}
