import serialWgsl from '../../shaders/reduce/serial.wgsl';
import { type Lowering, lowering } from '../graph/lowering.js';
import type { Tensor } from '../graph/tensor.js';
import { foldGrid, rowsPerWorkgroup } from '../kernels/workgroups.js';

/** Where the first stage left the parts: of each element together, or all elements of a part together. */
type Order = 'by element' | 'by part';

/** A part's place is none that the kernel's own hook knows; and a replaced hook takes its binding along. */
const BY_PART: Pick<Lowering, 'extra' | 'replace'> = {
  extra: [{ name: 'source', access: 'read', type: 'array<Element>' }],
  replace: {
    load_source: 'fn load_source(output: u32, item: u32) -> Element { return source[item * sizes.outputs + output]; }',
  },
};

/** The second stage of an op whose sums are cut into parts: adds them, in a fixed order, with the op's epilogue. */
export function sumParts(
  node: Tensor,
  parts: number,
  scratch: { readonly key: string; readonly bytes: number },
  order: Order,
): Lowering {
  const outputs = node.size;
  const size = rowsPerWorkgroup(outputs);
  const workgroups = foldGrid(Math.ceil(outputs / size));
  return lowering({
    kernel: serialWgsl,
    variant: `serial, ${parts} parts`,
    scratch: { source: scratch },
    stores: { store_result: { tensor: node, extents: [outputs] } },
    ...(order === 'by part' ? BY_PART : {}),
    uniforms: { outputs, count: parts, chunks: 1, itemsPerChunk: parts, gridWidth: workgroups[0], identity: 0 },
    overrides: { WORKGROUP_SIZE: size },
    workgroups,
    flops: parts * outputs,
  });
}
