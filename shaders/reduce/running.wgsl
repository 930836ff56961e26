// What the running sums share: operands, and the direction.

// f32, i32 or u32.
alias Element = f32;

// From the end backwards.
const REVERSE = false;
// Without the element itself: the first is 0.
const EXCLUSIVE = false;

struct Sizes { rows: u32, count: u32, gridWidth: u32 }

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source: array<Element>;
@group(0) @binding(2) var<storage, read_write> result: array<Element>;

fn load_source(row: u32, item: u32) -> Element { return source[row * sizes.count + item]; }
fn store_result(row: u32, item: u32, value: Element) { result[row * sizes.count + item] = value; }

// Where the i-th item of a row lies.
fn place(i: u32) -> u32 { return select(i, sizes.count - 1u - i, REVERSE); }
