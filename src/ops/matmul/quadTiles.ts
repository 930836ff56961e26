import type { Device } from '../../device/device.js';
import type { Variant } from '../../kernels/variants.js';

/** Products of one size. */
export interface Products {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly batches: number;
}

export interface QuadVariant<Kernel extends string = 'quad'> extends Variant {
  readonly kernel: Kernel;
  readonly overrides: Readonly<Record<string, number>>;
  readonly replace: Readonly<Record<string, string>>;
  readonly workgroups: readonly [number, number, number];
  /** Nanoseconds of a run, and its share of the time to compile: for comparisons. */
  readonly cost: number;
}

/** Quad tiles worth a timing: the best by the cost model below; the rest differ from them by more than it errs. */
export const TIMED_QUADS = 4;

/** Whether a subgroup is four lanes, as kernels want it whose workgroups of four share what they load. */
export function hasQuads({ features, facts }: Device): boolean {
  return features.has('subgroups') && facts.subgroupMinSize === 4 && facts.subgroupMaxSize === 4;
}

/** Nanoseconds of a quad's step of inner, by TILE_COLUMNS and TILE_ROWS: measured on two cores of a server. */
const STEP = {
  16: { 32: 172, 16: 102, 8: 67, 4: 48 },
  12: { 32: 142, 16: 83, 8: 53, 4: 38 },
  8: { 32: 113, 16: 65, 8: 42, 4: 31 },
} as const;
const TYPES = { 16: ['vec4f', 'mat4x4f'], 12: ['vec3f', 'mat4x3f'], 8: ['vec2f', 'mat4x2f'] } as const;

/** The same of `quadPacked.wgsl`. */
const PACKED_STEP = 77;
/** And of `vector.wgsl`'s, for sixteen results: in proportion to 4 x 8's, both measured on 30 November. */
const VECTOR_STEP = 37;

/** Nanoseconds to compile a tile, by its elements, and the runs that it is spread over: a page waits for it once. */
const [COMPILE, RUNS] = [850_000, 5000];

interface QuadTile {
  readonly tileRows: 32 | 16 | 8 | 4;
  readonly tileColumns: 16 | 12 | 8;
}

/** @param step nanoseconds of a tile's step of inner. Cores take tiles in rounds, of which the last may leave some idle. */
function costOf(
  { rows, columns, inner, batches }: Products,
  { tileRows, tileColumns }: QuadTile,
  step: number,
): number {
  const rounds = Math.ceil((Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns) * batches) / coreCount());
  return rounds * inner * step + (tileRows * tileColumns * COMPILE) / RUNS;
}

/** Tiles by what they cost, the least first. Every tile gives the same bits. */
export function quadTiles(products: Products): QuadVariant[] {
  const tiles = ([16, 12, 8] as const).flatMap((tileColumns) =>
    ([32, 16, 8, 4] as const).map((tileRows) => ({ tileRows, tileColumns })),
  );
  return tiles.map((tile) => quad(products, tile)).sort((a, b) => a.cost - b.cost);
}

function quad(products: Products, tile: QuadTile): QuadVariant {
  const { rows, columns, batches } = products;
  const { tileRows, tileColumns } = tile;
  return {
    kernel: 'quad',
    variant: `quad ${tileRows}x${tileColumns}`,
    overrides: { TILE_ROWS: tileRows },
    replace: quadTypes(tileColumns),
    workgroups: [Math.ceil(columns / tileColumns), Math.ceil(rows / tileRows), batches],
    cost: costOf(products, tile, STEP[tileColumns][tileRows]),
  };
}

/** The tile of `quadPacked.wgsl`, for operands that are read by fours. It gives the bits of the others. */
export function packedTile(
  products: Products & { readonly aTransposed: boolean; readonly bTransposed: boolean },
): QuadVariant<'quadPacked'> {
  const { rows, columns, batches, aTransposed, bTransposed } = products;
  const tile = { tileRows: 16, tileColumns: 16 } as const;
  return {
    kernel: 'quadPacked',
    variant: 'packed 16x16',
    overrides: { A_TRANSPOSED: Number(aTransposed), B_TRANSPOSED: Number(bTransposed) },
    replace: {},
    workgroups: [Math.ceil(columns / tile.tileColumns), Math.ceil(rows / tile.tileRows), batches],
    cost: costOf(products, tile, PACKED_STEP),
  };
}

/** What `vector.wgsl` costs beside quads: four lanes take sixteen results. On two cores it is mostly the least from a dozen on. */
export function vectorCost({ rows, columns, inner, batches }: Products): number {
  const results = { rows: 1, columns: rows * columns, inner, batches };
  return costOf(results, { tileRows: 4, tileColumns: 16 }, VECTOR_STEP);
}

/** The declarations of `quadTile.wgsl` for so many columns. */
export function quadTypes(tileColumns: QuadTile['tileColumns']): Readonly<Record<string, string>> {
  const [vector, matrix] = TYPES[tileColumns];
  return {
    TILE_COLUMNS: `const TILE_COLUMNS = ${tileColumns}u;`,
    Columns: `alias Columns = ${vector};`,
    Four: `alias Four = ${matrix};`,
  };
}

/** Cores that share the tiles of a product. */
export function coreCount(): number {
  return typeof navigator === 'undefined' ? 2 : (navigator.hardwareConcurrency ?? 2);
}
