// Random draws as pure functions of the element's index: fused where they are used, recomputed rather than stored.
// counter  (index / 4, 0, step, stream), key (seedLow, seedHigh): four neighbours share one Philox block,
//          element index takes word index % 4
// bits     randomBits, randomUniform and randomPermutation are integer arithmetic: the same on every device.
//          The others go through log, sine and sqrt: the same within some ulps
// include common/philox.wgsl        philox
// include common/special.wgsl       logAccurate, log1p, sine, cosine
// include random/permutation.wgsl   permutedIndex

fn randomBits(index: u32, seedLow: u32, seedHigh: u32, stream: u32, step: u32) -> u32 {
  let words = philox(vec4<u32>(index / 4u, 0u, step, stream), vec2<u32>(seedLow, seedHigh));
  return words[index % 4u];
}

// In [0, 1), a multiple of 2^-24.
fn uniformFromBits(bits: u32) -> f32 { return f32(bits >> 8u) * 5.9604644775390625e-8; }

// In (0, 1], with the full 32 bits near 0: from 2^-33 on, so that logarithms are finite.
fn positiveFromBits(bits: u32) -> f32 { return (f32(bits) + 0.5) * 2.3283064365386963e-10; }

fn randomUniform(index: u32, seedLow: u32, seedHigh: u32, stream: u32, step: u32) -> f32 {
  return uniformFromBits(randomBits(index, seedLow, seedHigh, stream, step));
}

// Box-Muller: elements 2k and 2k + 1 are the cosine and the sine of one draw. |x| < 6.8.
fn randomNormal(index: u32, seedLow: u32, seedHigh: u32, stream: u32, step: u32) -> f32 {
  let words = philox(vec4<u32>(index / 4u, 0u, step, stream), vec2<u32>(seedLow, seedHigh));
  let pair = select(words.xy, words.zw, (index & 2u) != 0u);
  let radius = sqrt(-2.0 * logAccurate(positiveFromBits(pair.x)));
  let angle = 6.283185307179586 * uniformFromBits(pair.y);
  return radius * sineTurned(angle, select(1, 0, (index & 1u) != 0u));
}

// Exponential of mean 1: -log(1 - v), in (1e-10, 16.7).
fn exponentialFromBits(bits: u32) -> f32 { return -log1p(-min(positiveFromBits(bits), 0.99999994)); }

fn randomExponential(index: u32, seedLow: u32, seedHigh: u32, stream: u32, step: u32) -> f32 {
  return exponentialFromBits(randomBits(index, seedLow, seedHigh, stream, step));
}

// Gumbel: logits plus it have their largest at class c with probability softmax(logits)[c]. In (-2.9, 22.9).
fn randomGumbel(index: u32, seedLow: u32, seedHigh: u32, stream: u32, step: u32) -> f32 {
  return -logAccurate(randomExponential(index, seedLow, seedHigh, stream, step));
}

// The index-th of 0 .. count - 1 in a pseudo-random order.
fn randomPermutation(index: u32, count: u32, seedLow: u32, seedHigh: u32, stream: u32, step: u32) -> i32 {
  return i32(permutedIndex(index, count, seedLow, seedHigh, stream, step));
}
