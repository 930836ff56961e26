// Row losses: values and logit gradients together, for rows of any length.
//   logits [rows, classes]  labels [rows]  cotangent [rows]  ->  value [rows]  gradients [rows, classes]
// gradients are times the row's cotangent.
// variant  LANES lanes a row: 1 where threads are lanes of a CPU, 64 to 256 on a GPU; shorter rows: rowHostShort.wgsl
// reads    each logit once for the statistics (and once more for reduce), once more for the gradient; the label's again
// bytes    reads 4 rows (2 classes + 3), writes 4 rows (classes + 1)
// flops    about 12 rows classes, two exponentials each
// order    lane i takes columns i, i + LANES, ...; lanes combine by halving: the same bits every run
// grid     ceil(rows / (WORKGROUP_SIZE / LANES)), folded: gridWidth workgroups in x
// include losses/labels.wgsl     labelOf, writeValue, writeGradient; with it rowHost.wgsl: hooks, rowOf, logitOf
// include losses/lanes.wgsl      LANES, combineOthers, combineSums

fn loadFour(row: u32, j: u32) -> vec4<f32> {
  return vec4(
    load_logits(row, j), load_logits(row, j + LANES), load_logits(row, j + 2u * LANES), load_logits(row, j + 3u * LANES),
  );
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn rowLossLong(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let lane = local % LANES;
  let slot = (group.y * sizes.gridWidth + group.x) * (WORKGROUP_SIZE / LANES) + local / LANES;
  // Lanes past the last row go along for the barriers; they read nothing and store nothing.
  let row = min(slot, sizes.rows - 1u);
  let label = labelOf(row);
  let parameters = loadParameters();
  let end = select(sizes.classes, 0u, label.ignored || slot >= sizes.rows);

  var others = othersEmpty();
  let steps = vec4(0u, 1u, 2u, 3u) * LANES;
  var j = lane;
  for (; j + 7u * LANES < end; j += 8u * LANES) {
    let a = loadFour(row, j);
    let b = loadFour(row, j + 4u * LANES);
    let isInA = j + steps != vec4(label.index);
    let isInB = j + 4u * LANES + steps != vec4(label.index);
    others = othersExtend(others, a, b, isInA, isInB, parameters);
  }
  for (; j < end; j += LANES) {
    if (j != label.index) { others = othersExtendByOne(others, load_logits(row, j), parameters); }
  }

  others = combineOthers(others, local, parameters);
  var statistics = rowOf(others, label.index, load_logits(row, label.index), parameters);
  if (REDUCES) {
    var sums = vec4(0.0);
    for (j = lane; j < end; j += LANES) { sums += reduce(statistics, logitOf(statistics, j, load_logits(row, j)), parameters); }
    statistics.reduced = combineSums(sums, local);
  }

  if (slot >= sizes.rows) { return; }
  if (lane == 0u) { writeValue(row, label, statistics, parameters); }
  if (!WANT_GRADIENT) { return; }
  if (label.ignored) {
    for (j = lane; j < sizes.classes; j += LANES) { store_gradient(row, j, 0.0); }
    return;
  }
  let factor = factorOf(row, label, statistics, parameters);
  for (j = lane; j + 3u * LANES < end; j += 4u * LANES) {
    let z = loadFour(row, j);
    writeGradient(row, j, z.x, statistics, factor, parameters);
    writeGradient(row, j + LANES, z.y, statistics, factor, parameters);
    writeGradient(row, j + 2u * LANES, z.z, statistics, factor, parameters);
    writeGradient(row, j + 3u * LANES, z.w, statistics, factor, parameters);
  }
  for (; j < end; j += LANES) { writeGradient(row, j, load_logits(row, j), statistics, factor, parameters); }
}
