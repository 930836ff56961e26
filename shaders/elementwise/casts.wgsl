// Casts, elementwise, named by the result and the operand.
// Floats to integers: truncated toward 0, held to the range, NaN to 0. To bool: true where not 0, NaN too.
// include common/bits.wgsl       isNan

fn toF32_i32(x: i32) -> f32 { return f32(x); }
fn toF32_u32(x: u32) -> f32 { return f32(x); }
fn toF32_bool(x: bool) -> f32 { return select(0.0, 1.0, x); }
fn toF32_f32(x: f32) -> f32 { return x; }   // of an f16

// 2147483520 is the largest f32 below 2^31, 4294967040 below 2^32.
fn toI32_f32(x: f32) -> i32 {
  let inside = i32(clamp(x, -2147483648.0, 2147483520.0));
  return select(select(inside, 2147483647, x >= 2147483648.0), 0, isNan(x));
}
fn toI32_u32(x: u32) -> i32 { return bitcast<i32>(x); }
fn toI32_bool(x: bool) -> i32 { return select(0, 1, x); }

fn toU32_f32(x: f32) -> u32 {
  let inside = u32(clamp(x, 0.0, 4294967040.0));
  return select(select(inside, 4294967295u, x >= 4294967296.0), 0u, isNan(x));
}
fn toU32_i32(x: i32) -> u32 { return bitcast<u32>(x); }
fn toU32_bool(x: bool) -> u32 { return select(0u, 1u, x); }

fn toBool_f32(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) != 0u; }
fn toBool_i32(x: i32) -> bool { return x != 0; }
fn toBool_u32(x: u32) -> bool { return x != 0u; }
