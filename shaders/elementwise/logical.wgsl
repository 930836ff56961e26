// Logic and selection, elementwise.
// include common/bits.wgsl       isNan, isInfinite, isFinite

fn and_bool(a: bool, b: bool) -> bool { return a && b; }
fn or_bool(a: bool, b: bool) -> bool { return a || b; }
fn xor_bool(a: bool, b: bool) -> bool { return a != b; }
fn not_bool(x: bool) -> bool { return !x; }

fn where_f32(condition: bool, a: f32, b: f32) -> f32 { return select(b, a, condition); }
fn where_i32(condition: bool, a: i32, b: i32) -> i32 { return select(b, a, condition); }
fn where_u32(condition: bool, a: u32, b: u32) -> u32 { return select(b, a, condition); }
fn where_bool(condition: bool, a: bool, b: bool) -> bool { return select(b, a, condition); }

fn isNan_f32(x: f32) -> bool { return isNan(x); }
fn isInfinite_f32(x: f32) -> bool { return isInfinite(x); }
fn isFinite_f32(x: f32) -> bool { return isFinite(x); }
