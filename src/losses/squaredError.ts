import squaredErrorWgsl from '../../shaders/losses/squaredError.wgsl';
import { type Lowering, type LoweringContext, lowering } from '../graph/lowering.js';
import type { KernelOp } from '../graph/op.js';
import { Tensor } from '../graph/tensor.js';
import { foldGrid, rowsPerWorkgroup } from '../kernels/workgroups.js';
import { multiply, negative, subtract } from '../ops/arithmetic.js';
import { sum } from '../ops/reduce.js';
import { expandDims } from '../ops/shaping.js';

const access = ['fused', 'fused'] as const;
const family = 'squaredError';

const valueOp: KernelOp = {
  name: 'squaredError.value',
  kind: 'kernel',
  access,
  family,
  vjp: ({ cotangent, inputs }) => {
    const [predictions] = inputs as [Tensor];
    const gradient = new Tensor(gradientOp, [...inputs, cotangent], predictions.shape, 'f32');
    return [gradient, negative(gradient)];
  },
  lower,
};

const gradientOp: KernelOp = {
  name: 'squaredError.gradient',
  kind: 'kernel',
  access: [...access, 'fused'],
  family,
  vjp: ({ cotangent, inputs }) => {
    const [predictions, targets, upstream] = inputs as [Tensor, Tensor, Tensor];
    const slope = multiply(multiply(2, cotangent), expandDims(upstream, -1));
    const byUpstream = sum(multiply(multiply(2, subtract(predictions, targets)), cotangent), { axes: -1 });
    return [slope, negative(slope), byUpstream];
  },
  lower,
};

function lower({ node, nodes }: LoweringContext): Lowering {
  const [predictions, targets] = node.inputs as [Tensor, Tensor];
  const [rows = 0, columns = 0] = predictions.shape;
  const value = nodes.get(valueOp.name);
  const gradient = nodes.get(gradientOp.name);
  const size = rowsPerWorkgroup(rows);
  const workgroups = foldGrid(Math.ceil(rows / size));
  const extents = [rows, columns];
  return lowering({
    kernel: squaredErrorWgsl,
    variant: 'a thread a row',
    loads: {
      load_prediction: { tensor: predictions, extents },
      load_reference: { tensor: targets, extents },
      ...(gradient && { load_cotangent: { tensor: gradient.inputs[2] as Tensor, extents: [rows] } }),
    },
    stores: {
      ...(value && { store_value: { tensor: value, extents: [rows] } }),
      ...(gradient && { store_gradient: { tensor: gradient, extents } }),
    },
    replace: {
      WANT_VALUE: `const WANT_VALUE = ${value !== undefined};`,
      WANT_GRADIENT: `const WANT_GRADIENT = ${gradient !== undefined};`,
      ...(!gradient && { load_cotangent: 'fn load_cotangent(row: u32) -> f32 { return 0.0; }' }),
    },
    uniforms: { rows, columns, gridWidth: workgroups[0] },
    overrides: { WORKGROUP_SIZE: size },
    workgroups,
    flops: 4 * rows * columns,
  });
}

/** The sum of squared differences of each row: `[rows, columns]` twice to `[rows]`, value and gradient in one kernel. */
export function squaredErrorRows(predictions: Tensor, targets: Tensor): Tensor {
  return new Tensor(valueOp, [predictions, targets], predictions.shape.slice(0, 1), 'f32');
}
