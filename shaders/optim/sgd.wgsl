// Stochastic gradient descent without momentum, with weight decay coupled (in the gradient) or decoupled (on the
// parameter): it has no state, so it reads and writes nothing but the parameter.
// include optim/rule.wgsl        Floats, parameters, decayed

struct Settings { learningRate: f32, coupledDecay: f32, decoupledDecay: f32 }

fn settingsOf(a: vec4<f32>, b: vec4<f32>) -> Settings { return Settings(a.x, a.y, a.z); }

fn update(i: u32, gradient: Floats, settings: Settings) {
  let p = parameters[i];
  let g = decayed(gradient, settings.coupledDecay, p);
  parameters[i] = p - settings.learningRate * decayed(g, settings.decoupledDecay, p);
}
