// Reduction of rows, one invocation a row, or a chunk of one.
//   source [outputs, count]   ->   result [outputs, chunks]
// variant  serial: many rows, or short ones; with several chunks it is the first of two stages for long rows where
//          barriers are dear, and the second is the same kernel over [outputs, chunks]
// bytes    reads 4 outputs count, writes 4 outputs chunks
// flops    outputs count
// order    a chunk's items in blocks of 128; a block in pairs of pairs of eight, one such after another; then block after
//          block, then up to 7 more: rounding grows as for a chain of 26 + itemsPerChunk / 128 additions
// grid     ceil(outputs chunks / WORKGROUP_SIZE), folded: gridWidth workgroups in x

// f32, i32 or u32.
alias Element = f32;

struct Sizes { outputs: u32, count: u32, chunks: u32, itemsPerChunk: u32, gridWidth: u32, identity: Element }

override WORKGROUP_SIZE: u32 = 64;
const BLOCK = 128u;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source: array<Element>;
@group(0) @binding(2) var<storage, read_write> result: array<Element>;

fn load_source(output: u32, item: u32) -> Element { return source[output * sizes.count + item]; }
// output counts [outputs, chunks]: with one chunk it is the row.
fn store_result(output: u32, value: Element) { result[output] = value; }

// Associative up to rounding, commutative, with sizes.identity.
fn combine(a: Element, b: Element) -> Element { return a + b; }

@compute @workgroup_size(WORKGROUP_SIZE)
fn reduceSerial(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let part = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (part >= sizes.outputs * sizes.chunks) { return; }
  // Neighbouring lanes take neighbouring rows: of a transpose, they read one stretch.
  let output = part % sizes.outputs;
  let chunk = part / sizes.outputs;
  var item = chunk * sizes.itemsPerChunk;
  let last = min(item + sizes.itemsPerChunk, sizes.count);
  let whole = last - (last - item) % 8u;
  var total = sizes.identity;
  while (item < whole) {
    let end = min(item + BLOCK, whole);
    var block = sizes.identity;
    // One sum goes round the loop: on a CPU adapter each that does costs a dozen instructions a turn, for lanes at rest.
    for (; item < end; item += 8u) {
      let one = combine(load_source(output, item), load_source(output, item + 1u));
      let two = combine(load_source(output, item + 2u), load_source(output, item + 3u));
      let three = combine(load_source(output, item + 4u), load_source(output, item + 5u));
      let four = combine(load_source(output, item + 6u), load_source(output, item + 7u));
      block = combine(block, combine(combine(one, two), combine(three, four)));
    }
    total = combine(total, block);
  }
  for (; item < last; item += 1u) { total = combine(total, load_source(output, item)); }
  store_result(output * sizes.chunks + chunk, total);
}
