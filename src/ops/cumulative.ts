import cumulativeWgsl from '../../shaders/reduce/cumulative.wgsl';
import cumulativeWorkgroupWgsl from '../../shaders/reduce/cumulativeWorkgroup.wgsl';
import { lowering } from '../graph/lowering.js';
import type { KernelOp } from '../graph/op.js';
import { asTensor } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { foldGrid } from '../kernels/workgroups.js';
import { arrange, rearrange } from './arrange.js';
import { elementAlias } from './elements.js';
import { checkDtype } from './elementwise.js';
import { reduceVariants } from './reduceVariants.js';

const WORKGROUP_SIZE = 64;

const cumulativeSumOp: KernelOp = {
  name: 'cumulativeSum',
  kind: 'kernel',
  access: ['fused'],
  vjp: ({ cotangent, attributes }) => [
    alongLast(cotangent, attributes.reverse !== true, attributes.exclusive === true),
  ],
  lower: ({ node, inputs, device, choose }) => {
    const [source] = inputs as [Tensor];
    const count = source.shape.at(-1) ?? 1;
    const rows = count === 0 ? 0 : source.size / count;
    // Lanes go over a row twice, so two rows are enough for a thread each: 3 times as fast at 4 x 2000.
    const { variant, lanes } = choose(
      reduceVariants(device, `cumulativeSum ${node.dtype}`, rows, count, { enough: 2 }),
    );
    const serial = lanes === 1;
    const workgroups = foldGrid(serial ? Math.ceil(rows / WORKGROUP_SIZE) : rows);
    return lowering({
      kernel: serial ? cumulativeWgsl : cumulativeWorkgroupWgsl,
      variant,
      loads: { load_source: { tensor: source, extents: [rows, count] } },
      stores: { store_result: { tensor: node, extents: [rows, count] } },
      replace: {
        ...elementAlias(node),
        REVERSE: `const REVERSE = ${node.attributes.reverse === true};`,
        EXCLUSIVE: `const EXCLUSIVE = ${node.attributes.exclusive === true};`,
      },
      uniforms: { rows, count, gridWidth: workgroups[0] },
      overrides: { WORKGROUP_SIZE: serial ? WORKGROUP_SIZE : lanes },
      workgroups,
      flops: source.size,
    });
  },
};

function alongLast(x: Tensor, reverse: boolean, exclusive: boolean): Tensor {
  return new Tensor(cumulativeSumOp, [x], x.shape, x.dtype, { reverse, exclusive });
}

export interface CumulativeOptions {
  /** From the end backwards. Default false. */
  readonly reverse?: boolean;
  /** Without the element itself, so the first is 0. Default false. */
  readonly exclusive?: boolean;
}

/** Running sums along an axis (default: the last), in order. */
export function cumulativeSum(x: TensorLike, axis = -1, options: CumulativeOptions = {}): Tensor {
  const tensor = asTensor('cumulativeSum', x);
  checkDtype('cumulativeSum', tensor.dtype, ['f32', 'i32', 'u32']);
  const arranged = arrange('cumulativeSum', tensor, axis);
  return rearrange(alongLast(arranged.tensor, options.reverse === true, options.exclusive === true), arranged);
}
