// Running sums along rows, one invocation a row.
//   source [rows, count]   ->   result [rows, count]
// variant  serial: many rows, or short ones; few long rows want cumulativeWorkgroup.wgsl
// bytes    reads and writes 4 rows count
// flops    2 rows count
// order    in order, blocks of 64 summed apart: rounding grows as for a chain of 65 + count / 64 additions
// grid     ceil(rows / WORKGROUP_SIZE), folded: gridWidth workgroups in x

// f32, i32 or u32.
alias Element = f32;

// From the end backwards.
const REVERSE = false;
// Without the element itself: the first is 0.
const EXCLUSIVE = false;

struct Sizes { rows: u32, count: u32, gridWidth: u32 }

override WORKGROUP_SIZE: u32 = 64;
const BLOCK = 64u;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source: array<Element>;
@group(0) @binding(2) var<storage, read_write> result: array<Element>;

fn load_source(row: u32, item: u32) -> Element { return source[row * sizes.count + item]; }
fn store_result(row: u32, item: u32, value: Element) { result[row * sizes.count + item] = value; }

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
    let item = select(i, sizes.count - 1u - i, REVERSE);
    let value = load_source(row, item);
    store_result(row, item, total + select(recent + value, recent, EXCLUSIVE));
    recent += value;
  }
}
