// Running sums along rows, one invocation a row.
//   source [rows, count]   ->   result [rows, count]
// variant  serial: many rows, or short ones; few long rows want cumulativeWorkgroup.wgsl
// bytes    reads and writes 4 rows count
// flops    2 rows count
// order    in order, blocks of 64 summed apart: rounding grows as for a chain of 65 + count / 64 additions
// grid     ceil(rows / WORKGROUP_SIZE), folded: gridWidth workgroups in x
// include reduce/running.wgsl    Element, EXCLUSIVE, sizes, load_source, store_result, place

override WORKGROUP_SIZE: u32 = 64;
const BLOCK = 64u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn cumulativeSerial(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (row >= sizes.rows) { return; }
  var total = Element(0);
  var recent = Element(0);
  for (var i = 0u; i < sizes.count; i += 1u) {
    if (i % BLOCK == 0u) {
      total += recent;
      recent = Element(0);
    }
    let item = place(i);
    let value = load_source(row, item);
    store_result(row, item, total + select(recent + value, recent, EXCLUSIVE));
    recent += value;
  }
}
