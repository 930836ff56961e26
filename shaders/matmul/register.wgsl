// Matrix product, one tile of registers an invocation: result = a b, in batches.
//   a [batches, rows, inner]   b [batches, inner, columns], both by strides   ->   result [batches, rows, columns]
// variant  register: no workgroup memory, no barrier, no subgroups. The best without subgroups on a CPU adapter,
//          where a load costs 30 fused multiply-adds and a barrier more; real GPUs want blocked.wgsl
// bytes    reads 4 (2 of f16) rows columns inner (1 / TILE_ROWS + 1 / TILE_COLUMNS), each batch; writes the result once
// flops    2 rows columns inner, each batch
// order    each element is one chain of fma over inner, ascending: the same bits for any tile, any position
// tails    rows and columns past the end load the last one again and are not stored; inner's odd step is its own
// grid     x = ceil(columns / TILE_COLUMNS), y = ceil(rows / (TILE_ROWS * WORKGROUP_SIZE)), z = batches;
//          folded where one is above 65535
// sums     by the first invocation of the first tiles, reading its columns of b once more
// include matmul/operands.wgsl    sizes, store_result, COLUMN_SUMS, FOLDED, unfold
// include matmul/scalars.wgsl     a, b, storeSums

const TILE_ROWS = 16u;      // c0 .. c15 below
const TILE_COLUMNS = 8u;    // the columns of Row
override WORKGROUP_SIZE: u32 = 4;

// Eight columns of one row, as two vec4.
alias Row = mat2x4f;

fn multiplyAdd(left: f32, right: Row, sum: Row) -> Row {
  let factor = vec4f(left);
  return Row(fma(factor, right[0], sum[0]), fma(factor, right[1], sum[1]));
}

// Two steps of inner: two loads of a serve sixteen fma.
fn multiplyAddTwo(at: u32, step: u32, right0: Row, right1: Row, sum: Row) -> Row {
  return multiplyAdd(f32(a[at + step]), right1, multiplyAdd(f32(a[at]), right0, sum));
}

fn loadRow(at: array<u32, 8>, step: u32) -> Row {
  return Row(
    f32(b[at[0] + step]), f32(b[at[1] + step]), f32(b[at[2] + step]), f32(b[at[3] + step]),
    f32(b[at[4] + step]), f32(b[at[5] + step]), f32(b[at[6] + step]), f32(b[at[7] + step]),
  );
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn matmul(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let group = unfold(id, TILE_ROWS * WORKGROUP_SIZE, TILE_COLUMNS);
  if (FOLDED && group.z >= sizes.batches) { return; }
  let batch = group.z;
  let row = (group.y * WORKGROUP_SIZE + index) * TILE_ROWS;
  let column = group.x * TILE_COLUMNS;
  if (row >= sizes.rows) { return; }

  // Where each row of a and each column of b starts; past the end, the last one again.
  let aStart = sizes.aOffset + batch * sizes.aBatch;
  let bStart = sizes.bOffset + batch * sizes.bBatch;
  let lastRow = sizes.rows - 1u;
  let lastColumn = sizes.columns - 1u;
  let a0 = aStart + min(row, lastRow) * sizes.aRow;
  let a1 = aStart + min(row + 1u, lastRow) * sizes.aRow;
  let a2 = aStart + min(row + 2u, lastRow) * sizes.aRow;
  let a3 = aStart + min(row + 3u, lastRow) * sizes.aRow;
  let a4 = aStart + min(row + 4u, lastRow) * sizes.aRow;
  let a5 = aStart + min(row + 5u, lastRow) * sizes.aRow;
  let a6 = aStart + min(row + 6u, lastRow) * sizes.aRow;
  let a7 = aStart + min(row + 7u, lastRow) * sizes.aRow;
  let a8 = aStart + min(row + 8u, lastRow) * sizes.aRow;
  let a9 = aStart + min(row + 9u, lastRow) * sizes.aRow;
  let a10 = aStart + min(row + 10u, lastRow) * sizes.aRow;
  let a11 = aStart + min(row + 11u, lastRow) * sizes.aRow;
  let a12 = aStart + min(row + 12u, lastRow) * sizes.aRow;
  let a13 = aStart + min(row + 13u, lastRow) * sizes.aRow;
  let a14 = aStart + min(row + 14u, lastRow) * sizes.aRow;
  let a15 = aStart + min(row + 15u, lastRow) * sizes.aRow;
  let bAt = array<u32, 8>(
    bStart + min(column, lastColumn) * sizes.bColumn,
    bStart + min(column + 1u, lastColumn) * sizes.bColumn,
    bStart + min(column + 2u, lastColumn) * sizes.bColumn,
    bStart + min(column + 3u, lastColumn) * sizes.bColumn,
    bStart + min(column + 4u, lastColumn) * sizes.bColumn,
    bStart + min(column + 5u, lastColumn) * sizes.bColumn,
    bStart + min(column + 6u, lastColumn) * sizes.bColumn,
    bStart + min(column + 7u, lastColumn) * sizes.bColumn,
  );

  if (COLUMN_SUMS && row == 0u) { storeSums(bStart, column, 1u, min(sizes.columns, column + TILE_COLUMNS)); }

  let inner = sizes.inner;
  let aStep = sizes.aInner;
  let bStep = sizes.bInner;
  var c0 = Row();
  var c1 = Row();
  var c2 = Row();
  var c3 = Row();
  var c4 = Row();
  var c5 = Row();
  var c6 = Row();
  var c7 = Row();
  var c8 = Row();
  var c9 = Row();
  var c10 = Row();
  var c11 = Row();
  var c12 = Row();
  var c13 = Row();
  var c14 = Row();
  var c15 = Row();

  // By two: by four the speed falls from 7.0 to 4.5 GFLOP/s (the turn no longer fits an instruction cache, by the look of it).
  var aAt = 0u;
  var bRow = 0u;
  for (var k = inner / 2u; k > 0u; k -= 1u) {
    let b0 = loadRow(bAt, bRow);
    let b1 = loadRow(bAt, bRow + bStep);
    c0 = multiplyAddTwo(a0 + aAt, aStep, b0, b1, c0);
    c1 = multiplyAddTwo(a1 + aAt, aStep, b0, b1, c1);
    c2 = multiplyAddTwo(a2 + aAt, aStep, b0, b1, c2);
    c3 = multiplyAddTwo(a3 + aAt, aStep, b0, b1, c3);
    c4 = multiplyAddTwo(a4 + aAt, aStep, b0, b1, c4);
    c5 = multiplyAddTwo(a5 + aAt, aStep, b0, b1, c5);
    c6 = multiplyAddTwo(a6 + aAt, aStep, b0, b1, c6);
    c7 = multiplyAddTwo(a7 + aAt, aStep, b0, b1, c7);
    c8 = multiplyAddTwo(a8 + aAt, aStep, b0, b1, c8);
    c9 = multiplyAddTwo(a9 + aAt, aStep, b0, b1, c9);
    c10 = multiplyAddTwo(a10 + aAt, aStep, b0, b1, c10);
    c11 = multiplyAddTwo(a11 + aAt, aStep, b0, b1, c11);
    c12 = multiplyAddTwo(a12 + aAt, aStep, b0, b1, c12);
    c13 = multiplyAddTwo(a13 + aAt, aStep, b0, b1, c13);
    c14 = multiplyAddTwo(a14 + aAt, aStep, b0, b1, c14);
    c15 = multiplyAddTwo(a15 + aAt, aStep, b0, b1, c15);
    aAt += 2u * aStep;
    bRow += 2u * bStep;
  }
  if (inner % 2u == 1u) {
    let b0 = loadRow(bAt, bRow);
    c0 = multiplyAdd(f32(a[a0 + aAt]), b0, c0);
    c1 = multiplyAdd(f32(a[a1 + aAt]), b0, c1);
    c2 = multiplyAdd(f32(a[a2 + aAt]), b0, c2);
    c3 = multiplyAdd(f32(a[a3 + aAt]), b0, c3);
    c4 = multiplyAdd(f32(a[a4 + aAt]), b0, c4);
    c5 = multiplyAdd(f32(a[a5 + aAt]), b0, c5);
    c6 = multiplyAdd(f32(a[a6 + aAt]), b0, c6);
    c7 = multiplyAdd(f32(a[a7 + aAt]), b0, c7);
    c8 = multiplyAdd(f32(a[a8 + aAt]), b0, c8);
    c9 = multiplyAdd(f32(a[a9 + aAt]), b0, c9);
    c10 = multiplyAdd(f32(a[a10 + aAt]), b0, c10);
    c11 = multiplyAdd(f32(a[a11 + aAt]), b0, c11);
    c12 = multiplyAdd(f32(a[a12 + aAt]), b0, c12);
    c13 = multiplyAdd(f32(a[a13 + aAt]), b0, c13);
    c14 = multiplyAdd(f32(a[a14 + aAt]), b0, c14);
    c15 = multiplyAdd(f32(a[a15 + aAt]), b0, c15);
  }

  // A loop, not 128 stores: the epilogue is compiled once.
  var tile = array<Row, TILE_ROWS>(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15);
  for (var i = 0u; i < min(TILE_ROWS, sizes.rows - row); i += 1u) {
    for (var j = 0u; j < min(TILE_COLUMNS, sizes.columns - column); j += 1u) {
      store_result(batch, row + i, column + j, tile[i][j / 4u][j % 4u]);
    }
  }
}
