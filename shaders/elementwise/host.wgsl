// Elementwise chains: runs the body once for each element.
//   body(index) is composed by the planner: it loads what the chain reads and stores what it makes
// bytes    what the chain's distinct inputs and outputs hold, each once
// order    independent elements
// grid     ceil(count / WORKGROUP_SIZE), folded: gridWidth workgroups in x

struct Sizes { count: u32, gridWidth: u32 }

override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<uniform> sizes: Sizes;

fn body(index: u32) {}

@compute @workgroup_size(WORKGROUP_SIZE)
fn elementwise(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (index < sizes.count) { body(index); }
}
