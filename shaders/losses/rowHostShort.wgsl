// Row losses: values and logit gradients together, for rows that fit in the registers of their lanes.
//   logits [rows, classes]  labels [rows]  cotangent [rows]  ->  value [rows]  gradients [rows, classes]
// gradients are times the row's cotangent.
// variant  classes <= LANES * ITEMS, LANES lanes a row; longer rows: rowHostLong.wgsl
// reads    each logit once, and the label's again
// bytes    reads 4 rows (classes + 3), writes 4 rows (classes + 1)
// flops    about 12 rows classes, two exponentials each
// order    lane i takes columns i, i + LANES, ...; lanes combine by halving: the same bits every run
// tails    columns past the end are held but not included, and nothing is stored for them
// grid     ceil(rows / (WORKGROUP_SIZE / LANES)), folded: gridWidth workgroups in x
// include losses/labels.wgsl     labelOf, writeValue, writeGradient; with it rowHost.wgsl: hooks, rowOf, logitOf
// include losses/lanes.wgsl      LANES, combineOthers, combineSums

// Logits that a lane holds: a multiple of 8.
const ITEMS = 16u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn rowLossShort(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let lane = local % LANES;
  let slot = (group.y * sizes.gridWidth + group.x) * (WORKGROUP_SIZE / LANES) + local / LANES;
  // Lanes past the last row go along for the barriers; they read nothing and store nothing.
  let row = min(slot, sizes.rows - 1u);
  let label = labelOf(row);
  let parameters = loadParameters();
  let end = select(sizes.classes, 0u, label.ignored || slot >= sizes.rows);

  var held: array<f32, ITEMS>;
  for (var i = 0u; i < ITEMS; i++) {
    let j = lane + i * LANES;
    if (j < end) { held[i] = load_logits(row, j); }
  }
  let steps = vec4(0u, 1u, 2u, 3u) * LANES;
  var others = othersEmpty();
  for (var i = 0u; i < ITEMS; i += 8u) {
    let a = vec4(held[i], held[i + 1u], held[i + 2u], held[i + 3u]);
    let b = vec4(held[i + 4u], held[i + 5u], held[i + 6u], held[i + 7u]);
    let columnsA = lane + i * LANES + steps;
    let columnsB = columnsA + 4u * LANES;
    let isInA = (columnsA < vec4(end)) & (columnsA != vec4(label.index));
    let isInB = (columnsB < vec4(end)) & (columnsB != vec4(label.index));
    others = othersExtend(others, a, b, isInA, isInB, parameters);
  }
  others = combineOthers(others, local, parameters);
  var statistics = rowOf(others, label.index, load_logits(row, label.index), parameters);
  if (REDUCES) {
    var sums = vec4(0.0);
    for (var i = 0u; i < ITEMS; i++) {
      let j = lane + i * LANES;
      if (j < end) { sums += reduce(statistics, logitOf(statistics, j, held[i]), parameters); }
    }
    statistics.reduced = combineSums(sums, local);
  }

  if (slot >= sizes.rows) { return; }
  if (lane == 0u) { writeValue(row, label, statistics, parameters); }
  if (!WANT_GRADIENT) { return; }
  let factor = factorOf(row, label, statistics, parameters);
  for (var i = 0u; i < ITEMS; i++) {
    let j = lane + i * LANES;
    if (j < end) { writeGradient(row, j, held[i], statistics, factor, parameters); }
    else if (j < sizes.classes) { store_gradient(row, j, 0.0); }
  }
}
