// NaN and infinity by their bits: WGSL may assume that neither exists, so x != x is no test,
// and a constant expression that yields one is an error.

fn isNanBits(bits: u32) -> bool { return (bits & 0x7fffffffu) > 0x7f800000u; }
fn isNan(x: f32) -> bool { return isNanBits(bitcast<u32>(x)); }
fn isInfinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }
fn isFinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }

// True when a or b is NaN.
fn isUnordered(a: f32, b: f32) -> bool {
  return max(bitcast<u32>(a) & 0x7fffffffu, bitcast<u32>(b) & 0x7fffffffu) > 0x7f800000u;
}

// A variable keeps the value out of constant evaluation.
fn fromBits(bits: u32) -> f32 {
  var held = bits;
  return bitcast<f32>(held);
}
fn nan() -> f32 { return fromBits(0x7fc00000u); }
fn infinity() -> f32 { return fromBits(0x7f800000u); }
fn negativeInfinity() -> f32 { return fromBits(0xff800000u); }

// |magnitude| with the sign bit of sign, -0 and NaN included.
fn copySign(magnitude: f32, sign: f32) -> f32 {
  return bitcast<f32>((bitcast<u32>(magnitude) & 0x7fffffffu) | (bitcast<u32>(sign) & 0x80000000u));
}
