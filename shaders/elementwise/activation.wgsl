// Activations, elementwise. NaN stays NaN in all.
// include common/special.wgsl    sigmoid, softplus, tanhAccurate, erf, normalCumulative

fn relu_f32(x: f32) -> f32 { return select(max(x, 0.0), x, isNan(x)); }
fn sigmoid_f32(x: f32) -> f32 { return sigmoid(x); }
fn softplus_f32(x: f32) -> f32 { return softplus(x); }
fn erf_f32(x: f32) -> f32 { return erf(x); }

// x sigmoid(x); 0 at -infinity, where the product would be NaN.
fn silu_f32(x: f32) -> f32 { return select(x * sigmoid(x), 0.0, x == negativeInfinity()); }

// x Phi(x)
fn gelu_f32(x: f32) -> f32 { return select(x * normalCumulative(x), 0.0, x == negativeInfinity()); }

// x (1 + tanh(y)) / 2 with y = sqrt(2 / pi) (x + 0.044715 x^3), as x sigmoid(2y): the same without cancellation.
fn geluTanh_f32(x: f32) -> f32 {
  let doubled = 1.5957691216057308 * x * fma(0.044715 * x, x, 1.0);
  return select(x * sigmoid(doubled), 0.0, x == negativeInfinity());
}
