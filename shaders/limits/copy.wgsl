// How fast a kernel can read and write: one vec4 an invocation, once in and once out.
//   original [vectors, 4]   ->   copied [vectors, 4]
// bytes  reads 16 vectors, writes 16 vectors
// grid   vectors / 64, folded: rows of gridWidth workgroups

struct Sizes { gridWidth: u32 }

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> original: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> copied: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * sizes.gridWidth * 64u + id.x;
  if (i < arrayLength(&copied)) {
    copied[i] = original[i];
  }
}
