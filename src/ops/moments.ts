import serialWgsl from '../../shaders/norm/momentsSerial.wgsl';
import workgroupWgsl from '../../shaders/norm/momentsWorkgroup.wgsl';
import { lowering } from '../graph/lowering.js';
import type { KernelOp } from '../graph/op.js';
import { sizeOf } from '../graph/shape.js';
import { asTensor } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { foldGrid, rowsPerWorkgroup } from '../kernels/workgroups.js';
import { add, divide, multiply, subtract } from './arithmetic.js';
import { type AxisOptions, arrange, restoreDims } from './arrange.js';
import { broadcastTo, reshapeExactly } from './broadcast.js';
import { checkDtype } from './elementwise.js';
import { reduceVariants } from './reduceVariants.js';
import { slice } from './shaping.js';

/** Of the elements along some axes. */
export interface Moments {
  readonly mean: Tensor;
  /** By the number of elements: of the population. */
  readonly variance: Tensor;
}

/** Over the trailing axes, into `[...kept, 2]`. */
const momentsOp: KernelOp = {
  name: 'moments',
  kind: 'kernel',
  access: ['fused'],
  // d mean = dx / n, and d variance = 2 (x - mean) dx / n.
  vjp: ({ cotangent, inputs: [input], output }) => {
    const x = input as Tensor;
    const kept = x.shape.slice(0, output.rank - 1);
    const count = sizeOf(x.shape.slice(kept.length));
    const along = (moment: Tensor) => {
      const ones = new Array<number>(x.rank - kept.length).fill(1);
      return broadcastTo(reshapeExactly(moment, [...kept, ...ones]), x.shape);
    };
    const [slope, center] = [momentsIn(cotangent), momentsIn(output)];
    const spread = multiply(subtract(x, along(center.mean)), along(multiply(slope.variance, 2)));
    return [divide(add(along(slope.mean), spread), count)];
  },
  lower: ({ node, inputs, device, choose }) => {
    const [source] = inputs as [Tensor];
    const rows = node.size / 2;
    const count = sizeOf(source.shape.slice(node.rank - 1));
    const { variant, lanes } = choose(reduceVariants(device, 'moments f32', rows, count));
    const serial = lanes === 1;
    const size = serial ? rowsPerWorkgroup(rows) : lanes;
    const workgroups = foldGrid(serial ? Math.ceil(rows / size) : rows);
    return lowering({
      kernel: serial ? serialWgsl : workgroupWgsl,
      variant,
      loads: { load_source: { tensor: source, extents: [rows, count] } },
      stores: { store_result: { tensor: node, extents: [rows, 2] } },
      uniforms: { rows, count, gridWidth: workgroups[0] },
      overrides: { WORKGROUP_SIZE: size },
      workgroups,
      flops: 5 * rows * count,
    });
  },
};

function momentsIn(both: Tensor): Moments {
  const every = both.shape.slice(0, -1).map(() => [null, null] as const);
  return { mean: slice(both, ...every, 0), variance: slice(both, ...every, 1) };
}

/**
 * Mean and variance (of the population: by the count) over axes, both from one read, without cancellation.
 * Over elements that are not all finite, or over none, both are NaN.
 */
export function moments(x: TensorLike, options: AxisOptions = {}): Moments {
  const tensor = asTensor('moments', x);
  checkDtype('moments', tensor.dtype, ['f32']);
  const { tensor: arranged, chosen, keptShape } = arrange('moments', tensor, options.axes);
  const found = momentsIn(new Tensor(momentsOp, [arranged], [...keptShape, 2], 'f32'));
  if (options.keepDims !== true) return found;
  const restored = (moment: Tensor) => restoreDims(moment, tensor.shape, chosen);
  return { mean: restored(found.mean), variance: restored(found.variance) };
}
