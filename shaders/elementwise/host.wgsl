// Elementwise chains: runs the body once for each element.
//   body(index) is composed by the planner: it loads what the chain reads and stores what it makes
// bytes    what the chain's distinct inputs and outputs hold, each once
// order    independent elements
// variant  a workgroup takes `items` runs of WORKGROUP_SIZE neighbouring elements, one after the other: on a CPU adapter,
//          where to start a workgroup costs as much as to copy dozens of elements, many; on a GPU one
// grid     ceil(count / (items WORKGROUP_SIZE)), folded: gridWidth workgroups in x

struct Sizes { count: u32, gridWidth: u32, items: u32 }

override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<uniform> sizes: Sizes;

fn body(index: u32) {}

@compute @workgroup_size(WORKGROUP_SIZE)
fn elementwise(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let run = WORKGROUP_SIZE * sizes.items;
  let start = (group.y * sizes.gridWidth + group.x) * run;
  // A fold's last workgroups may start past the end.
  let end = min(start + run, sizes.count);
  for (var index = start + lane; index < end; index += WORKGROUP_SIZE) { body(index); }
}
