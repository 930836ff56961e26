// Casts to f16, elementwise: to the nearest, the even one of two, beyond 65504 infinity. By the bits of the f32, which the
// result stays: WGSL lets a device round either way, and flush small ones.
// include common/bits.wgsl       isNanBits

fn toF16_f32(x: f32) -> f32 {
  let magnitude = bitcast<u32>(x) & 0x7fffffffu;
  // 13 of 23 bits go; a carry out of the rest is one exponent more. Below 2^-14 steps are 2^-24.
  let normal = (magnitude + 0xfffu + ((magnitude >> 13u) & 1u)) & 0xffffe000u;
  let small = bitcast<u32>(round(bitcast<f32>(magnitude) * 0x1p24) * 0x1p-24);
  let finite = select(normal, small, magnitude < 0x38800000u);
  let bounded = select(finite, 0x7f800000u, finite > 0x477fe000u);
  let known = select(bounded, 0x7fc00000u, isNanBits(magnitude));
  return bitcast<f32>(known | (bitcast<u32>(x) & 0x80000000u));
}
fn toF16_i32(x: i32) -> f32 { return toF16_f32(f32(x)); }
fn toF16_u32(x: u32) -> f32 { return toF16_f32(f32(x)); }
fn toF16_bool(x: bool) -> f32 { return select(0.0, 1.0, x); }
