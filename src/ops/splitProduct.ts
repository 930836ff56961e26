import serialWgsl from '../../shaders/reduce/serial.wgsl';
import type { Device } from '../device/device.js';
import { type Lowering, lowering } from '../graph/lowering.js';
import type { Tensor } from '../graph/tensor.js';
import type { VariantQuestion } from '../kernels/variants.js';
import { foldGrid, rowsPerWorkgroup } from '../kernels/workgroups.js';
import { type MatmulShape, type MatmulVariant, matmulVariants } from './matmulVariants.js';
import { lowerProduct, type MatrixLayout } from './product.js';
import { hasQuads } from './quadTiles.js';

/** Each part sums so many terms at least: below, a second dispatch costs more than a core that waits. */
const LEAST = 2048;
/** Numbers of parts, the most welcome first: whatever the cores, for the bits depend on it. */
const PARTS = [8, 7, 9, 6, 10, 5, 4, 16, 3, 2];
/** Results that are few: on the software adapter one tile of them, which one core would compute alone. */
const FEW = { software: 16 * 16, gpu: 64 * 64 * 64 } as const;

/** How many parts of equal length a product's sums are cut into: 1 where it is not worth it, or inner has no divisor. */
function partsOf({ facts }: Device, { rows, columns, inner, batches, byFours }: MatmulShape): number {
  if (batches !== 1 || rows * columns > FEW[facts.software ? 'software' : 'gpu']) return 1;
  const unit = byFours ? 4 : 1;
  return PARTS.find((parts) => inner % (unit * parts) === 0 && inner >= LEAST * parts) ?? 1;
}

/**
 * A product's question, with the variants whose sums are in parts (split-K), in a fixed order: the static choice where
 * quads are (on two cores, over 65536 terms: 16 x 16 results in 4.9 ms, not 5.9; one in 1.8 ms, not 2.7); elsewhere not
 * measured, and for a tuner to find.
 */
export function withSplits(
  device: Device,
  shape: MatmulShape,
  question: VariantQuestion<MatmulVariant>,
): VariantQuestion<MatmulVariant> {
  const parts = partsOf(device, shape);
  if (parts === 1) return question;
  const { variants, timed = variants.length } = question;
  const of = matmulVariants(device, partOf(shape, parts));
  const split = of.variants
    .slice(0, of.timed)
    .map((one) => ({ ...one, variant: `${one.variant} in ${parts} parts`, parts }));
  const front = hasQuads(device) ? [...split, ...variants.slice(0, timed)] : [...variants.slice(0, timed), ...split];
  return { ...question, variants: [...front, ...variants.slice(timed)], timed: front.length };
}

const partOf = <Shape extends Pick<MatmulShape, 'inner'>>(shape: Shape, parts: number) => ({
  ...shape,
  inner: shape.inner / parts,
  batches: parts,
});

/** Two stages: to the product's kernel parts are batches, to the second, which adds them in order, they are rows of columns. */
export function lowerSplit(
  shape: MatmulShape,
  left: MatrixLayout,
  right: MatrixLayout,
  variant: MatmulVariant,
  parts: number,
  { a, b, result }: { readonly a: Tensor; readonly b: Tensor; readonly result: Tensor },
): readonly Lowering[] {
  const each = partOf(shape, parts);
  const outputs = shape.rows * shape.columns;
  const scratch = { key: 'parts', bytes: 4 * parts * outputs };
  const size = rowsPerWorkgroup(outputs);
  const workgroups = foldGrid(Math.ceil(outputs / size));
  return [
    lowerProduct(
      each,
      { ...left, batch: each.inner * left.column },
      { ...right, batch: each.inner * right.row },
      variant,
      {
        reads: { a, b },
        scratch: { result: scratch },
      },
    ),
    lowering({
      kernel: serialWgsl,
      variant: `over ${parts} parts`,
      scratch: { source: scratch },
      stores: { store_result: { tensor: result, extents: [outputs] } },
      // A replaced hook takes its binding along.
      extra: [{ name: 'source', access: 'read', type: 'array<Element>' }],
      replace: {
        load_source:
          'fn load_source(output: u32, item: u32) -> Element { return source[item * sizes.outputs + output]; }',
      },
      uniforms: {
        outputs,
        count: parts,
        chunks: 1,
        itemsPerChunk: parts,
        gridWidth: workgroups[0],
        identity: 0,
      },
      overrides: { WORKGROUP_SIZE: size },
      workgroups,
      flops: parts * outputs,
    }),
  ];
}
