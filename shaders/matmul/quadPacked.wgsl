// Matrix product, four lanes sharing what they load, four numbers a load: result = a b, in batches.
//   a [batches, rows, inner]   b [batches, inner, columns], both by strides   ->   result [batches, rows, columns]
// variant  quadPacked: quad.wgsl, where inner and the axis that each operand walks along (stride 1) have a multiple of four
//          elements, and every other stride and offset is one. A software adapter still loads number by number, but
//          addresses are worked out once for four: 8 to 14 % less time than quad.wgsl at 32 x 16, and half the code
// tiles    16 x 16: lane l loads rows 4 l to 4 l + 3 of a, and owns these columns. 32 x 16 is no faster
// bytes    reads 4 rows columns inner (1 / 16 + 1 / 16), each batch; writes the result once
// flops    2 rows columns inner, each batch
// order    each element is one chain of fma over inner, ascending: the same bits for any tile, any position
// tails    rows and columns past the end load the last ones again and are not stored
// grid     x = ceil(columns / 16), y = ceil(rows / 16), z = batches; folded where one is above 65535
// sums     by the first row of tiles, reading its columns of b once more
// include matmul/operands.wgsl    sizes, store_result, COLUMN_SUMS, store_sum, FOLDED, unfold
// include matmul/quadTile.wgsl    TILE_COLUMNS, Four, multiplyAddFour

@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;

const ROWS = 16u;

// Whether a walks along its rows, and b along inner. Transposing a block costs nothing: its 16 numbers are in registers.
override A_TRANSPOSED: bool = false;
override B_TRANSPOSED: bool = false;

// Four rows of a, four steps of each: [row][step].
fn rowsOfA(at: vec4u) -> mat4x4f {
  let block = mat4x4f(a[at[0]], a[at[1]], a[at[2]], a[at[3]]);
  if (A_TRANSPOSED) { return transpose(block); }
  return block;
}

// Four steps of b, four columns of each: [step][column].
fn stepsOfB(at: vec4u) -> mat4x4f {
  let block = mat4x4f(b[at[0]], b[at[1]], b[at[2]], b[at[3]]);
  if (B_TRANSPOSED) { return transpose(block); }
  return block;
}

// Where four loads begin, in fours. Of four lines from `first` on; past the end, the last line again.
fn startsOfLines(start: u32, first: u32, count: u32, stride: u32) -> vec4u {
  return (start + min(first + vec4u(0u, 1u, 2u, 3u), vec4u(count - 1u)) * stride) / 4u;
}

// Of four steps of inner, along the four elements from `first` on that each walks; past the end, the last four again.
fn startsOfSteps(start: u32, first: u32, count: u32, stride: u32) -> vec4u {
  return (start + min(first, count - 4u) + vec4u(0u, 1u, 2u, 3u) * stride) / 4u;
}

fn startsOfRows(start: u32, row: u32) -> vec4u {
  if (A_TRANSPOSED) { return startsOfSteps(start, row, sizes.rows, sizes.aInner); }
  return startsOfLines(start, row, sizes.rows, sizes.aRow);
}

fn startsOfColumns(start: u32, column: u32) -> vec4u {
  if (B_TRANSPOSED) { return startsOfLines(start, column, sizes.columns, sizes.bColumn); }
  return startsOfSteps(start, column, sizes.columns, sizes.bInner);
}

// The sums of the lane's columns of b, each one chain over inner.
fn storeFourSums(start: vec4u, step: u32, first: u32, end: u32) {
  var sum = vec4f();
  for (var k = 0u; k < sizes.inner / 4u; k += 1u) {
    let right = stepsOfB(start + k * step);
    sum = (((sum + right[0]) + right[1]) + right[2]) + right[3];
  }
  for (var j = 0u; j < 4u; j += 1u) {
    if (first + j < end) { store_sum(first + j, sum[j]); }
  }
}

@compute @workgroup_size(4)
fn matmul(@builtin(workgroup_id) id: vec3<u32>, @builtin(subgroup_invocation_id) invocation: u32) {
  let group = unfold(id, ROWS, TILE_COLUMNS);
  if (FOLDED && group.z >= sizes.batches) { return; }
  let lane = invocation % 4u;
  let batch = group.z;
  let row = group.y * ROWS;
  let column = group.x * TILE_COLUMNS + 4u * lane;

  let aStart = sizes.aOffset + batch * sizes.aBatch;
  let bStart = startsOfColumns(sizes.bOffset + batch * sizes.bBatch, column);
  let aStep = select(1u, sizes.aInner, A_TRANSPOSED);
  let bStep = select(sizes.bInner, 1u, B_TRANSPOSED);
  let aAt = startsOfRows(aStart, row + 4u * lane);
  var c0 = Four();
  var c1 = Four();
  var c2 = Four();
  var c3 = Four();
  for (var k = 0u; k < sizes.inner / 4u; k += 1u) {
    let right = stepsOfB(bStart + k * bStep);
    let left = rowsOfA(aAt + k * aStep);
    c0 = multiplyAddFour(left[0], right, c0);
    c1 = multiplyAddFour(left[1], right, c1);
    c2 = multiplyAddFour(left[2], right, c2);
    c3 = multiplyAddFour(left[3], right, c3);
  }

  // A loop, not 64 stores: the epilogue is compiled four times.
  var tile = array<Four, 4>(c0, c1, c2, c3);
  let end = min(sizes.columns, column + 4u);
  if (COLUMN_SUMS && group.y == 0u) { storeFourSums(bStart, bStep, column, end); }
  for (var i = 0u; i < ROWS; i += 1u) {
    // Column r of a sum is of the lane that a swap by r reaches.
    let at = row + 4u * ((i % 4u) ^ lane) + i / 4u;
    if (at >= sizes.rows) { continue; }
    let values = tile[i / 4u][i % 4u];
    if (column < end) { store_result(batch, at, column, values[0]); }
    if (column + 1u < end) { store_result(batch, at, column + 1u, values[1]); }
    if (column + 2u < end) { store_result(batch, at, column + 2u, values[2]); }
    if (column + 3u < end) { store_result(batch, at, column + 3u, values[3]); }
  }
}
