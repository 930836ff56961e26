// Index of the largest (or smallest) element of rows, one workgroup a row.
//   source [outputs, count]   ->   result [outputs], i32: the first of ties, NaN leading all; 0 for empty rows
// variant  workgroup: few long rows; many or short rows want argument.wgsl
// bytes    reads 4 outputs count, writes 4 outputs
// grid     outputs, folded: gridWidth workgroups in x
// include reduce/leader.wgsl     sizes, load_source, store_result, Element, better, leads, Leader, leaderOf

// A multiple of 8.
override WORKGROUP_SIZE: u32 = 64;

var<workgroup> lanes: array<Leader, WORKGROUP_SIZE>;
var<workgroup> eighths: array<Leader, 8>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn argumentWorkgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let output = group.y * sizes.gridWidth + group.x;
  if (output >= sizes.outputs) { return; }
  // A lane past the end repeats the last item: nothing changes by it.
  let first = min(lane, max(sizes.count, 1u) - 1u);
  var best = Leader(Element(0), 0u);
  if (sizes.count > 0u) {
    best = Leader(load_source(output, first), first);
    for (var item = first + WORKGROUP_SIZE; item < sizes.count; item += WORKGROUP_SIZE) {
      let candidate = load_source(output, item);
      if (leads(candidate, best.value)) { best = Leader(candidate, item); }
    }
  }
  lanes[lane] = best;
  workgroupBarrier();

  let width = WORKGROUP_SIZE / 8u;
  if (lane < 8u) {
    var leader = lanes[lane * width];
    for (var i = 1u; i < width; i += 1u) { leader = leaderOf(leader, lanes[lane * width + i]); }
    eighths[lane] = leader;
  }
  workgroupBarrier();
  if (lane > 0u) { return; }
  var leader = eighths[0];
  for (var i = 1u; i < 8u; i += 1u) { leader = leaderOf(leader, eighths[i]); }
  store_result(output, i32(leader.index));
}
