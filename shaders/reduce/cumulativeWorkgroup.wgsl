// Running sums along rows, one workgroup a row.
//   source [rows, count]   ->   result [rows, count]
// variant  workgroup: few long rows; many or short rows want cumulative.wgsl
// bytes    reads and writes 4 rows count
// flops    3 rows count
// order    tiles of WORKGROUP_SIZE * ITEMS, one after another; a lane sums ITEMS neighbours, an eighth of the lanes
//          its lanes: rounding grows as for a chain of ITEMS + WORKGROUP_SIZE / 8 + 10 + count / tile additions
// tails    items past the end count as 0
// grid     rows, folded: gridWidth workgroups in x
// include reduce/running.wgsl    Element, EXCLUSIVE, sizes, load_source, store_result, place

// A multiple of 8.
override WORKGROUP_SIZE: u32 = 64;
const ITEMS = 8u;

// The sum of each lane, then of the lanes before it in its eighth.
var<workgroup> lanes: array<Element, WORKGROUP_SIZE>;
var<workgroup> eighths: array<Element, 8>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn cumulativeWorkgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * sizes.gridWidth + group.x;
  if (row >= sizes.rows) { return; }
  let width = WORKGROUP_SIZE / 8u;
  var carry = Element(0);
  for (var tile = 0u; tile < sizes.count; tile += WORKGROUP_SIZE * ITEMS) {
    let start = tile + lane * ITEMS;
    let items = min(ITEMS, sizes.count - min(start, sizes.count));
    var values: array<Element, ITEMS>;
    var sum = Element(0);
    for (var i = 0u; i < items; i += 1u) {
      values[i] = load_source(row, place(start + i));
      sum += values[i];
    }
    lanes[lane] = sum;
    workgroupBarrier();
    if (lane < 8u) {
      var total = Element(0);
      for (var i = lane * width; i < (lane + 1u) * width; i += 1u) {
        let own = lanes[i];
        lanes[i] = total;
        total += own;
      }
      eighths[lane] = total;
    }
    workgroupBarrier();
    var all = Element(0);
    var before = Element(0);
    for (var i = 0u; i < 8u; i += 1u) {
      if (i == lane / width) { before = all; }
      all += eighths[i];
    }
    let base = carry + (before + lanes[lane]);
    var own = Element(0);
    for (var i = 0u; i < items; i += 1u) {
      let next = own + values[i];
      store_result(row, place(start + i), base + select(next, own, EXCLUSIVE));
      own = next;
    }
    carry += all;
    workgroupBarrier();
  }
}
