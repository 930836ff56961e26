// Operands that are read number by number.
// include matmul/operands.wgsl    sizes, store_sum

@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;

// The sums of some columns of b, reading them once more: little beside a tile of the product, which reads rows of a too.
fn storeSums(start: u32, first: u32, step: u32, end: u32) {
  for (var column = first; column < end; column += step) {
    let at = start + column * sizes.bColumn;
    var sum = 0.0;
    for (var k = 0u; k < sizes.inner; k += 1u) { sum += b[at + k * sizes.bInner]; }
    store_sum(column, sum);
  }
}
