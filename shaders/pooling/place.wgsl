// Puts each window's value at the pixel that its index names; what several windows put at one adds up. take's transpose.
//   source, index [images, lines, columns, channels]   ->   result [images, height, width, channels]
// bytes    reads 8 elements window / stride, writes 4 elements
// order    windows line by line: no atomics, the same bits every run
// grid     ceil(elements / WORKGROUP_SIZE), folded: gridWidth workgroups in x
// include pooling/windows.wgsl   sizes, placeOf, windowsOver

@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<i32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

fn load_source(window: u32, channel: u32) -> f32 { return source[window * sizes.channels + channel]; }
fn load_index(window: u32, channel: u32) -> i32 { return index[window * sizes.channels + channel]; }
fn store_result(pixel: u32, channel: u32, value: f32) { result[pixel * sizes.channels + channel] = value; }

@compute @workgroup_size(WORKGROUP_SIZE)
fn place(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let element = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (element >= sizes.elements) { return; }
  let pixel = placeOf(element, vec2u(sizes.height, sizes.width));
  let own = i32(pixel.pixel[0] * sizes.width + pixel.pixel[1]);
  let range = windowsOver(pixel.pixel);
  var sum = 0.0;
  for (var i = range.first[0]; i < range.end[0]; i += 1u) {
    for (var j = range.first[1]; j < range.end[1]; j += 1u) {
      let window = (pixel.image * sizes.lines + i) * sizes.columns + j;
      if (load_index(window, pixel.channel) == own) { sum += load_source(window, pixel.channel); }
    }
  }
  store_result(pixel.place, pixel.channel, sum);
}
