import { coreCount, type Products, type QuadVariant, quadTypes } from './quadTiles.js';

/** Steps of inner that a lane can hold its columns for: beyond, what it holds costs as much as loading it again. */
export const MOST_HELD = 16;

/**
 * Nanoseconds of a load, of a fused multiply-add of four lanes, of a store: rounded estimates from the CPU time of a few
 * tiles on a busy machine of two cores. Only their ratios matter, and they order tiles, not more.
 */
const [LOAD, FMA, STORE] = [10, 0.7, 7];

interface HeldTile {
  readonly tileRows: 64 | 32 | 16 | 8 | 4;
  readonly tileColumns: 16 | 12 | 8;
}

/** Tiles of `quadHeld.wgsl` by when their last round over the cores ends, the earliest first; none for a long inner. */
export function heldTiles(products: Products): QuadVariant<'quadHeld'>[] {
  const { rows, columns, inner, batches } = products;
  if (inner > MOST_HELD) return [];
  const costOf = ({ tileRows, tileColumns }: HeldTile) => {
    const tiles = Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns) * batches;
    const held = (inner * tileColumns * LOAD) / 4;
    const fours = (Math.min(rows, tileRows) / 4) * (inner * (LOAD + tileColumns * FMA) + tileColumns * STORE);
    return Math.ceil(tiles / coreCount()) * (held + fours);
  };
  const tiles = ([16, 12, 8] as const).flatMap((tileColumns) =>
    ([64, 32, 16, 8, 4] as const).map((tileRows) => ({ tileRows, tileColumns })),
  );
  return tiles.map((tile) => ({ ...held(products, tile), cost: costOf(tile) })).sort((a, b) => a.cost - b.cost);
}

function held(
  { rows, columns, inner, batches }: Products,
  { tileRows, tileColumns }: HeldTile,
): Omit<QuadVariant<'quadHeld'>, 'cost'> {
  return {
    kernel: 'quadHeld',
    variant: `held ${tileRows}x${tileColumns}`,
    overrides: {
      TILE_ROWS: tileRows,
      INNER: inner,
      WHOLE: Number(rows % tileRows === 0 && columns % tileColumns === 0),
    },
    replace: quadTypes(tileColumns),
    workgroups: [Math.ceil(columns / tileColumns), Math.ceil(rows / tileRows), batches],
  };
}
