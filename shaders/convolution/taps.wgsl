// A walk over the weight's taps: the gradient of a convolution by its weight.
//   rows      (tap, channel of a); segments: lines of b, the cotangent, image by image; steps: the pixels of a line
//   reads     a at  stride pixel + dilation tap + offset, the offset being minus the padding
//   parts     each sums over imagesPerPart images; the sum of the parts is a dispatch of its own
// include convolution/walk.wgsl   Sizes, Walk, Origin, Segment, Cursor, OUTSIDE

fn walkOf(batch: u32) -> Walk {
  let part = batch % sizes.parts;
  let first = part * sizes.imagesPerPart;
  let images = min(sizes.imagesPerPart, sizes.images - min(first, sizes.images));
  return Walk(
    batch / sizes.parts, part, sizes.taps * sizes.depth, images * sizes.height, vec2i(), vec2u(first, images),
    sizes.aHeight, sizes.aWidth, sizes.aChannels, sizes.limit,
  );
}

fn originOf(walk: Walk, row: u32) -> Origin {
  let index = row / sizes.depth;
  let tap = vec2i(vec2u(index / sizes.kernelWidth, index % sizes.kernelWidth));
  return Origin(walk.group * sizes.depth + row % sizes.depth, tap * sizes.dilation + sizes.offset);
}

// The shift is the image and where the line's first window would begin without its tap.
fn segmentOf(walk: Walk, index: u32) -> Segment {
  let image = walk.extent[0] + index / sizes.height;
  let line = index % sizes.height;
  let at = (image * sizes.height + line) * sizes.width * sizes.channels;
  return Segment(false, vec2i(i32(image), i32(line) * sizes.stride[0]), at);
}

fn cursorOf(walk: Walk, origin: Origin, segment: Segment) -> Cursor {
  let line = u32(origin.place[0] + segment.shift[1]);
  let column = u32(origin.place[1]);
  let at = ((u32(segment.shift[0]) * walk.height + line) * walk.width + column) * walk.channels;
  return Cursor(origin.at + at, select(OUTSIDE, column, line < walk.height));
}

fn resultRow(walk: Walk, row: u32) -> u32 { return row; }
