import type { Device } from '../device/device.js';
import { bucket, type Variant, type VariantQuestion } from '../kernels/variants.js';

export interface MatmulShape {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly batches: number;
  /** Whether a walks along its rows (stride 1), and b along inner. */
  readonly aTransposed: boolean;
  readonly bTransposed: boolean;
}

interface MatmulVariant extends Variant {
  readonly kernel: 'register' | 'blocked' | 'quad';
  readonly overrides: Readonly<Record<string, number>>;
  readonly replace: Readonly<Record<string, string>>;
  readonly workgroups: readonly [number, number, number];
}

/** Quad tiles worth a timing: the best by the cost model below; the rest differ from them by more than it errs. */
const TIMED_QUADS = 4;

/**
 * The kernels and tiles that a product may get on a device. Measured on the software adapter (subgroups of four
 * lanes of one core): quads, or register tiles without subgroups. Discrete GPUs get blocks in workgroup memory, the
 * shape that others report to be best there; it was not measured here.
 */
export function matmulVariants(device: Device, shape: MatmulShape): VariantQuestion<MatmulVariant> {
  const { rows, columns, inner, batches, aTransposed, bTransposed } = shape;
  const { software, subgroupMinSize, subgroupMaxSize } = device.facts;
  const quads = device.features.has('subgroups') && subgroupMinSize === 4 && subgroupMaxSize === 4;
  const layout = `${aTransposed ? 't' : 'n'}${bTransposed ? 't' : 'n'}`;
  const sizes = `m${bucket(rows)} n${bucket(columns)} k${bucket(inner)}${batches > 1 ? ` b${bucket(batches)}` : ''}`;
  const shapeClass = `matmul ${layout} f32 ${sizes}`;
  const reference = register(shape, software ? 4 : 64);
  const blocks = [blocked(shape, 64, 64), blocked(shape, 128, 64), blocked(shape, 32, 32)];
  if (quads) {
    const tiles = quadTiles(shape).map((tile) => quad(shape, tile));
    const variants = [...tiles.slice(0, TIMED_QUADS), reference, ...tiles.slice(TIMED_QUADS), ...blocks];
    return { shapeClass, variants, timed: TIMED_QUADS + 1, reference };
  }
  return { shapeClass, variants: software ? [reference, ...blocks] : [...blocks, reference], reference };
}

/** Nanoseconds of a quad's step of inner, by TILE_COLUMNS and TILE_ROWS: measured on two cores of a server. */
const STEP = {
  16: { 32: 172, 16: 102, 8: 67, 4: 48 },
  12: { 32: 142, 16: 83, 8: 53, 4: 38 },
  8: { 32: 113, 16: 65, 8: 42, 4: 31 },
} as const;
const TYPES = { 16: ['vec4f', 'mat4x4f'], 12: ['vec3f', 'mat4x3f'], 8: ['vec2f', 'mat4x2f'] } as const;

interface QuadTile {
  readonly tileRows: 32 | 16 | 8 | 4;
  readonly tileColumns: 16 | 12 | 8;
}

/** Tiles by when their last round over the cores ends, the earliest first. Every tile gives the same bits. */
function quadTiles({ rows, columns, batches }: MatmulShape): QuadTile[] {
  const cores = typeof navigator === 'undefined' ? 2 : (navigator.hardwareConcurrency ?? 2);
  const costOf = ({ tileRows, tileColumns }: QuadTile) => {
    const tiles = Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns) * batches;
    return Math.ceil(tiles / cores) * STEP[tileColumns][tileRows];
  };
  const tiles = ([16, 12, 8] as const).flatMap((tileColumns) =>
    ([32, 16, 8, 4] as const).map((tileRows) => ({ tileRows, tileColumns })),
  );
  return tiles.sort((a, b) => costOf(a) - costOf(b));
}

function quad({ rows, columns, batches }: MatmulShape, { tileRows, tileColumns }: QuadTile): MatmulVariant {
  const [vector, matrix] = TYPES[tileColumns];
  return {
    kernel: 'quad',
    variant: `quad ${tileRows}x${tileColumns}`,
    overrides: { TILE_ROWS: tileRows },
    replace: {
      TILE_COLUMNS: `const TILE_COLUMNS = ${tileColumns}u;`,
      Columns: `alias Columns = ${vector};`,
      Four: `alias Four = ${matrix};`,
    },
    workgroups: [Math.ceil(columns / tileColumns), Math.ceil(rows / tileRows), batches],
  };
}

function register({ rows, columns, batches }: MatmulShape, lanes: number): MatmulVariant {
  return {
    kernel: 'register',
    variant: 'register 16x8',
    overrides: { WORKGROUP_SIZE: lanes },
    replace: {},
    workgroups: [Math.ceil(columns / 8), Math.ceil(rows / (16 * lanes)), batches],
  };
}

function blocked(
  { rows, columns, batches, aTransposed, bTransposed }: MatmulShape,
  blockRows: number,
  blockColumns: number,
): MatmulVariant {
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
    replace: {},
    workgroups: [Math.ceil(columns / blockColumns), Math.ceil(rows / blockRows), batches],
  };
}
