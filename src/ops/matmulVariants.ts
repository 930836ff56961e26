import type { Device } from '../device/device.js';

export interface MatmulShape {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly batches: number;
}

export interface MatmulChoice {
  readonly kernel: 'register' | 'blocked' | 'quad';
  readonly variant: string;
  readonly overrides: Readonly<Record<string, number>>;
  readonly workgroups: readonly [number, number, number];
}

/**
 * Which kernel and tile a product gets on a device. Measured on the software adapter (subgroups of four lanes
 * of one core): quads, or register tiles without subgroups. Discrete GPUs get workgroup-memory blocks, the
 * shape that others report to be best there.
 */
export function chooseMatmul(device: Device, shape: MatmulShape): MatmulChoice {
  const { software, subgroupMinSize, subgroupMaxSize } = device.facts;
  const quads = device.features.has('subgroups') && subgroupMinSize === 4 && subgroupMaxSize === 4;
  if (quads) return quad(shape);
  return software ? register(shape) : blocked(shape);
}

function quad({ rows, columns, batches }: MatmulShape): MatmulChoice {
  const tileRows = smallestCover(rows, [4, 8, 16, 32]);
  const tileColumns = smallestCover(columns, [4, 8, 12, 16]);
  return {
    kernel: 'quad',
    variant: `quad ${tileRows}x${tileColumns}`,
    overrides: { TILE_ROWS: tileRows, TILE_COLUMNS: tileColumns },
    workgroups: [Math.ceil(columns / tileColumns), Math.ceil(rows / tileRows), batches],
  };
}

function register({ rows, columns, batches }: MatmulShape): MatmulChoice {
  const lanes = 4;
  return {
    kernel: 'register',
    variant: 'register 16x8',
    overrides: { WORKGROUP_SIZE: lanes },
    workgroups: [Math.ceil(columns / 8), Math.ceil(rows / (16 * lanes)), batches],
  };
}

function blocked({ rows, columns, batches }: MatmulShape): MatmulChoice {
  return {
    kernel: 'blocked',
    variant: 'blocked 64x64',
    overrides: {},
    workgroups: [Math.ceil(columns / 64), Math.ceil(rows / 64), batches],
  };
}

/** The smallest size that holds the length, or the largest there is. */
function smallestCover(length: number, sizes: readonly number[]): number {
  return sizes.find((size) => length <= size) ?? (sizes.at(-1) as number);
}
