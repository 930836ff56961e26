// The host of optimizers: parameters, gradients and state in flat arenas, one invocation for each float.
//   parameters [count]  gradients [count]  blocks [count / 64]
// An optimizer's file brings its state arenas, and update(): it changes element i by its gradient.
// blocks   the parameter group of each block of 64 floats, or FROZEN: frozen parameters and padding
// groups   8 numbers a group, which the optimizer's own Settings name
// bytes    reads 4 (2 + states) a float, writes 4 (1 + states)
// grid     ceil(count / WORKGROUP_SIZE), folded: gridWidth workgroups in x
// include common/bits.wgsl       isNan

const FROZEN = 0xffffffffu;

struct Sizes {
  count: u32,
  gridWidth: u32,
  clipValue: f32,     // gradients are held to ±clipValue; 0 means they are not
  groups: array<vec4<f32>, 16>,
}

override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(2) var<storage, read> gradients: array<f32>;
@group(0) @binding(3) var<storage, read> blocks: array<u32>;

// Replaced when gradients are clipped by their global norm.
fn gradientScale() -> f32 { return 1.0; }

fn gradientAt(i: u32) -> f32 {
  let g = gradients[i] * gradientScale();
  let held = clamp(g, -sizes.clipValue, sizes.clipValue);
  return select(g, held, sizes.clipValue > 0.0 && !isNan(g));
}

struct Element { index: u32, group: u32, trained: bool }

fn elementOf(group: vec3<u32>, lane: u32) -> Element {
  let i = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (i >= sizes.count) { return Element(0u, 0u, false); }
  let owner = blocks[i / 64u];
  return Element(i, owner, owner != FROZEN);
}
