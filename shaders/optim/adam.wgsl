// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019): weight decay coupled (in the gradient) or
// decoupled (on the parameter).
//   m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g g
//   p <- p - learningRate (m / correction1 / (sqrt(v / correction2) + epsilon) + decoupledDecay p)
// The corrections 1 - beta^step come from the host, in f64, each step.
// include optim/rule.wgsl        Floats, parameters, decayed

struct Settings {
  learningRate: f32, beta1: f32, beta2: f32, epsilon: f32,
  correction1: f32, correction2: f32, coupledDecay: f32, decoupledDecay: f32,
}

@group(0) @binding(4) var<storage, read_write> first: array<Floats>;
@group(0) @binding(5) var<storage, read_write> second: array<Floats>;

fn settingsOf(a: vec4<f32>, b: vec4<f32>) -> Settings {
  return Settings(a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w);
}

fn update(i: u32, gradient: Floats, settings: Settings) {
  let p = parameters[i];
  let g = decayed(gradient, settings.coupledDecay, p);
  let before = first[i];
  let m = before + (1.0 - settings.beta1) * (g - before);
  let v = settings.beta2 * second[i] + (1.0 - settings.beta2) * g * g;
  first[i] = m;
  second[i] = v;
  let step = (m / settings.correction1) / (sqrt(v / settings.correction2) + settings.epsilon);
  parameters[i] = p - settings.learningRate * decayed(step, settings.decoupledDecay, p);
}
