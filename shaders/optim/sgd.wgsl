// Stochastic gradient descent with momentum, Nesterov's too, and weight decay coupled (in the gradient) or
// decoupled (on the parameter). Momentum as PyTorch: v <- momentum v + g; p <- p - learningRate v.
// include optim/arena.wgsl       parameters, gradientAt(i), partOf(workgroup, lane)

struct Settings {
  learningRate: f32, momentum: f32, nesterov: f32, coupledDecay: f32, decoupledDecay: f32,
}

@group(0) @binding(4) var<storage, read_write> momentum: array<vec4<f32>>;

fn settingsOf(group: u32) -> Settings {
  let a = sizes.groups[2u * group];
  let b = sizes.groups[2u * group + 1u];
  return Settings(a.x, a.y, a.z, a.w, b.x);
}

fn update(i: u32, settings: Settings) {
  let p = parameters[i];
  let g = gradientAt(i) + settings.coupledDecay * p;
  let v = fma(vec4(settings.momentum), momentum[i], g);
  momentum[i] = v;
  let direction = select(v, fma(vec4(settings.momentum), v, g), settings.nesterov > 0.0);
  parameters[i] = p - settings.learningRate * (direction + settings.decoupledDecay * p);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn sgd(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let part = partOf(group, lane);
  if (!part.trained) { return; }
  let settings = settingsOf(part.group);
  for (var j = 0u; j < 4u; j++) { update(part.start + PART * j, settings); }
}
