// Reduction of rows, one invocation a row.
//   source [outputs, count]   ->   result [outputs]
// variant  serial: many rows, or short ones; few long rows want workgroup.wgsl
// bytes    reads 4 outputs count, writes 4 outputs
// flops    outputs count
// order    items in blocks of 64; a block in four interleaved chains, then block after block:
//          rounding grows as for a chain of 18 + count / 64 additions
// grid     ceil(outputs / WORKGROUP_SIZE), folded: gridWidth workgroups in x

// f32, i32 or u32.
alias Element = f32;

struct Sizes { outputs: u32, count: u32, gridWidth: u32, identity: Element }

override WORKGROUP_SIZE: u32 = 64;
const BLOCK = 64u;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source: array<Element>;
@group(0) @binding(2) var<storage, read_write> result: array<Element>;

fn load_source(output: u32, item: u32) -> Element { return source[output * sizes.count + item]; }
fn store_result(output: u32, value: Element) { result[output] = value; }

// Associative up to rounding, commutative, with sizes.identity.
fn combine(a: Element, b: Element) -> Element { return a + b; }

@compute @workgroup_size(WORKGROUP_SIZE)
fn reduceSerial(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let output = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (output >= sizes.outputs) { return; }
  let whole = sizes.count - sizes.count % 4u;
  var total = sizes.identity;
  var item = 0u;
  while (item < whole) {
    let end = min(item + BLOCK, whole);
    var block0 = sizes.identity;
    var block1 = sizes.identity;
    var block2 = sizes.identity;
    var block3 = sizes.identity;
    for (; item < end; item += 4u) {
      block0 = combine(block0, load_source(output, item));
      block1 = combine(block1, load_source(output, item + 1u));
      block2 = combine(block2, load_source(output, item + 2u));
      block3 = combine(block3, load_source(output, item + 3u));
    }
    total = combine(total, combine(combine(block0, block1), combine(block2, block3)));
  }
  for (; item < sizes.count; item += 1u) { total = combine(total, load_source(output, item)); }
  store_result(output, total);
}
