// Exponential moving average of an arena: average <- average + rate (parameter - average), rate = 1 - decay.
//   parameters [count]  ->  average [count], in place
// bytes    reads 8 count, writes 4 count
// flops    2 count
// order    independent elements
// grid     ceil(count / WORKGROUP_SIZE), folded: gridWidth workgroups in x

// The host subtracts in f64: 1 - 0.9999 in f32 would be off by a relative 2e-4.
struct Sizes { count: u32, gridWidth: u32, rate: f32 }

override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> parameters: array<f32>;
@group(0) @binding(2) var<storage, read_write> average: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn ema(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (i < sizes.count) { average[i] = fma(sizes.rate, parameters[i] - average[i], average[i]); }
}
