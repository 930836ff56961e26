// How fast a kernel can read and write: one vec4 an invocation, once in and once out.
//   original [vectors, 4]   ->   copied [vectors, 4]
// bytes  reads 16 vectors, writes 16 vectors
// grid   vectors / 64, at most 65535

@group(0) @binding(0) var<storage, read> original: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> copied: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  copied[id.x] = original[id.x];
}
