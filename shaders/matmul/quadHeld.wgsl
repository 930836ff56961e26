// Matrix product over a few steps, four lanes sharing what they load: result = a b, in batches.
//   a [batches, rows, inner]   b [batches, inner, columns], both by strides   ->   result [batches, rows, columns]
// variant  quadHeld: for inner up to 16, on the adapters of quad.wgsl. A lane holds all of its columns of b, and rows of a go
//          by in fours: a sum is finished where it begins, so nothing is carried round the loop, and no tile of sums goes
//          through memory on its way to the store. 2.2 times as fast as quad.wgsl at 128 x 784 by 10, where loads of that
//          kernel, and its tile, cost more than the products
// tiles    TILE_ROWS, a multiple of 4; TILE_COLUMNS 16, or 12, 8 for few columns; INNER is sizes.inner
// bytes    reads 4 rows columns inner (1 / TILE_ROWS + 1 / TILE_COLUMNS), each batch; writes the result once
// flops    2 rows columns inner, each batch
// order    each element is one chain of fma over inner, ascending: the same bits for any tile, any position
// tails    rows and columns past the end load the last one again and are not stored; WHOLE: there are none
// grid     x = ceil(columns / TILE_COLUMNS), y = ceil(rows / TILE_ROWS), z = batches; folded where one is above 65535
// sums     by the first row of tiles, reading its columns of b once more
// include matmul/operands.wgsl    sizes, store_result, COLUMN_SUMS, FOLDED, unfold
// include matmul/scalars.wgsl     a, b, storeSums
// include matmul/quadTile.wgsl    TILE_ROWS, TILE_COLUMNS, Columns, Four, multiplyAdd, THIRD, FOURTH
// include matmul/quadRow.wgsl     loadRow

// Comparisons with it fold when the pipeline is made: what lies beyond is neither loaded nor multiplied.
override INNER: u32 = 16;

// Whether rows and columns are multiples of the tile's: then no store asks, which is a fifth of the time.
override WHOLE: bool = false;

// The lane's columns of row k of b.
fn heldRow(at: vec4u, k: u32) -> Columns {
  if (k < INNER) { return loadRow(at, k * sizes.bInner); }
  return Columns();
}

fn stepOf(k: u32, at: u32, right: Columns, sum: Four) -> Four {
  if (k < INNER) { return multiplyAdd(a[at + k * sizes.aInner], right, sum); }
  return sum;
}

fn storeRow(batch: u32, row: u32, column: u32, end: u32, values: Columns) {
  if (!WHOLE && row >= sizes.rows) { return; }
  if (WHOLE || column < end) { store_result(batch, row, column, values[0]); }
  if (WHOLE || column + 4u < end) { store_result(batch, row, column + 4u, values[1]); }
  if (TILE_COLUMNS > 8u && (WHOLE || column + 8u < end)) { store_result(batch, row, column + 8u, values[THIRD]); }
  if (TILE_COLUMNS > 12u && (WHOLE || column + 12u < end)) { store_result(batch, row, column + 12u, values[FOURTH]); }
}

@compute @workgroup_size(4)
fn matmul(@builtin(workgroup_id) id: vec3<u32>, @builtin(subgroup_invocation_id) invocation: u32) {
  let group = unfold(id, TILE_ROWS, TILE_COLUMNS);
  if (FOLDED && group.z >= sizes.batches) { return; }
  let lane = invocation % 4u;
  let batch = group.z;
  let column = group.x * TILE_COLUMNS + lane;
  let end = min(sizes.columns, (group.x + 1u) * TILE_COLUMNS);

  // Past the end, the last column again.
  let bStart = sizes.bOffset + batch * sizes.bBatch;
  let bAt = bStart + min(column + vec4u(0u, 4u, 8u, 12u), vec4u(sizes.columns - 1u)) * sizes.bColumn;
  let b0 = heldRow(bAt, 0u);
  let b1 = heldRow(bAt, 1u);
  let b2 = heldRow(bAt, 2u);
  let b3 = heldRow(bAt, 3u);
  let b4 = heldRow(bAt, 4u);
  let b5 = heldRow(bAt, 5u);
  let b6 = heldRow(bAt, 6u);
  let b7 = heldRow(bAt, 7u);
  let b8 = heldRow(bAt, 8u);
  let b9 = heldRow(bAt, 9u);
  let b10 = heldRow(bAt, 10u);
  let b11 = heldRow(bAt, 11u);
  let b12 = heldRow(bAt, 12u);
  let b13 = heldRow(bAt, 13u);
  let b14 = heldRow(bAt, 14u);
  let b15 = heldRow(bAt, 15u);

  if (COLUMN_SUMS && group.y == 0u) { storeSums(bStart, column, 4u, end); }

  let aStart = sizes.aOffset + batch * sizes.aBatch;
  let last = sizes.rows - 1u;
  for (var row = group.y * TILE_ROWS; row < min(sizes.rows, (group.y + 1u) * TILE_ROWS); row += 4u) {
    let at = aStart + min(row + lane, last) * sizes.aRow;
    let s1 = stepOf(0u, at, b0, Four());
    let s2 = stepOf(1u, at, b1, s1);
    let s3 = stepOf(2u, at, b2, s2);
    let s4 = stepOf(3u, at, b3, s3);
    let s5 = stepOf(4u, at, b4, s4);
    let s6 = stepOf(5u, at, b5, s5);
    let s7 = stepOf(6u, at, b6, s6);
    let s8 = stepOf(7u, at, b7, s7);
    let s9 = stepOf(8u, at, b8, s8);
    let s10 = stepOf(9u, at, b9, s9);
    let s11 = stepOf(10u, at, b10, s10);
    let s12 = stepOf(11u, at, b11, s11);
    let s13 = stepOf(12u, at, b12, s12);
    let s14 = stepOf(13u, at, b13, s13);
    let s15 = stepOf(14u, at, b14, s14);
    let s16 = stepOf(15u, at, b15, s15);
    storeRow(batch, row + lane, column, end, s16[0]);
    storeRow(batch, row + (lane ^ 1u), column, end, s16[1]);
    storeRow(batch, row + (lane ^ 2u), column, end, s16[2]);
    storeRow(batch, row + (lane ^ 3u), column, end, s16[3]);
  }
}
