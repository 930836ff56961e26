import type { Device } from '../../device/device.js';
import { bucket, type Variant, type VariantQuestion } from '../../kernels/variants.js';
import { heldTiles } from './heldTiles.js';
import { hasQuads, packedTile, quadTiles, TIMED_QUADS, vectorCost } from './quadTiles.js';
import { elementAliases, type MatmulShape } from './shape.js';
import { subgroupMatrices } from './subgroupMatrices.js';

export interface MatmulVariant extends Variant {
  readonly kernel: 'register' | 'blocked' | 'vector' | 'subgroupMatrix' | 'quad' | 'quadHeld' | 'quadPacked';
  readonly overrides: Readonly<Record<string, number>>;
  readonly replace: Readonly<Record<string, string>>;
  /** Equal parts that the sums are cut into: see splitProduct.ts. Default: none. */
  readonly parts?: number;
  /** The grid of tiles: across, down, batches. Each may be longer than a dispatch's. */
  readonly workgroups: readonly [number, number, number];
}

/**
 * The kernels and tiles that a product may get on a device. Measured on the software adapter (subgroups of four
 * lanes of one core): quads, over a few steps of inner with b held; or register tiles without subgroups. Discrete GPUs
 * get blocks in workgroup memory, the shape that others report to be best there; it was not measured here.
 */
export function matmulVariants(device: Device, shape: MatmulShape): VariantQuestion<MatmulVariant> {
  const { rows, columns, inner, batches, aTransposed, bTransposed, byFours, aElement, bElement } = shape;
  const { software } = device.facts;
  const halves = aElement === 'f16' || bElement === 'f16';
  const elements = halves ? `${aElement} by ${bElement}` : 'f32';
  const layout = `${aTransposed ? 't' : 'n'}${bTransposed ? 't' : 'n'}`;
  const sizes = `m${bucket(rows)} n${bucket(columns)} k${bucket(inner)}${batches > 1 ? ` b${bucket(batches)}` : ''}`;
  const reference = register(shape, software ? 4 : 64);
  const vectors = rows === 1 || columns === 1 ? [vector(shape, software ? 4 : 64)] : [];
  // What is not offered to all of a class is a class of its own.
  const ways = `${byFours ? ' by fours' : ''}${vectors.length > 0 ? ' by a vector' : ''}`;
  const shapeClass = `matmul ${layout} ${elements} ${sizes}${ways}`;
  const blocks = [blocked(shape, 64, 64), blocked(shape, 128, 64), blocked(shape, 32, 32)];
  // No adapter is known that has both quads of one core and f16.
  if (hasQuads(device) && !halves) {
    const tiled = [...(byFours ? [packedTile(shape)] : []), ...quadTiles(shape)];
    const costed = vectors.map((one) => ({ ...one, cost: vectorCost(shape) }));
    const carried = [...costed, ...tiled].sort((a, b) => a.cost - b.cost);
    const tiles = [...heldTiles(shape), ...carried];
    const timed = tiles.slice(0, TIMED_QUADS);
    // Held tiles may come before: a tuner tries the vector's kernel all the same.
    const tried = [...timed, ...costed.filter((one) => !timed.includes(one)), reference];
    const rest = tiles.slice(TIMED_QUADS).filter((one) => !tried.includes(one));
    return { shapeClass, variants: [...tried, ...rest, ...blocks], timed: tried.length, reference };
  }
  const plain = software ? [...vectors, reference, ...blocks] : [...blocks, reference, ...vectors];
  return { shapeClass, variants: [...plain, ...subgroupMatrices(device, shape)], reference };
}

function register(shape: MatmulShape, lanes: number): MatmulVariant {
  const { rows, columns, batches } = shape;
  return {
    kernel: 'register',
    variant: 'register 16x8',
    overrides: { WORKGROUP_SIZE: lanes },
    replace: elementAliases(shape),
    workgroups: [Math.ceil(columns / 8), Math.ceil(rows / (16 * lanes)), batches],
  };
}

/** With a row on the left or a column on the right. */
function vector(shape: MatmulShape, lanes: number): MatmulVariant {
  const { rows, columns, batches } = shape;
  const column = columns === 1;
  const tiles = Math.ceil((column ? rows : columns) / (4 * lanes));
  return {
    kernel: 'vector',
    variant: 'vector',
    overrides: { WORKGROUP_SIZE: lanes, COLUMN: Number(column) },
    replace: elementAliases(shape),
    workgroups: column ? [1, tiles, batches] : [tiles, 1, batches],
  };
}

function blocked(shape: MatmulShape, blockRows: number, blockColumns: number): MatmulVariant {
  const { rows, columns, batches, aTransposed, bTransposed } = shape;
  return {
    kernel: 'blocked',
    variant: `blocked ${blockRows}x${blockColumns}`,
    overrides: {
      BLOCK_ROWS: blockRows,
      BLOCK_COLUMNS: blockColumns,
      BLOCK_INNER: 16,
      WORKGROUP_SIZE: (blockRows * blockColumns) / 32,
      A_TRANSPOSED: Number(aTransposed),
      B_TRANSPOSED: Number(bTransposed),
    },
    replace: elementAliases(shape),
    workgroups: [Math.ceil(columns / blockColumns), Math.ceil(rows / blockRows), batches],
  };
}
