// What an optimizer's update is written over: one float, or four at a time.

// f32 where the update runs in the store of the kernel that makes the gradient.
alias Floats = vec4<f32>;

@group(0) @binding(1) var<storage, read_write> parameters: array<Floats>;
