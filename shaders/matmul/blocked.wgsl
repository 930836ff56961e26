// Matrix product, blocks passed through workgroup memory: result = a b, in batches.
//   a [batches, rows, inner]   b [batches, inner, columns], both by strides   ->   result [batches, rows, columns]
// variant  blocked: a workgroup owns BLOCK_ROWS x BLOCK_COLUMNS results, an invocation 8 x 4 of them. For discrete and
//          integrated GPUs (not yet measured on one); on a CPU adapter it is the slowest of the three
// tiles    64 x 64 by 16: 128 invocations, 8.5 KiB of workgroup memory. Rows in eights, columns in fours,
//          WORKGROUP_SIZE = BLOCK_ROWS * BLOCK_COLUMNS / 32 <= 256: 128 x 64 for large, 32 x 32 for small products
// bytes    reads 4 (2 of f16) rows columns inner (1 / BLOCK_ROWS + 1 / BLOCK_COLUMNS), each batch; writes the result once
// flops    2 rows columns inner, each batch
// order    each element is one chain of fma over inner, ascending: the same bits for any tile, any position
// tails    rows and columns past the end load the last one again and are not stored; the last block of inner is shorter
// grid     x = ceil(columns / BLOCK_COLUMNS), y = ceil(rows / BLOCK_ROWS), z = batches;
//          folded where one is above 65535
// sums     by the first row of blocks, from the blocks of b that it holds
// include matmul/operands.wgsl    sizes, store_result, COLUMN_SUMS, store_sum, FOLDED, unfold
// include matmul/scalars.wgsl     a, b

override BLOCK_ROWS: u32 = 64;
override BLOCK_COLUMNS: u32 = 64;
override BLOCK_INNER: u32 = 16;
override WORKGROUP_SIZE: u32 = 128;

// Which way neighbouring invocations walk while loading: along the dimension whose stride is 1. Results do not change.
override A_TRANSPOSED: bool = false;   // false: aInner is 1; true: aRow is 1
override B_TRANSPOSED: bool = false;   // false: bColumn is 1; true: bInner is 1

// One step of inner is a line of vec4s, four rows of a or four columns of b each; the extra one keeps lines off one bank.
override LEFT_FOURS = BLOCK_ROWS / 4u;
override RIGHT_FOURS = BLOCK_COLUMNS / 4u;
var<workgroup> leftBlock: array<vec4f, BLOCK_INNER * (LEFT_FOURS + 1u)>;
var<workgroup> rightBlock: array<vec4f, BLOCK_INNER * (RIGHT_FOURS + 1u)>;

// Four rows of a, or past the end the last one again, at one step of inner.
fn loadLeft(start: u32, row: u32, k: u32) -> vec4f {
  let at = start + min(row + vec4u(0u, 1u, 2u, 3u), vec4u(sizes.rows - 1u)) * sizes.aRow + k * sizes.aInner;
  return vec4f(f32(a[at[0]]), f32(a[at[1]]), f32(a[at[2]]), f32(a[at[3]]));
}

// Four columns of b, or past the end the last one again, at one step of inner.
fn loadRight(start: u32, column: u32, k: u32) -> vec4f {
  let at = start + min(column + vec4u(0u, 1u, 2u, 3u), vec4u(sizes.columns - 1u)) * sizes.bColumn + k * sizes.bInner;
  return vec4f(f32(b[at[0]]), f32(b[at[1]]), f32(b[at[2]]), f32(b[at[3]]));
}

// Column r of the sum is row r of four.
fn multiplyAdd(left: vec4f, right: vec4f, sum: mat4x4f) -> mat4x4f {
  return mat4x4f(
    fma(vec4f(left[0]), right, sum[0]),
    fma(vec4f(left[1]), right, sum[1]),
    fma(vec4f(left[2]), right, sum[2]),
    fma(vec4f(left[3]), right, sum[3]),
  );
}

// The invocation's eight rows, as two fours.
struct Eight { upper: mat4x4f, lower: mat4x4f }

fn multiplyAddStep(k: u32, fourRow: u32, fourColumn: u32, sum: Eight) -> Eight {
  let right = rightBlock[k * (RIGHT_FOURS + 1u) + fourColumn];
  let at = k * (LEFT_FOURS + 1u) + fourRow;
  return Eight(multiplyAdd(leftBlock[at], right, sum.upper), multiplyAdd(leftBlock[at + 1u], right, sum.lower));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn matmul(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let group = unfold(id, BLOCK_ROWS, BLOCK_COLUMNS);
  if (FOLDED && group.z >= sizes.batches) { return; }
  let batch = group.z;
  let blockRow = group.y * BLOCK_ROWS;
  let blockColumn = group.x * BLOCK_COLUMNS;
  let fourRow = index / RIGHT_FOURS * 2u;
  let fourColumn = index % RIGHT_FOURS;
  let aStart = sizes.aOffset + batch * sizes.aBatch;
  let bStart = sizes.bOffset + batch * sizes.bBatch;

  var sum = Eight();
  var columnSum = vec4f();
  for (var start = 0u; start < sizes.inner; start += BLOCK_INNER) {
    let steps = min(BLOCK_INNER, sizes.inner - start);
    for (var i = index; i < BLOCK_INNER * LEFT_FOURS; i += WORKGROUP_SIZE) {
      let k = select(i % BLOCK_INNER, i / LEFT_FOURS, A_TRANSPOSED);
      let four = select(i / BLOCK_INNER, i % LEFT_FOURS, A_TRANSPOSED);
      if (k < steps) { leftBlock[k * (LEFT_FOURS + 1u) + four] = loadLeft(aStart, blockRow + 4u * four, start + k); }
    }
    for (var i = index; i < BLOCK_INNER * RIGHT_FOURS; i += WORKGROUP_SIZE) {
      let k = select(i / RIGHT_FOURS, i % BLOCK_INNER, B_TRANSPOSED);
      let four = select(i % RIGHT_FOURS, i / BLOCK_INNER, B_TRANSPOSED);
      if (k < steps) { rightBlock[k * (RIGHT_FOURS + 1u) + four] = loadRight(bStart, blockColumn + 4u * four, start + k); }
    }
    workgroupBarrier();
    if (steps == BLOCK_INNER) {   // a constant number of steps, for the compiler to unroll
      for (var k = 0u; k < BLOCK_INNER; k += 1u) { sum = multiplyAddStep(k, fourRow, fourColumn, sum); }
    } else {
      for (var k = 0u; k < steps; k += 1u) { sum = multiplyAddStep(k, fourRow, fourColumn, sum); }
    }
    if (COLUMN_SUMS && group.y == 0u) {
      for (var k = 0u; k < steps; k += 1u) { columnSum += rightBlock[k * (RIGHT_FOURS + 1u) + fourColumn]; }
    }
    workgroupBarrier();
  }

  // A loop, not 32 stores: the epilogue is written out four times.
  var tile = array<mat4x4f, 2>(sum.upper, sum.lower);
  let column = blockColumn + 4u * fourColumn;
  if (COLUMN_SUMS && group.y == 0u && fourRow == 0u) {
    for (var j = 0u; j < min(4u, sizes.columns - min(column, sizes.columns)); j += 1u) { store_sum(column + j, columnSum[j]); }
  }
  for (var i = 0u; i < 8u; i += 1u) {
    let row = blockRow + 4u * fourRow + i;
    if (row >= sizes.rows) { break; }
    let values = tile[i / 4u][i % 4u];
    if (column < sizes.columns) { store_result(batch, row, column, values[0]); }
    if (column + 1u < sizes.columns) { store_result(batch, row, column + 1u, values[1]); }
    if (column + 2u < sizes.columns) { store_result(batch, row, column + 2u, values[2]); }
    if (column + 3u < sizes.columns) { store_result(batch, row, column + 3u, values[3]); }
  }
}
