// What the row hosts share: operands, defaults of what a loss may declare, and a row's statistics.
// include losses/row.wgsl        Row, Logit, Parameters
// include softmax/online.wgsl    Online, onlineExtend, onlineMerge
// include common/complain.wgsl   complain
// include common/bits.wgsl       nan, isInfinite, negativeInfinity
// include common/special.wgsl    log1p, expAccurate, logAccurate

struct Sizes {
  rows: u32,
  classes: u32,
  gridWidth: u32,
  firstRow: u32,         // of a chunk: its logits and gradients begin at 0, all else goes by the whole batch's rows
  hasIgnoreIndex: u32,
  ignoreIndex: i32,
  tolerance: f32,        // of the sum of a row of soft targets, about 1
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(3) var<storage, read> cotangent: array<f32>;
@group(0) @binding(4) var<storage, read_write> value: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradients: array<f32>;

fn load_logits(row: u32, column: u32) -> f32 { return logits[row * sizes.classes + column]; }
fn load_cotangent(row: u32) -> f32 { return cotangent[row]; }
fn store_value(row: u32, result: f32) { value[row] = result; }
fn store_gradient(row: u32, column: u32, result: f32) { gradients[row * sizes.classes + column] = result; }

// An output that nobody wants, and all work for it alone, is left out.
const WANT_VALUE = true;
const WANT_GRADIENT = true;
// Whether the loss declares accumulate (and rescale), and reduce.
const ACCUMULATES = false;
const REDUCES = false;
// Whether NaN in the logits is complained of too.
const COMPLAINS_OF_NAN = false;

// Defaults: what the loss declares takes their place.
fn loadParameters() -> Parameters { return Parameters(); }
fn finish(row: Row, parameters: Parameters) -> f32 { return row.crossEntropy; }
fn slope(row: Row, parameters: Parameters) -> f32 { return 1.0; }
fn gradient(row: Row, j: Logit, parameters: Parameters) -> f32 { return j.residual; }
fn accumulate(relative: f32, isLabel: bool, parameters: Parameters) -> vec4<f32> { return vec4(0.0); }
fn rescale(sums: vec4<f32>, count: f32, shift: f32, parameters: Parameters) -> vec4<f32> { return sums; }
fn reduce(row: Row, j: Logit, parameters: Parameters) -> vec4<f32> { return vec4(0.0); }

// The first parameter out of its declared range; the host writes it by the declaration.
const NO_PARAMETER = 0xffffffffu;
fn firstOutOfRange(parameters: Parameters) -> u32 { return NO_PARAMETER; }

// Complaints, in the order of src/custom/complaints.ts.
const WRONG_TARGET = 0u;
const PARAMETER = 1u;
const UNDEFINED = 2u;

// For the row's first lane. The host looks at what it was asked to look at.
fn examine(row: u32, wrong: bool, undefinedRow: bool, parameters: Parameters) {
  if (wrong) { complain(WRONG_TARGET, row); }
  else if (undefinedRow && COMPLAINS_OF_NAN) { complain(UNDEFINED, row); }
  if (row > 0u) { return; }
  let first = firstOutOfRange(parameters);
  if (first != NO_PARAMETER) { complain(PARAMETER, first); }
}

// The statistics of all classes but the label, from part of a row or the whole.
struct Others { online: Online, count: f32, sums: vec4<f32> }

fn othersEmpty() -> Others { return Others(onlineEmpty(), 0.0, vec4(0.0)); }

fn othersMerge(a: Others, b: Others, parameters: Parameters) -> Others {
  let online = onlineMerge(a.online, b.online);
  var merged = Others(online, a.count + b.count, vec4(0.0));
  if (ACCUMULATES) {
    merged.sums = rescaled(a, online.maximum, parameters) + rescaled(b, online.maximum, parameters);
  }
  return merged;
}

fn rescaled(others: Others, maximum: f32, parameters: Parameters) -> vec4<f32> {
  if (others.count == 0.0) { return vec4(0.0); }
  return rescale(others.sums, others.count, maximum - others.online.maximum, parameters);
}

// Eight more, of which those that are not included count for nothing.
fn othersExtend(
  others: Others, a: vec4<f32>, b: vec4<f32>, isInA: vec4<bool>, isInB: vec4<bool>, parameters: Parameters,
) -> Others {
  let excluded = vec4(negativeInfinity());
  let online = onlineExtend(others.online, select(excluded, a, isInA), select(excluded, b, isInB));
  var extended = Others(online, others.count, vec4(0.0));
  if (ACCUMULATES) {
    extended.count += dot(select(vec4(0.0), vec4(1.0), isInA) + select(vec4(0.0), vec4(1.0), isInB), vec4(1.0));
    extended.sums = rescaled(others, online.maximum, parameters)
      + termsOf(a - online.maximum, isInA, parameters) + termsOf(b - online.maximum, isInB, parameters);
  }
  return extended;
}

fn termsOf(relative: vec4<f32>, isIn: vec4<bool>, parameters: Parameters) -> vec4<f32> {
  var terms = vec4(0.0);
  if (isIn.x) { terms += accumulate(relative.x, false, parameters); }
  if (isIn.y) { terms += accumulate(relative.y, false, parameters); }
  if (isIn.z) { terms += accumulate(relative.z, false, parameters); }
  if (isIn.w) { terms += accumulate(relative.w, false, parameters); }
  return terms;
}

fn othersExtendByOne(others: Others, z: f32, parameters: Parameters) -> Others {
  let online = onlineExtendByOne(others.online, z);
  var extended = Others(online, others.count, vec4(0.0));
  if (ACCUMULATES) {
    extended.count += 1.0;
    extended.sums = rescaled(others, online.maximum, parameters) + accumulate(z - online.maximum, false, parameters);
  }
  return extended;
}

// Joins the label's logit to the others. With it apart, 1 - p_y is a quotient of sums, never a difference.
fn rowOf(others: Others, label: u32, z: f32, parameters: Parameters) -> Row {
  let rival = others.online.maximum;
  // A logit of +infinity leaves no probabilities: NaN, as inf - inf.
  let isInfiniteRow = isInfinite(others.online.sum) || (z > 0.0 && isInfinite(z));
  let othersSum = select(others.online.sum, nan(), isInfiniteRow);
  var row: Row;
  row.classes = sizes.classes;
  row.label = label;
  row.logit = z;
  row.rival = rival;
  if (z >= rival) {
    let odds = othersSum * expAccurate(rival - z);
    row.maximum = z;
    row.sum = 1.0 + odds;
    row.crossEntropy = log1p(odds);
    row.logSumExp = z + row.crossEntropy;
    row.probability = 1.0 / row.sum;
    row.complement = odds / row.sum;
  } else {
    let own = expAccurate(z - rival);
    row.maximum = rival;
    row.sum = othersSum + own;
    let logSum = logAccurate(row.sum);
    row.crossEntropy = (rival - z) + logSum;
    row.logSumExp = rival + logSum;
    row.probability = own / row.sum;
    row.complement = othersSum / row.sum;
  }
  if (ACCUMULATES) {
    row.accumulated = rescaled(others, row.maximum, parameters) + accumulate(z - row.maximum, true, parameters);
  }
  return row;
}

fn logitOf(row: Row, index: u32, z: f32) -> Logit {
  let isLabel = index == row.label;
  let probability = select(exp(z - row.maximum) / row.sum, row.probability, isLabel);
  return Logit(index, isLabel, z, probability, select(probability, -row.complement, isLabel));
}
