// What the softmax kernels share: operands, and what becomes of a row once its maximum m and sum S are known.
//   logits [rows, columns]  ->  result [rows, columns]; for LOGSUMEXP [rows, 1]
//   SOFTMAX e^(z - m) / S     LOG_SOFTMAX (z - m) - log S     LOGSUMEXP m + log S
// -infinity has probability 0. A row of -infinity alone, or with +infinity, has no probabilities: NaN; its
// log-sum-exp is -infinity, or +infinity. NaN stays NaN.
// include softmax/online.wgsl    Online, onlineExtend, onlineMerge
// include common/bits.wgsl       isInfinite, nan
// include common/special.wgsl    logAccurate

const SOFTMAX = 0u;
const LOG_SOFTMAX = 1u;
const LOGSUMEXP = 2u;
const RESULT = SOFTMAX;

struct Sizes { rows: u32, columns: u32, gridWidth: u32 }

override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

fn load_logits(row: u32, column: u32) -> f32 { return logits[row * sizes.columns + column]; }
fn store_result(row: u32, column: u32, value: f32) {
  result[row * select(sizes.columns, 1u, RESULT == LOGSUMEXP) + column] = value;
}

// The statistics of columns lane, lane + lanes, ... of a row.
fn onlineOf(row: u32, lane: u32, lanes: u32) -> Online {
  var online = onlineEmpty();
  var j = lane;
  for (; j + 7u * lanes < sizes.columns; j += 8u * lanes) {
    let a = vec4(
      load_logits(row, j), load_logits(row, j + lanes), load_logits(row, j + 2u * lanes), load_logits(row, j + 3u * lanes),
    );
    let k = j + 4u * lanes;
    let b = vec4(
      load_logits(row, k), load_logits(row, k + lanes), load_logits(row, k + 2u * lanes), load_logits(row, k + 3u * lanes),
    );
    online = onlineExtend(online, a, b);
  }
  for (; j < sizes.columns; j += lanes) { online = onlineExtendByOne(online, load_logits(row, j)); }
  return online;
}

// Writes those columns.
fn finish(row: u32, lane: u32, lanes: u32, online: Online) {
  if (RESULT == LOGSUMEXP) {
    if (lane == 0u) { store_result(row, 0u, online.maximum + logAccurate(online.sum)); }
    return;
  }
  let sum = select(online.sum, nan(), isInfinite(online.sum) || online.sum == 0.0);
  let divisor = select(logAccurate(sum), sum, RESULT == SOFTMAX);
  var j = lane;
  for (; j + 3u * lanes < sizes.columns; j += 4u * lanes) {
    storeElement(row, j, online.maximum, divisor);
    storeElement(row, j + lanes, online.maximum, divisor);
    storeElement(row, j + 2u * lanes, online.maximum, divisor);
    storeElement(row, j + 3u * lanes, online.maximum, divisor);
  }
  for (; j < sizes.columns; j += lanes) { storeElement(row, j, online.maximum, divisor); }
}

fn storeElement(row: u32, column: u32, maximum: f32, divisor: f32) {
  let relative = load_logits(row, column) - maximum;
  if (RESULT == SOFTMAX) { store_result(row, column, exp(relative) / divisor); }
  else { store_result(row, column, relative - divisor); }
}
