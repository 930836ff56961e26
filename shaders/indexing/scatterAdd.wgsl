// Adds slices into zeros along an axis, by index (the gradient of an embedding lookup).
//   values [outer, count, inner]   indices [count], i32   ->   result [outer, axisSize, inner]
// indices  negative ones count from the end; slices whose index is out of range are left out
// variant  scan: no atomics. Each element of the result reads all indices, and the values that are its own
// bytes    reads 4 (outer axisSize inner count + outer count inner), writes 4 outer axisSize inner
// order    slices of one index add up in order, as one chain: the same bits every run
// grid     ceil(outer * axisSize * inner / WORKGROUP_SIZE), folded: gridWidth workgroups in x
// include indexing/axis.wgsl     Element, sliceOf

struct Sizes { outer: u32, axisSize: u32, inner: u32, count: u32, gridWidth: u32 }

override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> values: array<Element>;
@group(0) @binding(2) var<storage, read> indices: array<i32>;
@group(0) @binding(3) var<storage, read_write> result: array<Element>;

fn load_values(outer: u32, i: u32, inner: u32) -> Element {
  return values[(outer * sizes.count + i) * sizes.inner + inner];
}
fn load_indices(i: u32) -> i32 { return indices[i]; }
fn store_result(outer: u32, slice: u32, inner: u32, value: Element) {
  result[(outer * sizes.axisSize + slice) * sizes.inner + inner] = value;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn scatterAdd(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let element = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (element >= sizes.outer * sizes.axisSize * sizes.inner) { return; }
  let inner = element % sizes.inner;
  let slice = element / sizes.inner % sizes.axisSize;
  let outer = element / sizes.inner / sizes.axisSize;
  var sum = Element(0);
  for (var i = 0u; i < sizes.count; i += 1u) {
    if (sliceOf(load_indices(i), sizes.axisSize) == slice) { sum += load_values(outer, i, inner); }
  }
  store_result(outer, slice, inner, sum);
}
