// Mean and variance of rows, one workgroup a row.
//   source [rows, count]   ->   result [rows, 2]: the mean, and the variance (by count)
// variant  workgroup: few long rows; many or short rows want momentsSerial.wgsl
// bytes    reads 4 rows count, once for both; writes 8 rows
// flops    about 5 rows count
// order    lane i takes items i, i + WORKGROUP_SIZE, ... by eights; then eight lanes take neighbouring lanes, and one
//          these eight
// grid     rows, folded: gridWidth workgroups in x
// include norm/moments.wgsl      sizes, load_source, Moments, combine, momentsOf, store

// A multiple of 8.
override WORKGROUP_SIZE: u32 = 64;

var<workgroup> lanes: array<Moments, WORKGROUP_SIZE>;
var<workgroup> eighths: array<Moments, 8>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn momentsWorkgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * sizes.gridWidth + group.x;
  if (row >= sizes.rows) { return; }
  lanes[lane] = momentsOf(row, lane, WORKGROUP_SIZE);
  workgroupBarrier();
  let width = WORKGROUP_SIZE / 8u;
  if (lane < 8u) {
    var moments = lanes[lane * width];
    for (var i = 1u; i < width; i += 1u) { moments = combine(moments, lanes[lane * width + i]); }
    eighths[lane] = moments;
  }
  workgroupBarrier();
  if (lane > 0u) { return; }
  var moments = eighths[0];
  for (var i = 1u; i < 8u; i += 1u) { moments = combine(moments, eighths[i]); }
  store(row, moments);
}
