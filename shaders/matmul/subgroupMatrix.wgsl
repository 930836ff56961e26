// Matrix product by the adapter's own small products of matrices: result = a b, in batches.
//   a [batches, rows, inner]   b [batches, inner, columns], both by strides   ->   result [batches, rows, columns]
// variant  subgroup matrix: needs chromium-experimental-subgroup-matrix with M x N x K of Component summed in f32, and
//          subgroups of one size, each a run of neighbouring invocations, as adapters have them (the tuner checks results
//          before it times). Not yet measured on a GPU; run for its results on Mesa's llvmpipe
// tiles    a workgroup is 2 x 2 subgroups and owns 8 M x 4 N results, a subgroup 4 x 2 matrices of them. Operands pass
//          through workgroup memory as Component, BLOCK_INNER steps a turn: 8 M + 4 N numbers a step
// bytes    reads 4 (2 of f16) rows columns inner (1 / 8 M + 1 / 4 N), each batch; writes the result once
// flops    2 rows columns inner, each batch
// order    the adapter's: the same bits on one adapter, others than the other kernels'
// tails    past the end everything is zero, and no result is stored
// grid     x = ceil(columns / 4 N), y = ceil(rows / 8 M), z = batches; folded where one is above 65535
// sums     by the first row of workgroups, from the blocks of b that they hold
// include matmul/operands.wgsl    sizes, store_result, COLUMN_SUMS, store_sum, FOLDED, unfold
// include matmul/scalars.wgsl     a, b

// What the adapter multiplies.
const M = 8u;
const N = 8u;
const K = 8u;
alias Component = f16;

const BLOCK_ROWS = 8u * M;
const BLOCK_COLUMNS = 4u * N;
const BLOCK_INNER = 2u * K;
override WORKGROUP_SIZE: u32 = 128;

var<workgroup> leftBlock: array<Component, BLOCK_ROWS * BLOCK_INNER>;        // [row][step]
var<workgroup> rightBlock: array<Component, BLOCK_INNER * BLOCK_COLUMNS>;    // [step][column]
var<workgroup> finished: array<f32, 4u * M * N>;                             // one matrix of each subgroup

// Which way neighbouring invocations walk while loading: along the dimension whose stride is 1. Results do not change.
override A_TRANSPOSED: bool = false;   // false: aInner is 1; true: aRow is 1
override B_TRANSPOSED: bool = false;   // false: bColumn is 1; true: bInner is 1

alias Left = subgroup_matrix_left<Component, K, M>;
alias Right = subgroup_matrix_right<Component, N, K>;
alias Sum = subgroup_matrix_result<f32, N, M>;

fn loadLeft(start: u32, firstRow: u32, firstStep: u32, index: u32) {
  for (var i = index; i < BLOCK_ROWS * BLOCK_INNER; i += WORKGROUP_SIZE) {
    let row = select(i / BLOCK_INNER, i % BLOCK_ROWS, A_TRANSPOSED);
    let step = select(i % BLOCK_INNER, i / BLOCK_ROWS, A_TRANSPOSED);
    let inside = firstRow + row < sizes.rows && firstStep + step < sizes.inner;
    let at = start + (firstRow + row) * sizes.aRow + (firstStep + step) * sizes.aInner;
    var element = Component();
    if (inside) { element = Component(a[at]); }
    leftBlock[row * BLOCK_INNER + step] = element;
  }
}

fn loadRight(start: u32, firstStep: u32, firstColumn: u32, index: u32) {
  for (var i = index; i < BLOCK_INNER * BLOCK_COLUMNS; i += WORKGROUP_SIZE) {
    let step = select(i / BLOCK_COLUMNS, i % BLOCK_INNER, B_TRANSPOSED);
    let column = select(i % BLOCK_COLUMNS, i / BLOCK_INNER, B_TRANSPOSED);
    let inside = firstStep + step < sizes.inner && firstColumn + column < sizes.columns;
    let at = start + (firstStep + step) * sizes.bInner + (firstColumn + column) * sizes.bColumn;
    var element = Component();
    if (inside) { element = Component(b[at]); }
    rightBlock[step * BLOCK_COLUMNS + column] = element;
  }
}

fn left(row: u32, step: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&leftBlock, row * BLOCK_INNER + step, BLOCK_INNER);
}

fn right(step: u32, column: u32) -> Right {
  return subgroupMatrixLoad<Right, row_major>(&rightBlock, step * BLOCK_COLUMNS + column, BLOCK_COLUMNS);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn matmul(
  @builtin(workgroup_id) id: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let group = unfold(id, BLOCK_ROWS, BLOCK_COLUMNS);
  if (FOLDED && group.z >= sizes.batches) { return; }
  let batch = group.z;
  let blockRow = group.y * BLOCK_ROWS;
  let blockColumn = group.x * BLOCK_COLUMNS;
  let lanes = WORKGROUP_SIZE / 4u;
  // The same in all lanes of a subgroup.
  let subgroup = subgroupBroadcastFirst(index / lanes);
  let row = subgroup / 2u * 4u * M;
  let column = subgroup % 2u * 2u * N;
  let aStart = sizes.aOffset + batch * sizes.aBatch;
  let bStart = sizes.bOffset + batch * sizes.bBatch;

  var c00 = Sum();
  var c01 = Sum();
  var c10 = Sum();
  var c11 = Sum();
  var c20 = Sum();
  var c21 = Sum();
  var c30 = Sum();
  var c31 = Sum();
  var columnSum = 0.0;
  for (var start = 0u; start < sizes.inner; start += BLOCK_INNER) {
    loadLeft(aStart, blockRow, start, index);
    loadRight(bStart, start, blockColumn, index);
    workgroupBarrier();
    for (var k = 0u; k < BLOCK_INNER; k += K) {
      let b0 = right(k, column);
      let b1 = right(k, column + N);
      let a0 = left(row, k);
      c00 = subgroupMatrixMultiplyAccumulate(a0, b0, c00);
      c01 = subgroupMatrixMultiplyAccumulate(a0, b1, c01);
      let a1 = left(row + M, k);
      c10 = subgroupMatrixMultiplyAccumulate(a1, b0, c10);
      c11 = subgroupMatrixMultiplyAccumulate(a1, b1, c11);
      let a2 = left(row + 2u * M, k);
      c20 = subgroupMatrixMultiplyAccumulate(a2, b0, c20);
      c21 = subgroupMatrixMultiplyAccumulate(a2, b1, c21);
      let a3 = left(row + 3u * M, k);
      c30 = subgroupMatrixMultiplyAccumulate(a3, b0, c30);
      c31 = subgroupMatrixMultiplyAccumulate(a3, b1, c31);
    }
    if (COLUMN_SUMS && group.y == 0u && index < BLOCK_COLUMNS) {
      for (var k = 0u; k < BLOCK_INNER; k += 1u) { columnSum += f32(rightBlock[k * BLOCK_COLUMNS + index]); }
    }
    workgroupBarrier();
  }
  if (COLUMN_SUMS && group.y == 0u && index < BLOCK_COLUMNS && blockColumn + index < sizes.columns) {
    store_sum(blockColumn + index, columnSum);
  }

  // One matrix of each subgroup after the other, so that the epilogue is compiled once.
  let mine = subgroup * M * N;
  for (var tile = 0u; tile < 8u; tile += 1u) {
    switch (tile) {
      case 0u: { subgroupMatrixStore<row_major>(&finished, mine, c00, N); }
      case 1u: { subgroupMatrixStore<row_major>(&finished, mine, c01, N); }
      case 2u: { subgroupMatrixStore<row_major>(&finished, mine, c10, N); }
      case 3u: { subgroupMatrixStore<row_major>(&finished, mine, c11, N); }
      case 4u: { subgroupMatrixStore<row_major>(&finished, mine, c20, N); }
      case 5u: { subgroupMatrixStore<row_major>(&finished, mine, c21, N); }
      case 6u: { subgroupMatrixStore<row_major>(&finished, mine, c30, N); }
      default: { subgroupMatrixStore<row_major>(&finished, mine, c31, N); }
    }
    workgroupBarrier();
    for (var i = lane; i < M * N; i += lanes) {
      let atRow = blockRow + row + tile / 2u * M + i / N;
      let atColumn = blockColumn + column + tile % 2u * N + i % N;
      if (atRow < sizes.rows && atColumn < sizes.columns) { store_result(batch, atRow, atColumn, finished[mine + i]); }
    }
    workgroupBarrier();
  }
}
