// Comp-sum of rho-margins: Phi_tau(u), where u is the sum over j != y of min(1, max(0, 1 - (z_y - z_j) / rho)).
// Mao, Mohri, Zhong 2023, the adversarial comp-sum rho-margin loss.
// include losses/row.wgsl        Row, Logit
// include common/special.wgsl    expm1Over(x) = (e^x - 1) / x, and 1 at x = 0; log1p

struct Parameters { tau: f32, rho: f32 }

fn shortfall(row: Row, j: Logit, parameters: Parameters) -> f32 {
  return 1.0 - (row.logit - j.logit) / parameters.rho;
}

// On the ramp, both ends left out; a NaN is on it, so that it is handed on.
fn slopes(short: f32) -> bool { return !(short <= 0.0) && !(short >= 1.0); }

// u, and how many of its terms are on the ramp.
fn reduce(row: Row, j: Logit, parameters: Parameters) -> vec4<f32> {
  if (j.isLabel) { return vec4(0.0); }
  let short = shortfall(row, j, parameters);
  if (slopes(short)) { return vec4(short, 1.0, 0.0, 0.0); }
  return vec4(select(0.0, 1.0, short >= 1.0), 0.0, 0.0, 0.0);
}

// u is at most classes - 1, so nothing overflows: Phi_tau(u) = c expm1Over((1 - tau) c) with c = log(1 + u).
fn finish(row: Row, parameters: Parameters) -> f32 {
  let c = log1p(row.reduced.x);
  return c * expm1Over((1.0 - parameters.tau) * c);
}

// Phi_tau'(u) = (1 + u)^-tau.
fn gradient(row: Row, j: Logit, parameters: Parameters) -> f32 {
  let weight = exp(-parameters.tau * log1p(row.reduced.x)) / parameters.rho;
  if (j.isLabel) { return -weight * row.reduced.y; }
  return select(0.0, weight, slopes(shortfall(row, j, parameters)));
}
