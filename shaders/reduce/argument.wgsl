// Index of the largest (or smallest) element of rows, one invocation a row.
//   source [outputs, count]   ->   result [outputs], i32: the first of ties, NaN leading all; 0 for empty rows
// variant  serial: many rows, or short ones; few long rows want argumentWorkgroup.wgsl
// bytes    reads 4 outputs count, writes 4 outputs
// grid     ceil(outputs / WORKGROUP_SIZE), folded: gridWidth workgroups in x
// include reduce/leader.wgsl     sizes, load_source, store_result, Element, better, leads

override WORKGROUP_SIZE: u32 = 64;

@compute @workgroup_size(WORKGROUP_SIZE)
fn argumentSerial(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let output = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (output >= sizes.outputs) { return; }
  var index = 0u;
  if (sizes.count > 0u) {
    var best = load_source(output, 0u);
    for (var item = 1u; item < sizes.count; item += 1u) {
      let candidate = load_source(output, item);
      if (leads(candidate, best)) {
        best = candidate;
        index = item;
      }
    }
  }
  store_result(output, i32(index));
}
