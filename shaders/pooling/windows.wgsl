// What the pooling kernels share: windows over images, an invocation an element of the result.
//   source [images, height, width, channels]   windows [images, lines, columns, channels]

struct Sizes {
  height: u32, width: u32, lines: u32, columns: u32, channels: u32,
  elements: u32, gridWidth: u32,
  window: vec2u, stride: vec2u, padding: vec2u,   // down, across
}

@group(0) @binding(0) var<uniform> sizes: Sizes;

override WORKGROUP_SIZE: u32 = 64;

// Where an element of an array [images, extent, extent, channels] stands. `place` is its pixel of all images.
struct Place { image: u32, pixel: vec2u, channel: u32, place: u32 }

fn placeOf(element: u32, extent: vec2u) -> Place {
  let place = element / sizes.channels;
  let line = place / extent[1];
  return Place(line / extent[0], vec2u(line % extent[0], place % extent[1]), element % sizes.channels, place);
}

// From first up to, not including, end.
struct Range { first: vec2u, end: vec2u }

// A window's pixels inside the image.
fn pixelsIn(window: vec2u) -> Range {
  let start = window * sizes.stride;
  let end = min(start + sizes.window, vec2u(sizes.height, sizes.width) + sizes.padding);
  return Range(max(start, sizes.padding) - sizes.padding, end - sizes.padding);
}

// The windows that hold a pixel.
fn windowsOver(pixel: vec2u) -> Range {
  let padded = pixel + sizes.padding;
  let before = max(padded + 1u, sizes.window) - sizes.window;
  let first = (before + sizes.stride - 1u) / sizes.stride;
  return Range(first, min(padded / sizes.stride + 1u, vec2u(sizes.lines, sizes.columns)));
}
