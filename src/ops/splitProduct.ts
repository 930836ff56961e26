import serialWgsl from '../../shaders/reduce/serial.wgsl';
import type { Device } from '../device/device.js';
import { type Lowering, lowering } from '../graph/lowering.js';
import type { Tensor } from '../graph/tensor.js';
import type { VariantQuestion } from '../kernels/variants.js';
import { foldGrid, rowsPerWorkgroup } from '../kernels/workgroups.js';
import { type MatmulShape, type MatmulVariant, matmulVariants } from './matmulVariants.js';
import { lowerProduct, type MatrixLayout } from './product.js';

/** Each part sums so many terms at least: below, a second dispatch costs more than a core that waits. */
const LEAST = 2048;
/** Numbers of parts, the most welcome first. */
const PARTS = [8, 7, 9, 6, 10, 5, 4, 3, 2];
/** Results that are few: on the software adapter one tile of them, which one core would compute alone. */
const FEW = { software: 16 * 16, gpu: 64 * 64 * 64 } as const;

/** How many parts of equal length a product's sums are cut into: 1 where it is not worth it, or none divides inner. */
function partsOf({ facts }: Device, { rows, columns, inner, batches }: MatmulShape): number {
  if (batches !== 1 || rows * columns > FEW[facts.software ? 'software' : 'gpu']) return 1;
  return PARTS.find((parts) => inner % parts === 0 && inner >= LEAST * parts) ?? 1;
}

function partOf(shape: MatmulShape, parts: number): MatmulShape {
  const inner = shape.inner / parts;
  return { ...shape, inner, batches: parts, byFours: shape.byFours && inner % 4 === 0 };
}

/**
 * A product's question, with the variants whose sums are in parts (split-K) behind the others, for a tuner to find: on two
 * cores, over 65536 terms, 16 x 16 results took 4.9 ms, not 5.9, and one 1.8 ms, not 2.7. Never the static choice, for
 * they round otherwise than one chain; and a class of their own, so that a choice holds for equal parts alone.
 */
export function withSplits(
  device: Device,
  shape: MatmulShape,
  question: VariantQuestion<MatmulVariant>,
): VariantQuestion<MatmulVariant> {
  const parts = partsOf(device, shape);
  if (parts === 1) return question;
  const whole = question.variants;
  const wholeTimed = question.timed ?? whole.length;
  const { variants, timed = variants.length } = matmulVariants(device, partOf(shape, parts));
  const split = variants.map((one) => ({ ...one, variant: `${one.variant} in ${parts} parts`, parts }));
  return {
    ...question,
    shapeClass: `${question.shapeClass} in ${parts} parts`,
    variants: [
      ...whole.slice(0, wholeTimed),
      ...split.slice(0, timed),
      ...whole.slice(wholeTimed),
      ...split.slice(timed),
    ],
    timed: wholeTimed + timed,
  };
}

/** Two stages: to the product's kernel parts are batches; to the second, which adds them in a fixed order, rows. */
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
