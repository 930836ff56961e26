// Positions along an axis by signed index.
// include common/bits.wgsl       fromBits

// f32, i32 or u32.
alias Element = f32;

const NO_SLICE = 0xffffffffu;

// Negative indices count from the end; NO_SLICE when out of range.
fn sliceOf(index: i32, size: u32) -> u32 {
  let slice = select(u32(index), u32(index) + size, index < 0);
  return select(NO_SLICE, slice, slice < size);
}

// NaN, or 0 of an integer type, in which 0.5 becomes 0.
fn missing() -> Element {
  return bitcast<Element>(fromBits(select(0u, 0x7fc00000u, Element(0.5f) != Element(0))));
}
