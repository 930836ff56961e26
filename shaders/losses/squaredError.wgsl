// Squared error by rows: the sum of squared differences of each row, and the gradient by the predictions.
//   prediction, reference [rows, columns]  cotangent [rows]  ->  value [rows]  gradient [rows, columns]
// gradient = 2 (prediction - reference) cotangent
// variant  one thread a row
// bytes    reads 4 rows (2 columns + 1), writes 4 rows (columns + 1): each element once in, once out
// flops    about 4 rows columns
// order    four sums of every fourth column, joined in pairs; the tail one by one
// grid     ceil(rows / WORKGROUP_SIZE), folded: gridWidth workgroups in x

struct Sizes { rows: u32, columns: u32, gridWidth: u32 }

override WORKGROUP_SIZE: u32 = 64;
// An output that nobody wants is left out.
const WANT_VALUE = true;
const WANT_GRADIENT = true;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> prediction: array<f32>;
@group(0) @binding(2) var<storage, read> reference: array<f32>;
@group(0) @binding(3) var<storage, read> cotangent: array<f32>;
@group(0) @binding(4) var<storage, read_write> value: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradient: array<f32>;

fn load_prediction(row: u32, column: u32) -> f32 { return prediction[row * sizes.columns + column]; }
fn load_reference(row: u32, column: u32) -> f32 { return reference[row * sizes.columns + column]; }
fn load_cotangent(row: u32) -> f32 { return cotangent[row]; }
fn store_value(row: u32, result: f32) { value[row] = result; }
fn store_gradient(row: u32, column: u32, result: f32) { gradient[row * sizes.columns + column] = result; }

fn differenceAt(row: u32, column: u32, factor: f32) -> f32 {
  let difference = load_prediction(row, column) - load_reference(row, column);
  if (WANT_GRADIENT) { store_gradient(row, column, factor * difference); }
  return difference;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn squaredError(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let row = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + local;
  if (row >= sizes.rows) { return; }
  var factor = 0.0;
  if (WANT_GRADIENT) { factor = 2.0 * load_cotangent(row); }
  var sums = vec4(0.0);
  var j = 0u;
  for (; j + 3u < sizes.columns; j += 4u) {
    let difference = vec4(
      differenceAt(row, j, factor), differenceAt(row, j + 1u, factor),
      differenceAt(row, j + 2u, factor), differenceAt(row, j + 3u, factor),
    );
    sums = fma(difference, difference, sums);
  }
  var sum = (sums.x + sums.y) + (sums.z + sums.w);
  for (; j < sizes.columns; j++) {
    let difference = differenceAt(row, j, factor);
    sum = fma(difference, difference, sum);
  }
  if (WANT_VALUE) { store_value(row, sum); }
}
