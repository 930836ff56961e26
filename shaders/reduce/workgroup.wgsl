// Reduction of rows, one workgroup a row, or a chunk of one.
//   source [outputs, count]   ->   result [outputs, chunks]
// variant  workgroup: few long rows. With several chunks it is the first of two stages; the second is the same
//          kernel over [outputs, chunks]
// bytes    reads 4 outputs count, writes 4 outputs chunks
// flops    outputs count
// order    lane i takes items i, i + WORKGROUP_SIZE, ... of the chunk in two chains; then eight lanes take
//          neighbouring lanes, and one these eight: rounding grows as for a chain of
//          itemsPerChunk / (2 WORKGROUP_SIZE) + WORKGROUP_SIZE / 8 + 9 additions
// tails    a lane without items has the identity
// grid     outputs * chunks, folded: gridWidth workgroups in x

// f32, i32 or u32.
alias Element = f32;

struct Sizes { outputs: u32, count: u32, chunks: u32, itemsPerChunk: u32, gridWidth: u32, identity: Element }

// A multiple of 8.
override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source: array<Element>;
@group(0) @binding(2) var<storage, read_write> result: array<Element>;

fn load_source(output: u32, item: u32) -> Element { return source[output * sizes.count + item]; }
// output counts [outputs, chunks]: with one chunk it is the row.
fn store_result(output: u32, value: Element) { result[output] = value; }

// Associative up to rounding, commutative, with sizes.identity.
fn combine(a: Element, b: Element) -> Element { return a + b; }

var<workgroup> lanes: array<Element, WORKGROUP_SIZE>;
var<workgroup> eighths: array<Element, 8>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn reduceWorkgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let part = group.y * sizes.gridWidth + group.x;
  if (part >= sizes.outputs * sizes.chunks) { return; }
  let output = part / sizes.chunks;
  let start = (part % sizes.chunks) * sizes.itemsPerChunk;
  let end = min(start + sizes.itemsPerChunk, sizes.count);

  var even = sizes.identity;
  var odd = sizes.identity;
  var item = start + lane;
  for (; item + WORKGROUP_SIZE < end; item += 2u * WORKGROUP_SIZE) {
    even = combine(even, load_source(output, item));
    odd = combine(odd, load_source(output, item + WORKGROUP_SIZE));
  }
  if (item < end) { even = combine(even, load_source(output, item)); }
  lanes[lane] = combine(even, odd);
  workgroupBarrier();

  // Two barriers, not one for each halving: on a CPU adapter a barrier costs as much as thirty loads.
  let width = WORKGROUP_SIZE / 8u;
  if (lane < 8u) {
    var total = lanes[lane * width];
    for (var i = 1u; i < width; i += 1u) { total = combine(total, lanes[lane * width + i]); }
    eighths[lane] = total;
  }
  workgroupBarrier();
  if (lane > 0u) { return; }
  var total = eighths[0];
  for (var i = 1u; i < 8u; i += 1u) { total = combine(total, eighths[i]); }
  store_result(part, total);
}
