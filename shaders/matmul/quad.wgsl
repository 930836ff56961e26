// Matrix product, four lanes sharing what they load: result = a b, in batches.
//   a [batches, rows, inner]   b [batches, inner, columns], both by strides   ->   result [batches, rows, columns]
// variant  quad: needs subgroups. A workgroup is one quad and owns TILE_ROWS x TILE_COLUMNS results, lane l every fourth
//          column from l on. For four rows of a each lane loads one and swaps it with the other three, so one step of
//          inner costs 8 + 4 loads for 32 x 16 results. For adapters whose subgroup is four lanes of one CPU core;
//          on a real GPU a workgroup of four leaves most of its subgroup idle: blocked.wgsl
// tiles    TILE_ROWS 32, or 16, 8, 4 for few rows; TILE_COLUMNS 16, or 12, 8 for few columns (10 classes: 12)
// bytes    reads 4 rows columns inner (1 / TILE_ROWS + 1 / TILE_COLUMNS), each batch; writes the result once
// flops    2 rows columns inner, each batch
// order    each element is one chain of fma over inner, ascending: the same bits for any tile, any position
// tails    rows and columns past the end load the last one again and are not stored; inner's last 1 to 3 steps go singly
// grid     x = ceil(columns / TILE_COLUMNS), y = ceil(rows / TILE_ROWS), z = batches; folded where one is above 65535
// sums     by the first row of tiles, reading its columns of b once more
// include matmul/operands.wgsl    sizes, store_result, COLUMN_SUMS, FOLDED, unfold
// include matmul/scalars.wgsl     a, b, storeSums
// include matmul/quadTile.wgsl    TILE_ROWS, TILE_COLUMNS, Columns, Four, multiplyAdd, multiplyAddFour, THIRD,
//                                 FOURTH
// include matmul/quadRow.wgsl     loadRow

// Four steps of a row of a.
fn loadFour(at: u32, step: u32) -> vec4f {
  return vec4f(a[at], a[at + step], a[at + 2u * step], a[at + 3u * step]);
}

@compute @workgroup_size(4)
fn matmul(@builtin(workgroup_id) id: vec3<u32>, @builtin(subgroup_invocation_id) invocation: u32) {
  let group = unfold(id, TILE_ROWS, TILE_COLUMNS);
  if (FOLDED && group.z >= sizes.batches) { return; }
  let lane = invocation % 4u;
  let batch = group.z;
  let row = group.y * TILE_ROWS;
  let column = group.x * TILE_COLUMNS + lane;

  // Where the lane's rows of a and columns of b start; past the end, the last one again.
  let aStart = sizes.aOffset + batch * sizes.aBatch;
  let bStart = sizes.bOffset + batch * sizes.bBatch;
  let lastRow = sizes.rows - 1u;
  let lastColumns = vec4u(sizes.columns - 1u);
  let a0 = aStart + min(row + lane, lastRow) * sizes.aRow;
  let a1 = aStart + min(row + 4u + lane, lastRow) * sizes.aRow;
  let a2 = aStart + min(row + 8u + lane, lastRow) * sizes.aRow;
  let a3 = aStart + min(row + 12u + lane, lastRow) * sizes.aRow;
  let a4 = aStart + min(row + 16u + lane, lastRow) * sizes.aRow;
  let a5 = aStart + min(row + 20u + lane, lastRow) * sizes.aRow;
  let a6 = aStart + min(row + 24u + lane, lastRow) * sizes.aRow;
  let a7 = aStart + min(row + 28u + lane, lastRow) * sizes.aRow;
  let bAt = bStart + min(column + vec4u(0u, 4u, 8u, 12u), lastColumns) * sizes.bColumn;

  let aStep = sizes.aInner;
  let bStep = sizes.bInner;
  var c0 = Four();
  var c1 = Four();
  var c2 = Four();
  var c3 = Four();
  var c4 = Four();
  var c5 = Four();
  var c6 = Four();
  var c7 = Four();

  // By four: by eight the speed falls from 12 to 7 GFLOP/s (the turn no longer fits an instruction cache, by the look of it).
  var aAt = 0u;
  var bRow = 0u;
  for (var k = sizes.inner / 4u; k > 0u; k -= 1u) {
    let right = Four(
      loadRow(bAt, bRow), loadRow(bAt, bRow + bStep), loadRow(bAt, bRow + 2u * bStep), loadRow(bAt, bRow + 3u * bStep),
    );
    c0 = multiplyAddFour(loadFour(a0 + aAt, aStep), right, c0);
    if (TILE_ROWS > 4u) {
      c1 = multiplyAddFour(loadFour(a1 + aAt, aStep), right, c1);
    }
    if (TILE_ROWS > 8u) {
      c2 = multiplyAddFour(loadFour(a2 + aAt, aStep), right, c2);
      c3 = multiplyAddFour(loadFour(a3 + aAt, aStep), right, c3);
    }
    if (TILE_ROWS > 16u) {
      c4 = multiplyAddFour(loadFour(a4 + aAt, aStep), right, c4);
      c5 = multiplyAddFour(loadFour(a5 + aAt, aStep), right, c5);
      c6 = multiplyAddFour(loadFour(a6 + aAt, aStep), right, c6);
      c7 = multiplyAddFour(loadFour(a7 + aAt, aStep), right, c7);
    }
    aAt += 4u * aStep;
    bRow += 4u * bStep;
  }
  for (var k = sizes.inner % 4u; k > 0u; k -= 1u) {
    let right = loadRow(bAt, bRow);
    c0 = multiplyAdd(a[a0 + aAt], right, c0);
    if (TILE_ROWS > 4u) {
      c1 = multiplyAdd(a[a1 + aAt], right, c1);
    }
    if (TILE_ROWS > 8u) {
      c2 = multiplyAdd(a[a2 + aAt], right, c2);
      c3 = multiplyAdd(a[a3 + aAt], right, c3);
    }
    if (TILE_ROWS > 16u) {
      c4 = multiplyAdd(a[a4 + aAt], right, c4);
      c5 = multiplyAdd(a[a5 + aAt], right, c5);
      c6 = multiplyAdd(a[a6 + aAt], right, c6);
      c7 = multiplyAdd(a[a7 + aAt], right, c7);
    }
    aAt += aStep;
    bRow += bStep;
  }

  // A loop, not 128 stores: the epilogue is compiled four times.
  var tile = array<Four, 8>(c0, c1, c2, c3, c4, c5, c6, c7);
  let end = min(sizes.columns, (group.x + 1u) * TILE_COLUMNS);
  if (COLUMN_SUMS && group.y == 0u) { storeSums(bStart, column, 4u, end); }
  for (var i = 0u; i < min(TILE_ROWS, (lastRow | 3u) + 1u - row); i += 1u) {
    let at = row + (i ^ lane);
    if (at > lastRow) { continue; }
    let values = tile[i / 4u][i % 4u];
    if (column < end) { store_result(batch, at, column, values[0]); }
    if (column + 4u < end) { store_result(batch, at, column + 4u, values[1]); }
    if (column + 8u < end) { store_result(batch, at, column + 8u, values[THIRD]); }
    if (column + 12u < end) { store_result(batch, at, column + 12u, values[FOURTH]); }
  }
}
