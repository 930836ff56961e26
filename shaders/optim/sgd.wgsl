// Stochastic gradient descent with momentum, Nesterov's too, and weight decay coupled (in the gradient) or
// decoupled (on the parameter). Momentum as PyTorch: v <- momentum v + g; p <- p - learningRate v.
// include optim/arena.wgsl       parameters, gradientAt(i), elementOf(workgroup, lane)

struct Settings {
  learningRate: f32, momentum: f32, nesterov: f32, coupledDecay: f32, decoupledDecay: f32,
}

@group(0) @binding(4) var<storage, read_write> momentum: array<f32>;

fn settingsOf(group: u32) -> Settings {
  let a = sizes.groups[2u * group];
  let b = sizes.groups[2u * group + 1u];
  return Settings(a.x, a.y, a.z, a.w, b.x);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn sgd(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let element = elementOf(group, lane);
  if (!element.trained) { return; }
  let i = element.index;
  let settings = settingsOf(element.group);
  let p = parameters[i];
  let g = gradientAt(i) + settings.coupledDecay * p;
  let v = fma(settings.momentum, momentum[i], g);
  momentum[i] = v;
  let direction = select(v, fma(settings.momentum, v, g), settings.nesterov > 0.0);
  parameters[i] = p - settings.learningRate * (direction + settings.decoupledDecay * p);
}
