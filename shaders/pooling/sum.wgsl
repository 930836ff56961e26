// The sum of each window's pixels inside the image.
//   source [images, height, width, channels]   ->   result [images, lines, columns, channels]
// bytes    reads 4 elements window, writes 4 elements
// order    pixels line by line
// grid     ceil(elements / WORKGROUP_SIZE), folded: gridWidth workgroups in x
// include pooling/windows.wgsl   sizes, placeOf, pixelsIn

@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

fn load_source(pixel: u32, channel: u32) -> f32 { return source[pixel * sizes.channels + channel]; }
fn store_result(window: u32, channel: u32, value: f32) { result[window * sizes.channels + channel] = value; }

@compute @workgroup_size(WORKGROUP_SIZE)
fn sumWindows(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let element = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (element >= sizes.elements) { return; }
  let window = placeOf(element, vec2u(sizes.lines, sizes.columns));
  let range = pixelsIn(window.pixel);
  var sum = 0.0;
  for (var y = range.first[0]; y < range.end[0]; y += 1u) {
    for (var x = range.first[1]; x < range.end[1]; x += 1u) {
      sum += load_source((window.image * sizes.height + y) * sizes.width + x, window.channel);
    }
  }
  store_result(window.place, window.channel, sum);
}
