// Exponentials, logarithms, roots and powers, elementwise.
// include common/special.wgsl    expAccurate, logAccurate, log1p, expm1, log1pReduced, expm1Reduced

fn exp_f32(x: f32) -> f32 { return expAccurate(x); }
fn log_f32(x: f32) -> f32 { return logAccurate(x); }
fn log1p_f32(x: f32) -> f32 { return log1p(x); }
fn expm1_f32(x: f32) -> f32 { return expm1(x); }
fn sqrt_f32(x: f32) -> f32 { return sqrt(x); }
fn rsqrt_f32(x: f32) -> f32 { return inverseSqrt(x); }

// a^b, with the signs and limits of IEEE 754's pow. Within 1.5 + |b| / 2 ulp (measured for results in
// [e^-85, e^85]: 5.5 for |b| < 8, 128 at |b| = 268).
fn pow_f32(a: f32, b: f32) -> f32 {
  if (b == 0.0 || a == 1.0) { return 1.0; }
  if (isNan(a) || isNan(b)) { return nan(); }
  let size = abs(a);
  // From 2^24 on every float is even.
  let integer = abs(b) >= 16777216.0 || floor(b) == b;
  let odd = abs(b) < 16777216.0 && integer && (i32(clamp(b, -16777216.0, 16777216.0)) & 1) == 1;
  if (size == 0.0 || isInfinite(a)) {
    let limit = select(0.0, infinity(), (size == 0.0) == (b < 0.0));
    return select(limit, copySign(limit, a), odd);
  }
  if (isInfinite(b)) {
    if (size == 1.0) { return 1.0; }
    return select(0.0, infinity(), (size > 1.0) == (b > 0.0));
  }
  if (a < 0.0 && !integer) { return nan(); }
  let value = powPositive(size, b);
  return select(value, -value, a < 0.0 && odd);
}

// b log2(a) = b (k + log2(1 + f)): b k is taken apart exactly into an integer and a rest.
fn powPositive(a: f32, b: f32) -> f32 {
  let tiny = a < 1.17549435e-38;
  let reduced = reduceLogarithm(select(a, a * 8388608.0, tiny));
  let k = f32(reduced.k - select(0, 23, tiny));
  let held = clamp(b, -4e9, 4e9);
  let high = bitcast<f32>(bitcast<u32>(held) & 0xffff0000u);
  let rest = held * LOG2_E * (reduced.f + log1pReduced(reduced.f)) + (held - high) * k;
  let n = round(clamp(high * k + rest, -300.0, 300.0));
  let r = (high * k - n) + rest;
  let scaled = 1.0 + expm1Reduced(clamp(r, -0.502, 0.502) * 0.6931471805599453);
  let whole = clamp(i32(n), -200, 200);
  return select(scaleByPowerOfTwo(scaled, whole), infinity(), n >= 129.0);
}
