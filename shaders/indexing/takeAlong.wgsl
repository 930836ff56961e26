// One element of each row, by its label.
//   source [rows, classes]   labels [rows], i32   ->   result [rows]
// labels   negative ones count from the end; one out of range gives NaN, of integers 0, and reads nothing
// bytes    reads 8 and writes 4 a row
// order    independent rows
// grid     ceil(rows / WORKGROUP_SIZE), folded: gridWidth workgroups in x
// include indexing/axis.wgsl     Element, NO_SLICE, sliceOf, missing

struct Sizes { rows: u32, classes: u32, gridWidth: u32 }

override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source: array<Element>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read_write> result: array<Element>;

fn load_source(row: u32, column: u32) -> Element { return source[row * sizes.classes + column]; }
fn load_labels(row: u32) -> i32 { return labels[row]; }
fn store_result(row: u32, value: Element) { result[row] = value; }

@compute @workgroup_size(WORKGROUP_SIZE)
fn takeAlong(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (row >= sizes.rows) { return; }
  let column = sliceOf(load_labels(row), sizes.classes);
  var value = missing();
  if (column != NO_SLICE) { value = load_source(row, column); }
  store_result(row, value);
}
