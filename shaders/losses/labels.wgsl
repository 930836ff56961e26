// What the hosts of rows with labels share: a row's label, and the classes beside it.
// include losses/rowHost.wgsl    hooks, rowOf, logitOf, complain

@group(0) @binding(2) var<storage, read> labels: array<i32>;

fn load_labels(row: u32) -> i32 { return labels[row]; }

// Whether the loss gives slope: one factor for the whole row.
const SLOPED = false;

// An ignored row has value and gradient 0, whatever its logits. One whose label is no class has NaN for both.
struct Label { index: u32, ignored: bool, wrong: bool }

fn labelOf(row: u32) -> Label {
  let given = load_labels(sizes.firstRow + row);
  let ignored = sizes.hasIgnoreIndex != 0u && given == sizes.ignoreIndex;
  let wrong = !ignored && (given < 0 || u32(given) >= sizes.classes);
  return Label(select(u32(given), 0u, ignored || wrong), ignored, wrong);
}

// What the row's first lane writes.
fn writeValue(index: u32, label: Label, row: Row, parameters: Parameters) {
  examine(sizes.firstRow + index, label.wrong, !label.ignored && isNan(row.crossEntropy), parameters);
  if (WANT_VALUE) {
    let result = select(finish(row, parameters), nan(), label.wrong);
    store_value(sizes.firstRow + index, select(result, 0.0, label.ignored));
  }
}

// The factor of the row's gradient.
fn factorOf(index: u32, label: Label, row: Row, parameters: Parameters) -> f32 {
  if (!WANT_GRADIENT || label.ignored) { return 0.0; }
  let factor = select(load_cotangent(sizes.firstRow + index), nan(), label.wrong);
  if (SLOPED) { return factor * slope(row, parameters); }
  return factor;
}

fn writeGradient(index: u32, column: u32, z: f32, row: Row, factor: f32, parameters: Parameters) {
  let j = logitOf(row, column, z);
  if (SLOPED) { store_gradient(index, column, factor * j.residual); }
  else { store_gradient(index, column, factor * gradient(row, j, parameters)); }
}
