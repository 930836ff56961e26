// A walk over pixels: convolution forward, and the gradient by its input.
//   rows      pixels of the result; segments: the weight's taps; steps: channels of a
//   forward   reads a at  stride pixel + dilation tap + offset, the offset being minus the padding
//   gradient  reads a, the cotangent, at  (pixel + padding - dilation tap) / stride  where that is whole. So each phase
//             (pixels with one remainder by the stride, the same taps for all) is a product of its own: phases = the
//             forward pass's stride, and the stride within a phase is 1
// include convolution/walk.wgsl   Sizes, Walk, Origin, Segment, Cursor

fn walkOf(batch: u32) -> Walk {
  let count = u32(sizes.phases[0] * sizes.phases[1]);
  let number = i32(batch % count);
  let phase = vec2i(number / sizes.phases[1], number % sizes.phases[1]);
  let extent = vec2u((vec2i(vec2u(sizes.height, sizes.width)) - phase + sizes.phases - 1) / sizes.phases);
  return Walk(
    batch / count, 0u, sizes.images * extent[0] * extent[1], sizes.taps, phase, extent,
    sizes.aHeight, sizes.aWidth, sizes.aChannels, sizes.limit,
  );
}

fn originOf(walk: Walk, row: u32) -> Origin {
  let line = row / walk.extent[1];
  let image = line / walk.extent[0];
  let pixel = vec2i(vec2u(line % walk.extent[0], row % walk.extent[1]));
  return Origin(image * sizes.aHeight * sizes.aWidth * sizes.aChannels + walk.group * sizes.depth, pixel * sizes.stride);
}

fn segmentOf(walk: Walk, index: u32) -> Segment {
  let tap = vec2i(vec2u(index / sizes.kernelWidth, index % sizes.kernelWidth));
  let position = walk.phase + sizes.offset + tap * sizes.dilation;
  let shift = position / sizes.phases;
  return Segment(any(shift * sizes.phases != position), shift, index * sizes.bTap);
}

fn cursorOf(walk: Walk, origin: Origin, segment: Segment) -> Cursor {
  let place = vec2u(origin.place + segment.shift);
  let inside = place[0] < walk.height && place[1] < walk.width;
  return Cursor(origin.at + (place[0] * walk.width + place[1]) * walk.channels, select(OUTSIDE, 0u, inside));
}

fn resultRow(walk: Walk, row: u32) -> u32 {
  let line = row / walk.extent[1];
  let image = line / walk.extent[0];
  let pixel = vec2u(line % walk.extent[0], row % walk.extent[1]) * vec2u(sizes.phases) + vec2u(walk.phase);
  return (image * sizes.height + pixel[0]) * sizes.width + pixel[1];
}
