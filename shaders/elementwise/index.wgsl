// The element's own index: 0, 1, 2, ... Above 2^24 an f32 rounds it.

fn iotaF32(index: u32) -> f32 { return f32(index); }
fn iotaI32(index: u32) -> i32 { return i32(index); }
fn iotaU32(index: u32) -> u32 { return index; }
