// Mean and variance of rows, one invocation a row.
//   source [rows, count]   ->   result [rows, 2]: the mean, and the variance (by count)
// variant  serial: many rows, or short ones; few long rows want momentsWorkgroup.wgsl
// bytes    reads 4 rows count, once for both; writes 8 rows
// flops    about 5 rows count
// order    items by eights, combined one after another; then the last 1 to 7 one by one
// grid     ceil(rows / WORKGROUP_SIZE), folded: gridWidth workgroups in x
// include norm/moments.wgsl      sizes, load_source, momentsOf, store

override WORKGROUP_SIZE: u32 = 64;

@compute @workgroup_size(WORKGROUP_SIZE)
fn momentsSerial(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (row >= sizes.rows) { return; }
  store(row, momentsOf(row, 0u, 1u));
}
