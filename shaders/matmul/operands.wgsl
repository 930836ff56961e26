// What the matrix products share: operands by strides, and the epilogue's hook.

struct Sizes {
  rows: u32, columns: u32, inner: u32, batches: u32,
  aOffset: u32, aRow: u32, aInner: u32, aBatch: u32,      // in elements: where a starts, and its strides
  bOffset: u32, bInner: u32, bColumn: u32, bBatch: u32,   // the same of b; 0 broadcasts
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

// The epilogue: the planner replaces it when bias, activation or mask are fused in.
fn store_result(batch: u32, row: u32, column: u32, value: f32) {
  result[(batch * sizes.rows + row) * sizes.columns + column] = value;
}
