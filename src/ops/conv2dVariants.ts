import type { Device } from '../device/device.js';
import { bucket, type Variant, type VariantQuestion } from '../kernels/variants.js';
import { MAXIMUM_WORKGROUPS } from '../kernels/workgroups.js';
import { hasQuads, type Products, quadTiles, TIMED_QUADS } from './matmul/quadTiles.js';

interface Conv2dVariant extends Variant {
  readonly kernel: 'quad' | 'register';
  readonly overrides: Readonly<Record<string, number>>;
  readonly replace: Readonly<Record<string, string>>;
  readonly workgroups: readonly [number, number, number];
}

/**
 * The kernels and tiles that a convolution, or a gradient of it, may get on a device: as matmul's, quads where a subgroup
 * is four lanes of a core, else tiles of registers.
 *
 * @param products of which groups, times phases or parts, make the batches.
 */
export function conv2dVariants(device: Device, op: string, products: Products): VariantQuestion<Conv2dVariant> {
  const { rows, columns, inner, batches } = products;
  const sizes = `m${bucket(rows)} n${bucket(columns)} k${bucket(inner)}${batches > 1 ? ` b${bucket(batches)}` : ''}`;
  const shapeClass = `${op} f32 ${sizes}`;
  const reference = register(products, device.facts.software ? 4 : 32);
  const tiles = hasQuads(device) ? quadTiles(products).filter(({ workgroups: [, y] }) => y <= MAXIMUM_WORKGROUPS) : [];
  if (tiles.length === 0) return { shapeClass, variants: [reference], reference };
  const variants = [...tiles.slice(0, TIMED_QUADS), reference, ...tiles.slice(TIMED_QUADS)];
  return { shapeClass, variants, timed: TIMED_QUADS + 1, reference };
}

/** @param least of the lanes: the pixels of a large image want more than one dispatch has workgroups for. */
function register({ rows, columns, batches }: Products, least: number): Conv2dVariant {
  let lanes = least;
  while (lanes < 256 && Math.ceil(rows / (8 * lanes)) > MAXIMUM_WORKGROUPS) lanes *= 2;
  return {
    kernel: 'register',
    variant: 'register 8x8',
    overrides: { WORKGROUP_SIZE: lanes },
    replace: {},
    workgroups: [Math.ceil(columns / 8), Math.ceil(rows / (8 * lanes)), batches],
  };
}

/** Terms that one chain of a weight's gradient sums at most, where images are small enough. */
const CHAIN = 8192;

/**
 * A weight's gradient sums over all pixels of all images, and is small: it is split by images into parts, so that every
 * core has some and rounding grows no further than over a chain. A matter of shapes and of the kind of adapter alone.
 */
export function partsOf(
  { facts }: Device,
  given: { rows: number; columns: number; groups: number; images: number; pixels: number },
): { parts: number; imagesPerPart: number } {
  const tiles = Math.ceil(given.rows / 32) * Math.ceil(given.columns / 16) * given.groups;
  const wanted = Math.max((given.images * given.pixels) / CHAIN, (facts.software ? 8 : 512) / tiles);
  const imagesPerPart = Math.max(1, Math.floor(given.images / Math.max(1, wanted)));
  return { parts: Math.max(1, Math.ceil(given.images / imagesPerPart)), imagesPerPart };
}
