// The element as it is, elementwise: what the planner puts in where a view must become a buffer of its own.

fn copy_f32(x: f32) -> f32 { return x; }
fn copy_i32(x: i32) -> i32 { return x; }
fn copy_u32(x: u32) -> u32 { return x; }
fn copy_bool(x: bool) -> bool { return x; }
