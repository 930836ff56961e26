// Convolution as a matrix product, one tile of registers an invocation.
//   a [images, aHeight, aWidth, aChannels]   b: the weight, or the cotangent   ->   result, by the walk
// variant  register: no workgroup memory, no barrier, no subgroups; for every adapter that quad.wgsl is not for. (On real
//          GPUs, where it was not measured, a blocked one as matmul/blocked.wgsl should be better.)
// bytes    reads 4 rows columns inner (1 / TILE_ROWS + 1 / TILE_COLUMNS) for each product, inner = segments * run
// flops    2 rows columns inner
// order    each element is one chain of fma over segments, then steps, ascending: the same bits as quad.wgsl
// tails    rows and columns past the end load the last one again and are not stored
// grid     x = ceil(columns / TILE_COLUMNS), y = ceil(rows / (TILE_ROWS * WORKGROUP_SIZE)),
//          z = groups * phases, or groups * parts
// include convolution/pixels.wgsl   walkOf, originOf, segmentOf, cursorOf, resultRow; taps.wgsl replaces it

const TILE_ROWS = 8u;       // c0 .. c7 below
const TILE_COLUMNS = 8u;    // the columns of Row
override WORKGROUP_SIZE: u32 = 4;

// Eight columns of one row, as two vec4.
alias Row = mat2x4f;

fn multiplyAdd(left: f32, right: Row, sum: Row) -> Row {
  let factor = vec4f(left);
  return Row(fma(factor, right[0], sum[0]), fma(factor, right[1], sum[1]));
}

fn loadRow(at: array<u32, 8>, step: u32) -> Row {
  return Row(
    b[at[0] + step], b[at[1] + step], b[at[2] + step], b[at[3] + step],
    b[at[4] + step], b[at[5] + step], b[at[6] + step], b[at[7] + step],
  );
}

fn columnAt(walk: Walk, column: u32) -> u32 {
  return walk.group * sizes.bGroup + min(column, sizes.columns - 1u) * sizes.bColumn;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn convolve(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let walk = walkOf(group.z);
  let row = (group.y * WORKGROUP_SIZE + lane) * TILE_ROWS;
  if (row >= walk.rows) { return; }
  let column = group.x * TILE_COLUMNS;

  let last = walk.rows - 1u;
  let o0 = originOf(walk, row);
  let o1 = originOf(walk, min(row + 1u, last));
  let o2 = originOf(walk, min(row + 2u, last));
  let o3 = originOf(walk, min(row + 3u, last));
  let o4 = originOf(walk, min(row + 4u, last));
  let o5 = originOf(walk, min(row + 5u, last));
  let o6 = originOf(walk, min(row + 6u, last));
  let o7 = originOf(walk, min(row + 7u, last));
  let columns = array<u32, 8>(
    columnAt(walk, column), columnAt(walk, column + 1u), columnAt(walk, column + 2u), columnAt(walk, column + 3u),
    columnAt(walk, column + 4u), columnAt(walk, column + 5u), columnAt(walk, column + 6u), columnAt(walk, column + 7u),
  );

  let by = Step(sizes.aStep, sizes.advance);
  let bStep = sizes.bStep;
  let run = sizes.run;
  var c0 = Row();
  var c1 = Row();
  var c2 = Row();
  var c3 = Row();
  var c4 = Row();
  var c5 = Row();
  var c6 = Row();
  var c7 = Row();
  for (var index = 0u; index < walk.segments; index += 1u) {
    let segment = segmentOf(walk, index);
    if (segment.skipped) { continue; }
    let a0 = cursorOf(walk, o0, segment);
    let a1 = cursorOf(walk, o1, segment);
    let a2 = cursorOf(walk, o2, segment);
    let a3 = cursorOf(walk, o3, segment);
    let a4 = cursorOf(walk, o4, segment);
    let a5 = cursorOf(walk, o5, segment);
    let a6 = cursorOf(walk, o6, segment);
    let a7 = cursorOf(walk, o7, segment);
    var step = Step();
    var bRow = segment.at;
    for (var k = 0u; k < run; k += 1u) {
      let right = loadRow(columns, bRow);
      c0 = multiplyAdd(load(a0, step, walk.limit), right, c0);
      c1 = multiplyAdd(load(a1, step, walk.limit), right, c1);
      c2 = multiplyAdd(load(a2, step, walk.limit), right, c2);
      c3 = multiplyAdd(load(a3, step, walk.limit), right, c3);
      c4 = multiplyAdd(load(a4, step, walk.limit), right, c4);
      c5 = multiplyAdd(load(a5, step, walk.limit), right, c5);
      c6 = multiplyAdd(load(a6, step, walk.limit), right, c6);
      c7 = multiplyAdd(load(a7, step, walk.limit), right, c7);
      step = Step(step.at + by.at, step.position + by.position);
      bRow += bStep;
    }
  }

  // A loop, not 64 stores: the epilogue is compiled once.
  var tile = array<Row, TILE_ROWS>(c0, c1, c2, c3, c4, c5, c6, c7);
  for (var i = 0u; i < min(TILE_ROWS, walk.rows - row); i += 1u) {
    let place = resultRow(walk, row + i);
    for (var j = 0u; j < min(TILE_COLUMNS, sizes.columns - column); j += 1u) {
      store_result(place, walk.group * sizes.columns + column + j, walk.part, tile[i][j / 4u][j % 4u]);
    }
  }
}
