// Convolution as a matrix product, four lanes sharing what they load.
//   a [images, aHeight, aWidth, aChannels]   b: the weight, or the cotangent   ->   result, by the walk
// variant  quad: needs subgroups. A workgroup is one quad and owns TILE_ROWS x TILE_COLUMNS results, as matmul/quad.wgsl
//          and for the same adapters: a subgroup is four lanes of one CPU core
// tiles    TILE_ROWS 32, 16, 8 or 4; TILE_COLUMNS 16, 12 or 8
// bytes    reads 4 rows columns inner (1 / TILE_ROWS + 1 / TILE_COLUMNS) for each product, inner = segments * run
// flops    2 rows columns inner
// order    each element is one chain of fma over segments, then steps, ascending: the same bits for any tile
// tails    rows and columns past the end load the last one again and are not stored; a run's last 1 to 3 steps go singly
// grid     x = ceil(columns / TILE_COLUMNS), y = ceil(rows / TILE_ROWS), z = groups * phases, or groups * parts
// include convolution/pixels.wgsl   walkOf, originOf, segmentOf, cursorOf, resultRow; taps.wgsl replaces it
// include matmul/quadTile.wgsl      TILE_ROWS, TILE_COLUMNS, Columns, Four, multiplyAdd, multiplyAddFour, THIRD,
//                                   FOURTH

// Four steps of a row of a.
fn loadFour(cursor: Cursor, first: Step, by: Step, limit: u32) -> vec4f {
  let second = Step(first.at + by.at, first.position + by.position);
  let third = Step(second.at + by.at, second.position + by.position);
  let fourth = Step(third.at + by.at, third.position + by.position);
  return vec4f(
    load(cursor, first, limit), load(cursor, second, limit), load(cursor, third, limit), load(cursor, fourth, limit),
  );
}

// The lane's columns of one row of b.
fn loadRow(at: vec4u, step: u32) -> Columns {
  var row = Columns();
  row[0] = b[at[0] + step];
  row[1] = b[at[1] + step];
  if (TILE_COLUMNS > 8u) { row[THIRD] = b[at[2] + step]; }
  if (TILE_COLUMNS > 12u) { row[FOURTH] = b[at[3] + step]; }
  return row;
}

@compute @workgroup_size(4)
fn convolve(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) invocation: u32) {
  let lane = invocation % 4u;
  let walk = walkOf(group.z);
  let row = group.y * TILE_ROWS;
  if (row >= walk.rows) { return; }
  let column = group.x * TILE_COLUMNS + lane;

  // The lane's rows, every fourth one, and its columns of b; past the end, the last one again.
  let last = walk.rows - 1u;
  let o0 = originOf(walk, min(row + lane, last));
  let o1 = originOf(walk, min(row + 4u + lane, last));
  let o2 = originOf(walk, min(row + 8u + lane, last));
  let o3 = originOf(walk, min(row + 12u + lane, last));
  let o4 = originOf(walk, min(row + 16u + lane, last));
  let o5 = originOf(walk, min(row + 20u + lane, last));
  let o6 = originOf(walk, min(row + 24u + lane, last));
  let o7 = originOf(walk, min(row + 28u + lane, last));
  let columns = walk.group * sizes.bGroup + min(column + vec4u(0u, 4u, 8u, 12u), vec4u(sizes.columns - 1u)) * sizes.bColumn;

  let by = Step(sizes.aStep, sizes.advance);
  let run = sizes.run;
  let bStep = sizes.bStep;
  var c0 = Four();
  var c1 = Four();
  var c2 = Four();
  var c3 = Four();
  var c4 = Four();
  var c5 = Four();
  var c6 = Four();
  var c7 = Four();

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
    let bAt = columns + segment.at;
    var step = Step();
    var bRow = 0u;
    for (var k = run / 4u; k > 0u; k -= 1u) {
      let right = Four(
        loadRow(bAt, bRow), loadRow(bAt, bRow + bStep), loadRow(bAt, bRow + 2u * bStep), loadRow(bAt, bRow + 3u * bStep),
      );
      c0 = multiplyAddFour(loadFour(a0, step, by, walk.limit), right, c0);
      if (TILE_ROWS > 4u) {
        c1 = multiplyAddFour(loadFour(a1, step, by, walk.limit), right, c1);
      }
      if (TILE_ROWS > 8u) {
        c2 = multiplyAddFour(loadFour(a2, step, by, walk.limit), right, c2);
        c3 = multiplyAddFour(loadFour(a3, step, by, walk.limit), right, c3);
      }
      if (TILE_ROWS > 16u) {
        c4 = multiplyAddFour(loadFour(a4, step, by, walk.limit), right, c4);
        c5 = multiplyAddFour(loadFour(a5, step, by, walk.limit), right, c5);
        c6 = multiplyAddFour(loadFour(a6, step, by, walk.limit), right, c6);
        c7 = multiplyAddFour(loadFour(a7, step, by, walk.limit), right, c7);
      }
      step = Step(step.at + 4u * by.at, step.position + 4u * by.position);
      bRow += 4u * bStep;
    }
    for (var k = run % 4u; k > 0u; k -= 1u) {
      let right = loadRow(bAt, bRow);
      c0 = multiplyAdd(load(a0, step, walk.limit), right, c0);
      if (TILE_ROWS > 4u) {
        c1 = multiplyAdd(load(a1, step, walk.limit), right, c1);
      }
      if (TILE_ROWS > 8u) {
        c2 = multiplyAdd(load(a2, step, walk.limit), right, c2);
        c3 = multiplyAdd(load(a3, step, walk.limit), right, c3);
      }
      if (TILE_ROWS > 16u) {
        c4 = multiplyAdd(load(a4, step, walk.limit), right, c4);
        c5 = multiplyAdd(load(a5, step, walk.limit), right, c5);
        c6 = multiplyAdd(load(a6, step, walk.limit), right, c6);
        c7 = multiplyAdd(load(a7, step, walk.limit), right, c7);
      }
      step = Step(step.at + by.at, step.position + by.position);
      bRow += bStep;
    }
  }

  // A loop, not 128 stores: the epilogue is compiled four times.
  var tile = array<Four, 8>(c0, c1, c2, c3, c4, c5, c6, c7);
  let channel = walk.group * sizes.columns + column;
  let end = min(sizes.columns, (group.x + 1u) * TILE_COLUMNS);
  for (var i = 0u; i < min(TILE_ROWS, (last | 3u) + 1u - row); i += 1u) {
    let at = row + (i ^ lane);
    if (at > last) { continue; }
    let values = tile[i / 4u][i % 4u];
    let place = resultRow(walk, at);
    if (column < end) { store_result(place, channel, walk.part, values[0]); }
    if (column + 4u < end) { store_result(place, channel + 4u, walk.part, values[1]); }
    if (column + 8u < end) { store_result(place, channel + 8u, walk.part, values[THIRD]); }
    if (column + 12u < end) { store_result(place, channel + 12u, walk.part, values[FOURTH]); }
  }
}
