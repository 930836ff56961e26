// The host of optimizers: parameters, gradients and state in flat arenas, read and written as vec4.
//   parameters [count / 4]  gradients [count / 4]  blocks [count / 64], for count floats
// An invocation owns every fourth vec4 of a block of 64 floats: the block's group and settings are read once for 16
// floats, and neighbouring lanes read neighbouring vec4. An optimizer's file takes the place of Settings, settingsOf and
// update below, and brings its state arenas.
// blocks   the parameter group of each block, or FROZEN: frozen parameters and padding
// groups   8 numbers a group, which the optimizer's own Settings name
// bytes    reads 4 (2 + states) a float, writes 4 (1 + states)
// grid     ceil(4 blockCount / WORKGROUP_SIZE), folded: gridWidth workgroups in x
// include common/bits.wgsl       isNan
// include optim/rule.wgsl        Floats, parameters

const FROZEN = 0xffffffffu;
// vec4 of a part, and the step from one to the next.
const PART = 4u;

struct Sizes {
  blockCount: u32,
  gridWidth: u32,
  clipValue: f32,     // gradients are held to ±clipValue; 0 means they are not
  groups: array<vec4<f32>, 16>,
}

override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(2) var<storage, read> gradients: array<Floats>;
@group(0) @binding(3) var<storage, read> blocks: array<u32>;

// Replaced when gradients are clipped by their global norm.
fn gradientScale() -> f32 { return 1.0; }

fn held(g: f32) -> f32 {
  return select(clamp(g, -sizes.clipValue, sizes.clipValue), g, isNan(g));
}

fn gradientAt(i: u32) -> vec4<f32> {
  let g = gradients[i] * gradientScale();
  if (sizes.clipValue > 0.0) { return vec4(held(g.x), held(g.y), held(g.z), held(g.w)); }
  return g;
}

struct Part { start: u32, group: u32, trained: bool }

fn partOf(group: vec3<u32>, lane: u32) -> Part {
  let invocation = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  let index = invocation / PART;
  if (index >= sizes.blockCount) { return Part(0u, 0u, false); }
  let owner = blocks[index];
  return Part(index * 16u + invocation % PART, owner, owner != FROZEN);
}

// Plain descent, in the place of an optimizer.
struct Settings { learningRate: f32 }

fn settingsOf(a: vec4<f32>, b: vec4<f32>) -> Settings { return Settings(a.x); }

fn update(i: u32, gradient: Floats, settings: Settings) {
  parameters[i] -= settings.learningRate * gradient;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn arena(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let part = partOf(group, lane);
  if (!part.trained) { return; }
  let settings = settingsOf(sizes.groups[2u * part.group], sizes.groups[2u * part.group + 1u]);
  for (var j = 0u; j < 4u; j++) {
    let i = part.start + PART * j;
    update(i, gradientAt(i), settings);
  }
}
