import { expect, test } from 'vitest';
import gather from '../../shaders/indexing/gather.wgsl';
import serial from '../../shaders/softmax/serial.wgsl';
import { lowering } from '../../src/graph/lowering.js';
import { tensor } from '../../src/graph/source.js';

const load = { tensor: tensor([1]), extents: [1] };
const workgroups = [1, 1, 1] as const;

// The compiler is the test here: each line below it must be an error, or `tsc` complains of the comment.
test('a lowering that disagrees with its kernel fails the build', () => {
  const good = lowering({
    kernel: gather,
    loads: { load_source: load, load_indices: load },
    stores: { store_result: load },
    uniforms: { outer: 1, axisSize: 1, inner: 1, count: 1, gridWidth: 1 },
    overrides: { WORKGROUP_SIZE: 64 },
    workgroups,
  });
  expect(good.kernel).toBe(gather);
  // @ts-expect-error: the binding is 'indices'.
  lowering({ kernel: gather, loads: { load_index: load }, workgroups });
  // @ts-expect-error: 'result' is written, not read.
  lowering({ kernel: gather, loads: { load_result: load }, workgroups });
  // @ts-expect-error: there is no such field in Sizes.
  lowering({ kernel: gather, uniforms: { columns: 1 }, workgroups });
  // @ts-expect-error: there is no such override.
  lowering({ kernel: gather, overrides: { WORKGROUPSIZE: 1 }, workgroups });
  // Names that come from an include count as the kernel's own.
  lowering({ kernel: serial, loads: { load_logits: load }, uniforms: { rows: 1 }, workgroups });
  // @ts-expect-error: it reads logits.
  lowering({ kernel: serial, loads: { load_source: load }, workgroups });
});
