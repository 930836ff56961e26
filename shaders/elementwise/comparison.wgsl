// Comparisons, elementwise. With NaN all are false but notEqual: by bits, for WGSL may assume no NaN;
// and Chrome compiles f32 != as ordered, so NaN != NaN would be false. & without a branch, not &&.
// include common/bits.wgsl       isUnordered

fn equal_f32(a: f32, b: f32) -> bool { return (a == b) & !isUnordered(a, b); }
fn equal_i32(a: i32, b: i32) -> bool { return a == b; }
fn equal_u32(a: u32, b: u32) -> bool { return a == b; }
fn equal_bool(a: bool, b: bool) -> bool { return a == b; }

fn notEqual_f32(a: f32, b: f32) -> bool { return !equal_f32(a, b); }
fn notEqual_i32(a: i32, b: i32) -> bool { return a != b; }
fn notEqual_u32(a: u32, b: u32) -> bool { return a != b; }
fn notEqual_bool(a: bool, b: bool) -> bool { return a != b; }

fn less_f32(a: f32, b: f32) -> bool { return (a < b) & !isUnordered(a, b); }
fn less_i32(a: i32, b: i32) -> bool { return a < b; }
fn less_u32(a: u32, b: u32) -> bool { return a < b; }

fn lessEqual_f32(a: f32, b: f32) -> bool { return (a <= b) & !isUnordered(a, b); }
fn lessEqual_i32(a: i32, b: i32) -> bool { return a <= b; }
fn lessEqual_u32(a: u32, b: u32) -> bool { return a <= b; }

fn greater_f32(a: f32, b: f32) -> bool { return (a > b) & !isUnordered(a, b); }
fn greater_i32(a: i32, b: i32) -> bool { return a > b; }
fn greater_u32(a: u32, b: u32) -> bool { return a > b; }

fn greaterEqual_f32(a: f32, b: f32) -> bool { return (a >= b) & !isUnordered(a, b); }
fn greaterEqual_i32(a: i32, b: i32) -> bool { return a >= b; }
fn greaterEqual_u32(a: u32, b: u32) -> bool { return a >= b; }
