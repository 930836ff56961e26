// The maximum of a row and the sum of e^(z - maximum), found together in one read.
// The maximum is held inside the finite range, so that only a NaN makes the sum NaN: a row of -infinity alone
// sums to 0, and one with +infinity to infinity. (exp of NaN is infinity on some devices, and max drops a NaN.)
// include common/bits.wgsl       isNan, isNanBits, nan

const LOWEST = -3.4028234e38;
const HIGHEST = 3.4028234e38;

struct Online { maximum: f32, sum: f32 }

fn onlineEmpty() -> Online { return Online(LOWEST, 0.0); }

// Eight elements more: one exponential each, and one to rescale the sum.
fn onlineExtend(state: Online, a: vec4<f32>, b: vec4<f32>) -> Online {
  let top = max(a, b);
  let maximum = max(state.maximum, min(max(max(top.x, top.y), max(top.z, top.w)), HIGHEST));
  let e = exp(a - maximum) + exp(b - maximum);
  let sum = fma(state.sum, exp(state.maximum - maximum), (e.x + e.y) + (e.z + e.w));
  let bits = max(bitcast<vec4<u32>>(a) & vec4(0x7fffffffu), bitcast<vec4<u32>>(b) & vec4(0x7fffffffu));
  return Online(maximum, select(sum, nan(), isNanBits(max(max(bits.x, bits.y), max(bits.z, bits.w)))));
}

fn onlineExtendByOne(state: Online, z: f32) -> Online {
  let maximum = max(state.maximum, min(z, HIGHEST));
  let sum = fma(state.sum, exp(state.maximum - maximum), exp(z - maximum));
  return Online(maximum, select(sum, nan(), isNan(z)));
}

fn onlineMerge(a: Online, b: Online) -> Online {
  let maximum = max(a.maximum, b.maximum);
  return Online(maximum, fma(a.sum, exp(a.maximum - maximum), b.sum * exp(b.maximum - maximum)));
}
