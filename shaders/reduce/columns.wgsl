// Reduction of columns: rows of the transpose, whose neighbours lie side by side. Four columns an invocation.
//   source [outputs, count]   ->   result [outputs]
// variant  columns: for a CPU adapter. Four lanes go through sixteen neighbouring columns, a cache line of each row; by
//          serial.wgsl, four lanes at a time, each line would come from memory four times
// bytes    reads 4 outputs count, writes 4 outputs
// flops    outputs count
// order    items in blocks of 128; a block in pairs of pairs, one such after another; then block after block, then up to 3
//          more: rounding grows as for a chain of 36 + count / 128 additions
// grid     ceil(outputs / (4 WORKGROUP_SIZE)), folded: gridWidth workgroups in x

// f32, i32 or u32.
alias Element = f32;
alias Four = vec4<Element>;

struct Sizes { outputs: u32, count: u32, gridWidth: u32, identity: Element }

override WORKGROUP_SIZE: u32 = 4;
const BLOCK = 128u;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source: array<Element>;
@group(0) @binding(2) var<storage, read_write> result: array<Element>;

fn load_source(output: u32, item: u32) -> Element { return source[output * sizes.count + item]; }
fn store_result(output: u32, value: Element) { result[output] = value; }

// Associative up to rounding, commutative, with sizes.identity.
fn combine(a: Element, b: Element) -> Element { return a + b; }

fn combineFour(a: Four, b: Four) -> Four {
  return Four(combine(a[0], b[0]), combine(a[1], b[1]), combine(a[2], b[2]), combine(a[3], b[3]));
}

fn loadFour(outputs: vec4u, item: u32) -> Four {
  return Four(
    load_source(outputs[0], item), load_source(outputs[1], item),
    load_source(outputs[2], item), load_source(outputs[3], item),
  );
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn reduceColumns(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let invocation = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  let first = invocation / 4u * 16u + invocation % 4u;
  if (first >= sizes.outputs) { return; }
  // Past the end, the last column again.
  let outputs = min(first + vec4u(0u, 4u, 8u, 12u), vec4u(sizes.outputs - 1u));
  let identity = Four(sizes.identity);
  let whole = sizes.count - sizes.count % 4u;
  var item = 0u;
  var total = identity;
  while (item < whole) {
    let end = min(item + BLOCK, whole);
    var block = identity;
    for (; item < end; item += 4u) {
      let one = combineFour(loadFour(outputs, item), loadFour(outputs, item + 1u));
      let two = combineFour(loadFour(outputs, item + 2u), loadFour(outputs, item + 3u));
      block = combineFour(block, combineFour(one, two));
    }
    total = combineFour(total, block);
  }
  for (; item < sizes.count; item += 1u) { total = combineFour(total, loadFour(outputs, item)); }
  for (var i = 0u; i < 4u; i += 1u) {
    let output = first + 4u * i;
    if (output < sizes.outputs) { store_result(output, total[i]); }
  }
}
