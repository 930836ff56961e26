// Special functions from polynomials of our own (minimax, fitted in float64), of the same accuracy on every device:
// WGSL grants exp 3 + 2|x| ulp, log an absolute error near 1 and tanh whatever its definition by exp loses.
//   exp 1.01 ulp   log 0.83   log1p 0.9    expm1 1.6    expm1Over 1.8    erf 2.0    tanhAccurate 2.5
//   sigmoid 2.3    softplus 1.6    normalCumulative 4.2 for |x| < 13
//   sine, cosine 2.3 for |x| <= 1e4, 4.1 for |x| <= 1e5; beyond, the phase is lost
// at most, over the whole range of normal f32 results (dense sweeps against float64, 2-6 10^5 points each,
// with fused or unfused fma; a division of 2.5 ulp instead of 0.5 adds at most 2).
// Limits and NaN are put in by selects, without branches: SIMD lanes of a CPU adapter go through all of them anyway.
// NaN gives NaN; zeros keep their sign; infinities give the limit. Results below 2^-126 may be flushed to 0.
// include common/bits.wgsl       isNan, isInfinite, nan, infinity, negativeInfinity, copySign

const LOG2_E = 1.4426950408889634;
// ln 2 in two pieces; n * LN_2_HIGH is exact for |n| < 2^15.
const LN_2_HIGH = 0.693359375;
const LN_2_LOW = -2.12194440054690583e-4;

// 2^n for n in [-126, 127].
fn powerOfTwo(n: i32) -> f32 { return bitcast<f32>(u32(n + 127) << 23u); }

// x 2^n for n in [-252, 254], in two steps, so that no factor leaves the range before the result does.
fn scaleByPowerOfTwo(x: f32, n: i32) -> f32 {
  let half = n >> 1u;
  return x * powerOfTwo(half) * powerOfTwo(n - half);
}

// e^r - 1 for |r| <= 0.3475; the fit is within 1.4e-8 of the value.
fn expm1Reduced(r: f32) -> f32 {
  let p = fma(fma(fma(fma(0.00138708716, r, 0.00836644694), r, 0.0416674353), r, 0.16666545), r, 0.49999997);
  return fma(r * r, p, r);
}

// The integer nearest to x scale, for less than 2^22 in size; beyond, any. Near 1.5 2^23 an f32 has no fraction, so the
// sum's last bits are the integer. They are read as bits: floats a compiler may cancel, and i32(round(x)) is checked
// against overflow, which costs as much as the polynomial.
fn nearestInteger(x: f32, scale: f32) -> i32 {
  return bitcast<i32>(fma(x, scale, 12582912.0)) - 0x4b400000;
}

// x 2^n in one addition of bits, where x and the result are normal.
fn addExponent(x: f32, n: i32) -> f32 { return bitcast<f32>(bitcast<i32>(x) + (n << 23u)); }

// x = n ln 2 + r, |r| <= ln 2 / 2, for |x| < 2^21. Beyond, both are any numbers: callers put the limit in their place
// with a select afterwards, which is cheaper than to clamp x before.
struct ReducedExponent { n: i32, r: f32 }
fn reduceExponent(x: f32) -> ReducedExponent {
  let n = nearestInteger(x, LOG2_E);
  let whole = f32(n);
  return ReducedExponent(n, fma(whole, -LN_2_LOW, fma(whole, -LN_2_HIGH, x)));
}

// Below 2^-126 it is 0, and where it would leave the range infinity.
fn expAccurate(x: f32) -> f32 {
  let reduced = reduceExponent(x);
  let value = addExponent(1.0 + expm1Reduced(reduced.r), reduced.n);
  return select(select(select(value, 0.0, x < -87.3365447), infinity(), x >= 88.7228394), x, isNan(x));
}

// (e^r - 1) 2^n + 2^n - 1, by halves: 2^n alone would leave the range. Below -18 it rounds to -1.
fn expm1(x: f32) -> f32 {
  let reduced = reduceExponent(x);
  let half = addExponent(0.5, reduced.n);
  let value = 2.0 * fma(half, expm1Reduced(reduced.r), half - 0.5);
  // Tiny ones as they are: the sign of zero, and what r^2 would lose below 2^-126.
  let near = select(value, x, (abs(x) < 1e-10) | isNan(x));
  return select(select(near, infinity(), x >= 88.7228394), -1.0, x < -18.0);
}

// (e^x - 1) / x, and 1 at 0. Divided before it is scaled, so that it overflows only where the quotient does.
fn expm1Over(x: f32) -> f32 {
  if (isNan(x) || x == infinity()) { return x; }
  if (abs(x) < 0.3) {
    let p = fma(fma(fma(fma(0.00138708716, x, 0.00836644694), x, 0.0416674353), x, 0.16666545), x, 0.49999997);
    return fma(x, p, 1.0);
  }
  let reduced = reduceExponent(clamp(x, -18.0, 100.0));
  let rest = 1.0 - powerOfTwo(-min(reduced.n, 126));
  return scaleByPowerOfTwo((rest + expm1Reduced(reduced.r)) / x, reduced.n);
}

// log(1 + f) - f for 1 + f in [sqrt(1/2), sqrt(2)).
fn log1pReduced(f: f32) -> f32 {
  let q = fma(fma(fma(fma(fma(fma(fma(fma(
    0.0675095618, f, -0.116714492), f, 0.11883568), f, -0.124060318), f, 0.142203271), f,
    -0.166679963), f, 0.20002073), f, -0.250000089), f, 0.333333135);
  let square = f * f;
  return fma(square * f, q, -0.5 * square);
}

// x = 2^k (1 + f), 1 + f in [sqrt(1/2), sqrt(2)), for normal positive x.
struct ReducedLogarithm { k: i32, f: f32 }
fn reduceLogarithm(x: f32) -> ReducedLogarithm {
  let bits = bitcast<u32>(x);
  let k = bitcast<i32>(bits - 0x3f3504f3u) >> 23u;
  return ReducedLogarithm(k, bitcast<f32>(bits - (bitcast<u32>(k) << 23u)) - 1.0);
}

fn logAccurate(x: f32) -> f32 {
  let tiny = x < 1.17549435e-38;
  let reduced = reduceLogarithm(select(x, x * 8388608.0, tiny));
  let k = f32(reduced.k - select(0, 23, tiny));
  let value = fma(k, LN_2_HIGH, reduced.f + fma(k, LN_2_LOW, log1pReduced(reduced.f)));
  return select(select(select(value, x, !isFinite(x)), negativeInfinity(), x == 0.0), nan(), x < 0.0);
}

// log(1 + x) for finite x > -1, the sign of zero aside. While 1 + x stays in reach of the polynomial, it is that in x
// itself; elsewhere what the rounding of 1 + x lost is put back.
fn log1pOrdinary(x: f32) -> f32 {
  let sum = fma(x, 1.0, 1.0);   // of 1.0 + x a compiler may make (1 + x) - 1 = x, and nothing seems lost
  let reduced = reduceLogarithm(sum);
  let near = reduced.k == 0;
  let f = select(reduced.f, x, near);
  let lost = select(select(x - (sum - 1.0), 1.0 - (sum - x), x >= 1.0) / sum, 0.0, near);
  let k = f32(reduced.k);
  return fma(k, LN_2_HIGH, f + fma(k, LN_2_LOW, log1pReduced(f) + lost));
}

fn log1p(x: f32) -> f32 {
  let value = select(log1pOrdinary(x), x, !isFinite(x) | (abs(x) < 1e-10));
  return select(select(value, negativeInfinity(), x == -1.0), nan(), x < -1.0);
}

// log(1 + e^x) = max(x, 0) + log1p(e^-|x|)
fn softplus(x: f32) -> f32 {
  return select(max(x, 0.0) + log1pOrdinary(expAccurate(-abs(x))), x, isNan(x));
}

// 1 / (1 + e^-x)
fn sigmoid(x: f32) -> f32 {
  let e = expAccurate(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

// By t = e^(-2|x|) - 1 it is -t / (t + 2): no cancellation. From 9.1 on it rounds to 1.
fn tanhAccurate(x: f32) -> f32 {
  let size = abs(x);
  let reduced = reduceExponent(-2.0 * size);
  let power = addExponent(1.0, reduced.n);
  let t = fma(power, expm1Reduced(reduced.r), power - 1.0);
  let value = copySign(select(-t / (t + 2.0), 1.0, size > 9.1), x);
  return select(value, x, isNan(x));
}

// e^(-scale a^2), scale 1 or 1/2: a is cut in two, so that the rounding of a^2, which e would magnify, does not arise.
fn expNegativeSquare(a: f32, scale: f32) -> f32 {
  let high = bitcast<f32>(bitcast<u32>(a) & 0xfffff000u);
  return expAccurate(-scale * high * high) * (1.0 + expm1Reduced(scale * (high - a) * (high + a)));
}

// e^(a^2) erfc(a) for 0 <= a <= 11, as (1 + 2a) times it is nearly flat.
fn erfcScaled(a: f32) -> f32 {
  let q = (a - 2.0) / (a + 2.0);
  let p = fma(fma(fma(fma(fma(fma(fma(fma(fma(
    -0.000394628791, q, -0.00122127682), q, 0.00131194806), q, 0.00862656813), q, -0.00806017872), q,
    -0.0542040356), q, 0.164055243), q, -0.166031212), q, -0.0927639455), q, 1.27697837);
  return p / fma(2.0, a, 1.0);
}

// erf(x) for |x| <= 0.93
fn erfReduced(x: f32) -> f32 {
  let s = x * x;
  let p = fma(fma(fma(fma(fma(-0.000595955527, s, 0.00498734787), s, -0.0267629642), s, 0.11281731), s,
    -0.376124889), s, 0.128379151);
  // x p alone would fall below 2^-126.
  return select(fma(x, p, x), x * 1.1283791670955126, abs(x) < 1e-30);
}

fn erf(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let a = min(abs(x), 4.0);
  if (a < 0.93) { return erfReduced(x); }
  return copySign(1.0 - expNegativeSquare(a, 1.0) * erfcScaled(a), x);
}

// Phi(x) = (1 + erf(x / sqrt(2))) / 2, the normal distribution function, accurate in the lower tail.
fn normalCumulative(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let a = min(abs(x), 15.0);
  if (a < 0.66) { return fma(0.5, erfReduced(x * 0.7071067811865476), 0.5); }
  let tail = 0.5 * expNegativeSquare(a, 0.5) * erfcScaled(a * 0.7071067811865476);
  return select(tail, 1.0 - tail, x > 0.0);
}

// pi / 2 in pieces, the first three of 8 bits: n times each is exact for |n| < 2^16, so |x| up to 1e5.
const HALF_PI_1 = 1.5703125;
const HALF_PI_2 = 4.825592041015625e-4;
const HALF_PI_3 = 1.26659870147705078125e-6;
const HALF_PI_4 = 9.9209357968054044e-10;

// The sine of x + turns pi / 2.
fn sineTurned(x: f32, turns: i32) -> f32 {
  if (!isFinite(x)) { return nan(); }
  let quarters = nearestInteger(x, 0.6366197723675814);
  let n = f32(quarters);
  let reduced = fma(n, -HALF_PI_4, fma(n, -HALF_PI_3, fma(n, -HALF_PI_2, fma(n, -HALF_PI_1, x))));
  let r = clamp(reduced, -0.8, 0.8);
  let s = r * r;
  let sine = fma(r * s, fma(fma(fma(2.83265899e-06, s, -0.000198530717), s, 0.0083333794), s, -0.166666672), r);
  let cosine = fma(s * s, fma(fma(2.44323219e-05, s, -0.00138873095), s, 0.0416666456), fma(-0.5, s, 1.0));
  let quadrant = (quarters + turns) & 3;
  let value = select(sine, cosine, (quadrant & 1) == 1);
  return select(value, -value, quadrant >= 2);
}

fn sine(x: f32) -> f32 { return select(sineTurned(x, 0), x, abs(x) < 1e-10); }
fn cosine(x: f32) -> f32 { return sineTurned(x, 1); }
