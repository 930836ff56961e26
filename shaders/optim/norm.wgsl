// The global norm of a gradient arena, in two stages with a fixed order, free of overflow.
//   stage 1   gradients [count] -> norm [2 chunks]: for each chunk a power of two, and the sum of (g / power)^2
//   stage 2   FINAL: those pairs, as gradients -> norm [2]: the norm, and min(1, maximum / (norm + 1e-6)) (PyTorch's clipping)
// Padding between parameters is zero and adds nothing. NaN or infinity make the norm NaN or infinite.
// bytes    reads the arena once
// flops    about 5 count; a power of two scales without rounding or division
// order    a lane takes every WORKGROUP_SIZE-th float, by eights; lanes, then chunks, in order
// tails    the last floats of a lane one by one
// grid     stage 1: chunks, at most 65535; stage 2: 1
// include common/bits.wgsl       isNan

struct Sizes { count: u32, chunks: u32, itemsPerChunk: u32, firstChunk: u32, maximum: f32 }

const FINAL = false;
const WORKGROUP_SIZE = 64u;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> gradients: array<f32>;
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;

// A sum of squares as power^2 sum; power = 2^k, -126 <= k <= 126, so that 1 / power is normal too.
struct Scaled { power: f32, sum: f32 }

const LEAST_POWER = 0x00800000u;
const GREATEST_POWER = 0x7e800000u;

var<workgroup> lanes: array<Scaled, WORKGROUP_SIZE>;

// What remains of a sum when its power grows.
fn sumAt(a: Scaled, inverse: f32) -> f32 {
  let ratio = a.power * inverse;
  return a.sum * ratio * ratio;
}

fn inverseOf(power: f32) -> f32 { return bitcast<f32>(0x7f000000u - bitcast<u32>(power)); }

fn combine(a: Scaled, b: Scaled) -> Scaled {
  let power = max(a.power, b.power);
  let inverse = inverseOf(power);
  return Scaled(power, sumAt(a, inverse) + sumAt(b, inverse));
}

// The largest exponent among these, by bits: max may drop a NaN.
fn extend(a: Scaled, g: vec4<f32>, h: vec4<f32>) -> Scaled {
  let bits = max(bitcast<vec4<u32>>(g) & vec4(0x7f800000u), bitcast<vec4<u32>>(h) & vec4(0x7f800000u));
  let largest = max(max(bits.x, bits.y), max(bits.z, bits.w));
  let power = bitcast<f32>(clamp(largest, bitcast<u32>(a.power), GREATEST_POWER));
  let inverse = inverseOf(power);
  let x = g * inverse;
  let y = h * inverse;
  let squares = fma(x, x, y * y);
  return Scaled(power, sumAt(a, inverse) + ((squares.x + squares.y) + (squares.z + squares.w)));
}

fn fourAt(i: u32) -> vec4<f32> {
  return vec4(
    gradients[i], gradients[i + WORKGROUP_SIZE], gradients[i + 2u * WORKGROUP_SIZE], gradients[i + 3u * WORKGROUP_SIZE],
  );
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn globalNorm(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let end = min(sizes.count, (group.x + 1u) * sizes.itemsPerChunk);
  var total = Scaled(bitcast<f32>(LEAST_POWER), 0.0);
  var i = group.x * sizes.itemsPerChunk + lane;
  if (FINAL) {
    for (; i < end; i += WORKGROUP_SIZE) { total = combine(total, Scaled(gradients[2u * i], gradients[2u * i + 1u])); }
  } else {
    for (; i + 7u * WORKGROUP_SIZE < end; i += 8u * WORKGROUP_SIZE) {
      total = extend(total, fourAt(i), fourAt(i + 4u * WORKGROUP_SIZE));
    }
    for (; i < end; i += WORKGROUP_SIZE) { total = extend(total, vec4(gradients[i], 0.0, 0.0, 0.0), vec4(0.0)); }
  }
  lanes[lane] = total;
  workgroupBarrier();
  // One barrier, and one lane adds: barriers cost a CPU more, and a GPU has other chunks to run meanwhile.
  if (lane > 0u) { return; }
  var all = lanes[0];
  for (var k = 1u; k < WORKGROUP_SIZE; k++) { all = combine(all, lanes[k]); }
  if (FINAL) {
    let value = all.power * sqrt(all.sum);
    norm[0] = value;
    norm[1] = select(min(1.0, sizes.maximum / (value + 1e-6)), value, isNan(value));
  } else {
    norm[2u * (sizes.firstChunk + group.x)] = all.power;
    norm[2u * (sizes.firstChunk + group.x) + 1u] = all.sum;
  }
}
