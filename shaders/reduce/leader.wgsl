// What argmax and argmin share: operands, and the leading element of several: the better one, and the first of ties;
// NaN leads all, as in PyTorch.
// include common/bits.wgsl       isNanBits

// f32, i32 or u32.
alias Element = f32;

struct Sizes { outputs: u32, count: u32, gridWidth: u32 }

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source: array<Element>;
@group(0) @binding(2) var<storage, read_write> result: array<i32>;

fn load_source(output: u32, item: u32) -> Element { return source[output * sizes.count + item]; }
fn store_result(output: u32, value: i32) { result[output] = value; }

// Replaced by < for the smallest.
fn better(candidate: Element, best: Element) -> bool { return candidate > best; }

struct Leader { value: Element, index: u32 }

// Integers have no NaN: 0.5 becomes 0 in them.
fn isNanElement(value: Element) -> bool {
  return (Element(0.5f) != Element(0)) & isNanBits(bitcast<u32>(value));
}

// Whether the candidate leads however their indices lie. & and |, not && and ||: without branches.
fn leads(candidate: Element, best: Element) -> bool {
  return !isNanElement(best) & (isNanElement(candidate) | better(candidate, best));
}

fn leaderOf(a: Leader, b: Leader) -> Leader {
  if (leads(b.value, a.value)) { return b; }
  if (leads(a.value, b.value) || a.index < b.index) { return a; }
  return b;
}
