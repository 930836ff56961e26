// What all matrix products share: sizes and strides, the epilogue's hook, and the sums of b that may come along.
// How a and b are read: matmul/scalars.wgsl, or quadPacked.wgsl's own way.

struct Sizes {
  rows: u32, columns: u32, inner: u32, batches: u32,
  aOffset: u32, aRow: u32, aInner: u32, aBatch: u32,      // in elements: where a starts, and its strides
  bOffset: u32, bInner: u32, bColumn: u32, bBatch: u32,   // the same of b; 0 broadcasts
  firstRow: u32,                                          // of a product in parts: for a hook that stores its rows
  gridWidth: u32,                                         // workgroups in x, of a folded grid
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;   // [columns]

// Whether the sum of each column of b over inner, ascending, is wanted too (a bias's gradient): one batch.
override COLUMN_SUMS: bool = false;

// Whether the grid of tiles has more than 65535 in a dimension: then they go one after another, x first.
override FOLDED: bool = false;

// A workgroup's place in the grid of tiles. The last workgroups of a folded grid may lie past its end: batch >= batches.
fn unfold(group: vec3u, tileRows: u32, tileColumns: u32) -> vec3u {
  if (!FOLDED) { return group; }
  let across = (sizes.columns + tileColumns - 1u) / tileColumns;
  let down = (sizes.rows + tileRows - 1u) / tileRows;
  let tile = group.y * sizes.gridWidth + group.x;
  return vec3u(tile % across, tile / across % down, tile / (across * down));
}

// The epilogue: the planner replaces it when bias, activation or mask are fused in.
fn store_result(batch: u32, row: u32, column: u32, value: f32) {
  result[(batch * sizes.rows + row) * sizes.columns + column] = value;
}

fn store_sum(column: u32, value: f32) {
  sums[column] = value;
}
