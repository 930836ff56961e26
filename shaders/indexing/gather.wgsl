// Slices along an axis, by index (an embedding lookup).
//   source [outer, axisSize, inner]   indices [count], i32   ->   result [outer, count, inner]
// indices  negative ones count from the end; one out of range gives NaN, of integers 0, and reads nothing
// bytes    reads 8 and writes 4 for each element of the result
// order    independent elements
// grid     ceil(outer * count * inner / WORKGROUP_SIZE), folded: gridWidth workgroups in x
// include indexing/axis.wgsl     Element, NO_SLICE, sliceOf, missing

struct Sizes { outer: u32, axisSize: u32, inner: u32, count: u32, gridWidth: u32 }

override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source: array<Element>;
@group(0) @binding(2) var<storage, read> indices: array<i32>;
@group(0) @binding(3) var<storage, read_write> result: array<Element>;

fn load_source(outer: u32, slice: u32, inner: u32) -> Element {
  return source[(outer * sizes.axisSize + slice) * sizes.inner + inner];
}
fn load_indices(i: u32) -> i32 { return indices[i]; }
fn store_result(outer: u32, i: u32, inner: u32, value: Element) {
  result[(outer * sizes.count + i) * sizes.inner + inner] = value;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn gather(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let element = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (element >= sizes.outer * sizes.count * sizes.inner) { return; }
  let inner = element % sizes.inner;
  let i = element / sizes.inner % sizes.count;
  let outer = element / sizes.inner / sizes.count;
  let slice = sliceOf(load_indices(i), sizes.axisSize);
  var value = missing();
  if (slice != NO_SLICE) { value = load_source(outer, slice, inner); }
  store_result(outer, i, inner, value);
}
