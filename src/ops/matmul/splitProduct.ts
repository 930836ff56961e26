import type { Device } from '../../device/device.js';
import type { Lowering } from '../../graph/lowering.js';
import type { Tensor } from '../../graph/tensor.js';
import type { VariantQuestion } from '../../kernels/variants.js';
import { sumParts } from '../sumParts.js';
import type { MatrixLayout } from './layout.js';
import { lowerProduct } from './product.js';
import type { MatmulShape } from './shape.js';
import { type MatmulVariant, matmulVariants } from './variants.js';

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
  const part = partOf(shape, parts);
  const { variants, timed = variants.length } = matmulVariants(device, part);
  const split = variants.map((one) => ({ ...one, variant: `${one.variant} in ${parts} parts`, parts }));
  return {
    ...question,
    shapeClass: `${question.shapeClass} in ${parts} parts${part.byFours ? ' by fours' : ''}`,
    variants: [
      ...whole.slice(0, wholeTimed),
      ...split.slice(0, timed),
      ...whole.slice(wholeTimed),
      ...split.slice(timed),
    ],
    timed: wholeTimed + timed,
  };
}

/** Two stages: to the product's kernel the parts are batches; the second adds them. */
export function lowerSplit(
  shape: MatmulShape,
  left: MatrixLayout,
  right: MatrixLayout,
  variant: MatmulVariant & { readonly parts: number },
  { a, b, result }: { readonly a: Tensor; readonly b: Tensor; readonly result: Tensor },
): readonly Lowering[] {
  const { parts } = variant;
  const each = partOf(shape, parts);
  const scratch = { key: 'parts', bytes: 4 * parts * result.size };
  const [leftParts, rightParts] = [
    { ...left, batch: each.inner * left.column },
    { ...right, batch: each.inner * right.row },
  ];
  return [
    lowerProduct(each, leftParts, rightParts, variant, { reads: { a, b }, scratch: { result: scratch } }),
    sumParts(result, parts, scratch, 'by part'),
  ];
}

/** Whether a variant's sums are in parts. */
export function isSplit(variant: MatmulVariant): variant is MatmulVariant & { readonly parts: number } {
  return variant.parts !== undefined;
}
