import type { Device } from '../device/device.js';

export interface MatmulShape {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly batches: number;
  /** Whether a walks along its rows (stride 1), and b along inner. */
  readonly aTransposed: boolean;
  readonly bTransposed: boolean;
}

export interface MatmulChoice {
  readonly kernel: 'register' | 'blocked' | 'quad';
  readonly variant: string;
  readonly overrides: Readonly<Record<string, number>>;
  readonly replace: Readonly<Record<string, string>>;
  readonly workgroups: readonly [number, number, number];
}

/**
 * Which kernel and tile a product gets on a device. Measured on the software adapter (subgroups of four lanes
 * of one core): quads, or register tiles without subgroups. Discrete GPUs get blocks in workgroup memory, the
 * shape that others report to be best there; it was not measured here.
 */
export function chooseMatmul(device: Device, shape: MatmulShape): MatmulChoice {
  const { software, subgroupMinSize, subgroupMaxSize } = device.facts;
  const quads = device.features.has('subgroups') && subgroupMinSize === 4 && subgroupMaxSize === 4;
  if (quads) return quad(shape);
  return software ? register(shape) : blocked(shape);
}

/** Nanoseconds of a quad's step of inner, by TILE_COLUMNS and TILE_ROWS: measured on two cores of a server. */
const STEP = {
  16: { 32: 172, 16: 102, 8: 67, 4: 48 },
  12: { 32: 142, 16: 83, 8: 53, 4: 38 },
  8: { 32: 113, 16: 65, 8: 42, 4: 31 },
} as const;
const TYPES = { 16: ['vec4f', 'mat4x4f'], 12: ['vec3f', 'mat4x3f'], 8: ['vec2f', 'mat4x2f'] } as const;

/** The tile whose last round of tiles over the cores ends first. Every tile gives the same bits. */
function quad({ rows, columns, batches }: MatmulShape): MatmulChoice {
  const cores = typeof navigator === 'undefined' ? 2 : (navigator.hardwareConcurrency ?? 2);
  let best = { cost: Number.POSITIVE_INFINITY, tileRows: 32 as 32 | 16 | 8 | 4, tileColumns: 16 as 16 | 12 | 8 };
  for (const tileColumns of [16, 12, 8] as const) {
    for (const tileRows of [32, 16, 8, 4] as const) {
      const tiles = Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns) * batches;
      const cost = Math.ceil(tiles / cores) * STEP[tileColumns][tileRows];
      if (cost < best.cost) best = { cost, tileRows, tileColumns };
    }
  }
  const { tileRows, tileColumns } = best;
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

function register({ rows, columns, batches }: MatmulShape): MatmulChoice {
  const lanes = 4;
  return {
    kernel: 'register',
    variant: 'register 16x8',
    overrides: { WORKGROUP_SIZE: lanes },
    replace: {},
    workgroups: [Math.ceil(columns / 8), Math.ceil(rows / (16 * lanes)), batches],
  };
}

function blocked({ rows, columns, batches, aTransposed, bTransposed }: MatmulShape): MatmulChoice {
  return {
    kernel: 'blocked',
    variant: 'blocked 64x64',
    overrides: {
      BLOCK_ROWS: 64,
      BLOCK_COLUMNS: 64,
      BLOCK_INNER: 16,
      WORKGROUP_SIZE: 128,
      A_TRANSPOSED: Number(aTransposed),
      B_TRANSPOSED: Number(bTransposed),
    },
    replace: {},
    workgroups: [Math.ceil(columns / 64), Math.ceil(rows / 64), batches],
  };
}
