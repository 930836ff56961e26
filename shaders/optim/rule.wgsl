// What an optimizer's update is written over: one float, or four at a time.

// f32 where the update runs in the store of the kernel that makes the gradient.
alias Floats = vec4<f32>;

// A gradient with weight decay in it. Without decay an infinite weight adds nothing, not even 0 * infinity.
fn decayed(gradient: Floats, decay: f32, weight: Floats) -> Floats {
  return select(gradient + decay * weight, gradient, decay == 0.0);
}

@group(0) @binding(1) var<storage, read_write> parameters: array<Floats>;
