// Matrix product with a vector, a row on the left or a column on the right: result = a b, in batches.
//   a [batches, 1, inner]      b [batches, inner, columns]   ->   result [batches, 1, columns]
//   a [batches, rows, inner]   b [batches, inner, 1]         ->   result [batches, rows, 1]; both by strides
// variant  vector: four results an invocation, which share what they load of the vector; no workgroup memory, no barrier.
//          On a CPU adapter sixteen results of four lanes lie side by side, a cache line where the matrix walks along them
// bytes    reads 4 (2 of f16) inner outputs of the matrix, and of the vector a quarter of that from the cache
// flops    2 inner outputs, each batch
// order    each element is one chain of fma over inner, ascending: the same bits for any tile, any position
// tails    results past the end load the last one's row again and are not stored; inner's last 1 to 3 steps go singly
// grid     x = ceil(columns / (4 WORKGROUP_SIZE)) and y = 1, or x = 1 and y = ceil(rows / (4 WORKGROUP_SIZE)); z = batches;
//          folded where one is above 65535
// sums     of b's columns, from what is loaded of it; of a lone column by the first invocation, which loads all of it
// include matmul/operands.wgsl    sizes, store_result, COLUMN_SUMS, store_sum, FOLDED, unfold
// include matmul/scalars.wgsl     a, b

override WORKGROUP_SIZE: u32 = 4;

// Whether b is the vector: a column.
override COLUMN: bool = false;

// Four results' elements of the matrix at one step of inner.
fn loadMatrix(at: vec4u, step: u32) -> vec4f {
  if (COLUMN) {
    let four = at + step * sizes.aInner;
    return vec4f(f32(a[four[0]]), f32(a[four[1]]), f32(a[four[2]]), f32(a[four[3]]));
  }
  let four = at + step * sizes.bInner;
  return vec4f(f32(b[four[0]]), f32(b[four[1]]), f32(b[four[2]]), f32(b[four[3]]));
}

fn loadVector(start: u32, step: u32) -> f32 {
  if (COLUMN) { return f32(b[start + step * sizes.bInner]); }
  return f32(a[start + step * sizes.aInner]);
}

struct Totals { products: vec4f, sums: vec4f }

fn addStep(at: vec4u, start: u32, step: u32, totals: Totals) -> Totals {
  let matrix = loadMatrix(at, step);
  let vector = loadVector(start, step);
  var sums = totals.sums;
  if (COLUMN_SUMS) { sums += select(matrix, vec4f(vector), COLUMN); }
  return Totals(fma(matrix, vec4f(vector), totals.products), sums);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn matmul(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let outputs = select(sizes.columns, sizes.rows, COLUMN);
  let group = unfold(id, select(1u, 4u * WORKGROUP_SIZE, COLUMN), select(4u * WORKGROUP_SIZE, 1u, COLUMN));
  if (FOLDED && group.z >= sizes.batches) { return; }
  let batch = group.z;
  let tile = select(group.x, group.y, COLUMN);
  // Lanes take neighbouring results, four times.
  let first = tile * 4u * WORKGROUP_SIZE + index;
  if (first >= outputs) { return; }
  let mine = first + vec4u(0u, 1u, 2u, 3u) * WORKGROUP_SIZE;
  let held = min(mine, vec4u(outputs - 1u));
  let aStart = sizes.aOffset + batch * sizes.aBatch;
  let bStart = sizes.bOffset + batch * sizes.bBatch;
  let at = select(bStart + held * sizes.bColumn, aStart + held * sizes.aRow, vec4<bool>(COLUMN));
  let start = select(aStart, bStart, COLUMN);

  var totals = Totals();
  let whole = sizes.inner - sizes.inner % 4u;
  for (var k = 0u; k < whole; k += 4u) {
    let one = addStep(at, start, k, totals);
    let two = addStep(at, start, k + 1u, one);
    let three = addStep(at, start, k + 2u, two);
    totals = addStep(at, start, k + 3u, three);
  }
  for (var k = whole; k < sizes.inner; k += 1u) { totals = addStep(at, start, k, totals); }

  for (var i = 0u; i < 4u; i += 1u) {
    let output = mine[i];
    if (output >= outputs) { break; }
    if (COLUMN) { store_result(batch, output, 0u, totals.products[i]); }
    else { store_result(batch, 0u, output, totals.products[i]); }
    if (COLUMN_SUMS && (!COLUMN || output == 0u)) { store_sum(select(output, 0u, COLUMN), totals.sums[i]); }
  }
}
