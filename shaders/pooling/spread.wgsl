// The sum of the windows that hold each pixel. sum's transpose.
//   source [images, lines, columns, channels]   ->   result [images, height, width, channels]
// bytes    reads 4 elements window / stride, writes 4 elements
// order    windows line by line: no atomics, the same bits every run
// grid     ceil(elements / WORKGROUP_SIZE), folded: gridWidth workgroups in x
// include pooling/windows.wgsl   sizes, placeOf, windowsOver

@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

fn load_source(window: u32, channel: u32) -> f32 { return source[window * sizes.channels + channel]; }
fn store_result(pixel: u32, channel: u32, value: f32) { result[pixel * sizes.channels + channel] = value; }

@compute @workgroup_size(WORKGROUP_SIZE)
fn spreadWindows(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let element = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (element >= sizes.elements) { return; }
  let pixel = placeOf(element, vec2u(sizes.height, sizes.width));
  let range = windowsOver(pixel.pixel);
  var sum = 0.0;
  for (var i = range.first[0]; i < range.end[0]; i += 1u) {
    for (var j = range.first[1]; j < range.end[1]; j += 1u) {
      sum += load_source((pixel.image * sizes.lines + i) * sizes.columns + j, pixel.channel);
    }
  }
  store_result(pixel.place, pixel.channel, sum);
}
