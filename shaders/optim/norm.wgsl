// The global norm of a gradient arena, in two stages with a fixed order, free of overflow.
//   stage 1   gradients [count] -> partial [2 chunks]: the largest |g| of a chunk, and the sum of (g / largest)^2
//   stage 2   partial -> norm [2]: the norm, and the factor min(1, maximum / (norm + 1e-6)) (PyTorch's clipping)
// Padding between parameters is zero and adds nothing. NaN or infinity make the norm NaN or infinite.
// bytes    reads the arena once
// order    a lane takes every WORKGROUP_SIZE-th float; lanes, then chunks, in order
// grid     stage 1: chunks, at most 65535; stage 2: 1
// include common/bits.wgsl       isNan

struct Sizes { count: u32, chunks: u32, itemsPerChunk: u32, firstChunk: u32, maximum: f32 }

const FINAL = false;
const WORKGROUP_SIZE = 64u;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> gradients: array<f32>;
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;

// A sum of squares as scale^2 * sum.
struct Scaled { scale: f32, sum: f32 }

var<workgroup> lanes: array<Scaled, WORKGROUP_SIZE>;

fn combine(a: Scaled, b: Scaled) -> Scaled {
  if (isNan(a.scale)) { return a; }
  if (isNan(b.scale)) { return b; }
  if (b.scale == 0.0) { return a; }
  if (a.scale == 0.0) { return b; }
  // Equal scales first: infinity / infinity would be NaN.
  if (a.scale == b.scale) { return Scaled(a.scale, a.sum + b.sum); }
  if (a.scale > b.scale) {
    let r = b.scale / a.scale;
    return Scaled(a.scale, fma(b.sum * r, r, a.sum));
  }
  let r = a.scale / b.scale;
  return Scaled(b.scale, fma(a.sum * r, r, b.sum));
}

fn itemAt(i: u32) -> Scaled {
  if (FINAL) { return Scaled(gradients[2u * i], gradients[2u * i + 1u]); }
  let size = abs(gradients[i]);
  return Scaled(size, select(0.0, 1.0, size != 0.0));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn globalNorm(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let end = min(sizes.count, (group.x + 1u) * sizes.itemsPerChunk);
  var total = Scaled(0.0, 0.0);
  for (var i = group.x * sizes.itemsPerChunk + lane; i < end; i += WORKGROUP_SIZE) { total = combine(total, itemAt(i)); }
  lanes[lane] = total;
  workgroupBarrier();
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    if (lane < half) { lanes[lane] = combine(lanes[lane], lanes[lane + half]); }
    workgroupBarrier();
  }
  if (lane > 0u) { return; }
  let all = lanes[0];
  if (FINAL) {
    let value = all.scale * sqrt(all.sum);
    norm[0] = value;
    norm[1] = select(min(1.0, sizes.maximum / (value + 1e-6)), value, isNan(value));
  } else {
    norm[2u * (sizes.firstChunk + group.x)] = all.scale;
    norm[2u * (sizes.firstChunk + group.x) + 1u] = all.sum;
  }
}
