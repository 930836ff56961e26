// Reduction of rows, one invocation a row, or a chunk of one.
//   source [outputs, count]   ->   result [outputs, chunks]
// variant  serial: many rows, or short ones; with several chunks it is the first of two stages for long rows where
//          barriers are dear, and the second is the same kernel over [outputs, chunks]
// bytes    reads 4 outputs count, writes 4 outputs chunks
// flops    outputs count
// order    a chunk's items in blocks of 128; a block in eight interleaved chains, then block after block, then up to 7
//          more: rounding grows as for a chain of 26 + itemsPerChunk / 128 additions
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
    var chain0 = sizes.identity;
    var chain1 = sizes.identity;
    var chain2 = sizes.identity;
    var chain3 = sizes.identity;
    var chain4 = sizes.identity;
    var chain5 = sizes.identity;
    var chain6 = sizes.identity;
    var chain7 = sizes.identity;
    for (; item < end; item += 8u) {
      chain0 = combine(chain0, load_source(output, item));
      chain1 = combine(chain1, load_source(output, item + 1u));
      chain2 = combine(chain2, load_source(output, item + 2u));
      chain3 = combine(chain3, load_source(output, item + 3u));
      chain4 = combine(chain4, load_source(output, item + 4u));
      chain5 = combine(chain5, load_source(output, item + 5u));
      chain6 = combine(chain6, load_source(output, item + 6u));
      chain7 = combine(chain7, load_source(output, item + 7u));
    }
    let low = combine(combine(chain0, chain1), combine(chain2, chain3));
    let high = combine(combine(chain4, chain5), combine(chain6, chain7));
    total = combine(total, combine(low, high));
  }
  for (; item < last; item += 1u) { total = combine(total, load_source(output, item)); }
  store_result(output * sizes.chunks + chunk, total);
}
