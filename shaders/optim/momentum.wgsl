// Stochastic gradient descent with momentum, Nesterov's too, and weight decay coupled (in the gradient) or
// decoupled (on the parameter). Momentum as PyTorch: v <- momentum v + g; p <- p - learningRate v.
// include optim/rule.wgsl        Floats, parameters, decayed

struct Settings {
  learningRate: f32, coupledDecay: f32, decoupledDecay: f32, momentum: f32, nesterov: f32,
}

@group(0) @binding(4) var<storage, read_write> momentum: array<Floats>;

fn settingsOf(a: vec4<f32>, b: vec4<f32>) -> Settings { return Settings(a.x, a.y, a.z, a.w, b.x); }

fn update(i: u32, gradient: Floats, settings: Settings) {
  let p = parameters[i];
  let g = decayed(gradient, settings.coupledDecay, p);
  let v = select(fma(Floats(settings.momentum), momentum[i], g), g, settings.momentum == 0.0);
  momentum[i] = v;
  let direction = select(v, fma(Floats(settings.momentum), v, g), settings.nesterov > 0.0);
  parameters[i] = p - settings.learningRate * decayed(direction, settings.decoupledDecay, p);
}
