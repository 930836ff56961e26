// Operands that are read number by number.
// include matmul/operands.wgsl    sizes, store_sum

// What they lie in memory as: f32, or f16, which is widened where it is loaded.
alias LeftElement = f32;
alias RightElement = f32;

@group(0) @binding(1) var<storage, read> a: array<LeftElement>;
@group(0) @binding(2) var<storage, read> b: array<RightElement>;

// The sums of some columns of b, reading them once more: little beside a tile of the product, which reads rows of a too.
fn storeSums(start: u32, first: u32, step: u32, end: u32) {
  for (var column = first; column < end; column += step) {
    let at = start + column * sizes.bColumn;
    var sum = 0.0;
    for (var k = 0u; k < sizes.inner; k += 1u) { sum += f32(b[at + k * sizes.bInner]); }
    store_sum(column, sum);
  }
}
