// Where each window has its maximum: the first of ties, NaN leading all.
//   source [images, height, width, channels]  ->  result [images, lines, columns, channels], i32: height's * width + width's
// bytes    reads 4 elements window, writes 4 elements
// grid     ceil(elements / WORKGROUP_SIZE), folded: gridWidth workgroups in x
// include pooling/windows.wgsl   sizes, placeOf, pixelsIn
// include common/bits.wgsl       isNan

@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<i32>;

fn load_source(pixel: u32, channel: u32) -> f32 { return source[pixel * sizes.channels + channel]; }
fn store_result(window: u32, channel: u32, value: i32) { result[window * sizes.channels + channel] = value; }

@compute @workgroup_size(WORKGROUP_SIZE)
fn maxIndex(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let element = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (element >= sizes.elements) { return; }
  let window = placeOf(element, vec2u(sizes.lines, sizes.columns));
  let range = pixelsIn(window.pixel);
  let image = window.image * sizes.height * sizes.width;
  var index = range.first[0] * sizes.width + range.first[1];
  var best = load_source(image + index, window.channel);
  for (var y = range.first[0]; y < range.end[0]; y += 1u) {
    for (var x = range.first[1]; x < range.end[1]; x += 1u) {
      let candidate = load_source(image + y * sizes.width + x, window.channel);
      if (!isNan(best) & (isNan(candidate) | (candidate > best))) {
        best = candidate;
        index = y * sizes.width + x;
      }
    }
  }
  store_result(window.place, window.channel, i32(index));
}
