// The same as fma.wgsl with two chains of vec4 in place of eight: eight of four lanes each outgrow the sixteen
// vector registers of a processor, so a software adapter is faster here; GPUs are with the other.
//   result [invocations, 4]: the sum of the chains, which tend to summand / (1 - factor)
// flops  invocations * turns * 64 * 4 * 2
// bytes  writes 16 an invocation
// grid   invocations / 64

struct Sizes { turns: u32, factor: f32, summand: f32 }

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = vec4f(sizes.factor);
  let y = vec4f(sizes.summand);
  var a = vec4f(f32(id.x & 3u));
  var b = a + 1.0;
  for (var turn = 0u; turn < sizes.turns; turn++) {
    a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y);
    a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y);
    a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y);
    a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y);
    a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y);
    a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y);
    a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y);
    a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y); a = fma(a, x, y); b = fma(b, x, y);
  }
  result[id.x] = a + b;
}
