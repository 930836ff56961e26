// Elementwise arithmetic, named NAME_TYPE by the type of the last parameter. Integers wrap around.
// include common/bits.wgsl       isNan

fn add_f32(a: f32, b: f32) -> f32 { return a + b; }
fn add_i32(a: i32, b: i32) -> i32 { return a + b; }
fn add_u32(a: u32, b: u32) -> u32 { return a + b; }

fn subtract_f32(a: f32, b: f32) -> f32 { return a - b; }
fn subtract_i32(a: i32, b: i32) -> i32 { return a - b; }
fn subtract_u32(a: u32, b: u32) -> u32 { return a - b; }

fn multiply_f32(a: f32, b: f32) -> f32 { return a * b; }
fn multiply_i32(a: i32, b: i32) -> i32 { return a * b; }
fn multiply_u32(a: u32, b: u32) -> u32 { return a * b; }

fn divide_f32(a: f32, b: f32) -> f32 { return a / b; }

fn negative_f32(x: f32) -> f32 { return -x; }
fn negative_i32(x: i32) -> i32 { return -x; }

// NaN on either side gives NaN: the builtin may drop it.
fn maximum_f32(a: f32, b: f32) -> f32 { return select(select(max(a, b), b, isNan(b)), a, isNan(a)); }
fn maximum_i32(a: i32, b: i32) -> i32 { return max(a, b); }
fn maximum_u32(a: u32, b: u32) -> u32 { return max(a, b); }

fn minimum_f32(a: f32, b: f32) -> f32 { return select(select(min(a, b), b, isNan(b)), a, isNan(a)); }
fn minimum_i32(a: i32, b: i32) -> i32 { return min(a, b); }
fn minimum_u32(a: u32, b: u32) -> u32 { return min(a, b); }

// high where low > high, as in PyTorch.
fn clamp_f32(x: f32, low: f32, high: f32) -> f32 { return minimum_f32(maximum_f32(x, low), high); }
fn clamp_i32(x: i32, low: i32, high: i32) -> i32 { return min(max(x, low), high); }
fn clamp_u32(x: u32, low: u32, high: u32) -> u32 { return min(max(x, low), high); }

fn abs_f32(x: f32) -> f32 { return abs(x); }
fn abs_i32(x: i32) -> i32 { return abs(x); }

fn sign_f32(x: f32) -> f32 { return select(sign(x), x, isNan(x)); }
fn sign_i32(x: i32) -> i32 { return sign(x); }

fn square_f32(x: f32) -> f32 { return x * x; }

fn reciprocal_f32(x: f32) -> f32 { return 1.0 / x; }

fn floor_f32(x: f32) -> f32 { return floor(x); }
fn ceil_f32(x: f32) -> f32 { return ceil(x); }
fn round_f32(x: f32) -> f32 { return round(x); }
