// What the convolution kernels share. Each is a matrix product whose left factor is read from images as they lie, never
// laid out: result [rows, columns] = sum over segments and the steps of their run of a(row) * b(column), for each group.
// A walk says where: rows as pixels (pixels.wgsl) or as the weight's taps (taps.wgsl).

struct Sizes {
  images: u32,
  aHeight: u32, aWidth: u32, aChannels: u32,   // a [images, aHeight, aWidth, aChannels]
  height: u32, width: u32, channels: u32,      // the same of the other images: the result's, or b's
  columns: u32,                                // of one group
  depth: u32,                                  // channels of a in one group
  taps: u32, kernelWidth: u32,
  parts: u32, imagesPerPart: u32,              // sums over images are split into parts
  run: u32,                                    // steps of a segment; from one to the next:
  aStep: u32, bStep: u32,                      //   in elements
  advance: u32, limit: u32,                    //   in position, which stays below the limit where a has an element
  bColumn: u32, bTap: u32, bGroup: u32,        // strides of b, in elements
  stride: vec2i, dilation: vec2i, offset: vec2i, phases: vec2i,   // down, across
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

// The epilogue: the planner replaces it when bias or activation are fused in.
fn store_result(row: u32, channel: u32, part: u32, value: f32) {
  result[(row * sizes.channels + channel) * sizes.parts + part] = value;
}

// One product: a group of channels, with the pixels or the images that it is about, and all that its loops ask for: an
// adapter may pay as much for a uniform as for any load.
struct Walk {
  group: u32, part: u32, rows: u32, segments: u32, phase: vec2i, extent: vec2u,
  height: u32, width: u32, channels: u32,   // of a
  limit: u32,
}

// Where a row starts; where a segment starts, in a (by what `shift` means to the walk) and in b.
struct Origin { at: u32, place: vec2i }
struct Segment { skipped: bool, shift: vec2i, at: u32 }

// A row in a segment: its first element of a and that one's position.
struct Cursor { at: u32, position: u32 }

// How far along a segment: in elements of a, and in position.
struct Step { at: u32, position: u32 }

// Beyond any limit, whatever is added on the way.
const OUTSIDE = 0x80000000u;

// Past an edge the place in a is nobody's, or wraps; what a buffer returns there is dropped, be it NaN.
fn load(cursor: Cursor, step: Step, limit: u32) -> f32 {
  return select(0.0, a[cursor.at + step.at], cursor.position + step.position < limit);
}
