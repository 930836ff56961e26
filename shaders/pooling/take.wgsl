// The pixel of each window that an index names.
//   source [images, height, width, channels]   index [images, lines, columns, channels]   ->   result, as index
// bytes    reads 8 elements, writes 4 elements
// grid     ceil(elements / WORKGROUP_SIZE), folded: gridWidth workgroups in x
// include pooling/windows.wgsl   sizes, placeOf

@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<i32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

fn load_source(pixel: u32, channel: u32) -> f32 { return source[pixel * sizes.channels + channel]; }
fn load_index(window: u32, channel: u32) -> i32 { return index[window * sizes.channels + channel]; }
fn store_result(window: u32, channel: u32, value: f32) { result[window * sizes.channels + channel] = value; }

@compute @workgroup_size(WORKGROUP_SIZE)
fn take(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let element = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (element >= sizes.elements) { return; }
  let window = placeOf(element, vec2u(sizes.lines, sizes.columns));
  let pixel = window.image * sizes.height * sizes.width + u32(load_index(window.place, window.channel));
  store_result(window.place, window.channel, load_source(pixel, window.channel));
}
