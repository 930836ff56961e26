// Sine, cosine and hyperbolic tangent, elementwise.
// include common/special.wgsl    tanhAccurate, nan

// pi / 2 in pieces of 8 bits, so that n times each of the first three is exact for |n| < 2^16: |x| < 1e5.
const HALF_PI_1 = 1.5703125;
const HALF_PI_2 = 4.825592041015625e-4;
const HALF_PI_3 = 1.26659870147705078125e-6;
const HALF_PI_4 = 9.9209357968054044e-10;

// The sine of x + turns * pi / 2.
fn sineOfTurned(x: f32, turns: i32) -> f32 {
  if (!isFinite(x)) { return nan(); }
  let n = round(x * 0.6366197723675814);
  let reduced = fma(n, -HALF_PI_4, fma(n, -HALF_PI_3, fma(n, -HALF_PI_2, fma(n, -HALF_PI_1, x))));
  let r = clamp(reduced, -0.8, 0.8);
  let s = r * r;
  let sine = fma(r * s, fma(fma(fma(2.83265899e-06, s, -0.000198530717), s, 0.0083333794), s, -0.166666672), r);
  let cosine = fma(s * s, fma(fma(2.44323219e-05, s, -0.00138873095), s, 0.0416666456), fma(-0.5, s, 1.0));
  let quadrant = (i32(n) + turns) & 3;
  let value = select(sine, cosine, (quadrant & 1) == 1);
  return select(value, -value, quadrant >= 2);
}

fn sin_f32(x: f32) -> f32 { return sineOfTurned(x, 0); }
fn cos_f32(x: f32) -> f32 { return sineOfTurned(x, 1); }
fn tanh_f32(x: f32) -> f32 { return tanhAccurate(x); }
