// Places a tensor at an offset along an axis of a larger one (concatenate: one dispatch an input).
//   source [outer, axis, inner]   ->   result [outer, resultAxis, inner], from axisOffset on; the rest is left alone
// bytes    reads and writes 4 outer axis inner
// order    independent elements
// grid     ceil(outer * axis * inner / WORKGROUP_SIZE), folded: gridWidth workgroups in x

// f32, i32 or u32.
alias Element = f32;

struct Sizes { outer: u32, axis: u32, inner: u32, resultAxis: u32, axisOffset: u32, gridWidth: u32 }

override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source: array<Element>;
@group(0) @binding(2) var<storage, read_write> result: array<Element>;

fn load_source(outer: u32, slice: u32, inner: u32) -> Element {
  return source[(outer * sizes.axis + slice) * sizes.inner + inner];
}
fn store_result(outer: u32, slice: u32, inner: u32, value: Element) {
  result[(outer * sizes.resultAxis + slice) * sizes.inner + inner] = value;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn placeSlices(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let element = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (element >= sizes.outer * sizes.axis * sizes.inner) { return; }
  let inner = element % sizes.inner;
  let slice = element / sizes.inner % sizes.axis;
  let outer = element / sizes.inner / sizes.axis;
  store_result(outer, sizes.axisOffset + slice, inner, load_source(outer, slice, inner));
}
