// Sine, cosine and hyperbolic tangent, elementwise.
// include common/special.wgsl    sine, cosine, tanhAccurate

fn sin_f32(x: f32) -> f32 { return sine(x); }
fn cos_f32(x: f32) -> f32 { return cosine(x); }
fn tanh_f32(x: f32) -> f32 { return tanhAccurate(x); }
