// What the kernels of moments share: operands, and the count, mean and sum of squared deviations of some items, which
// combine without cancellation (Chan, Golub and LeVeque 1979).
// include common/bits.wgsl       isNan, nan

struct Sizes { rows: u32, count: u32, gridWidth: u32 }

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;   // [rows, 2]: mean, variance

fn load_source(row: u32, item: u32) -> f32 { return source[row * sizes.count + item]; }
fn store_result(row: u32, which: u32, value: f32) { result[row * 2u + which] = value; }

struct Moments { count: f32, mean: f32, squares: f32 }

fn combine(a: Moments, b: Moments) -> Moments {
  let count = a.count + b.count;
  let apart = b.mean - a.mean;
  let share = select(b.count / count, 0.0, count == 0.0);
  return Moments(count, fma(apart, share, a.mean), a.squares + b.squares + apart * (apart * share * a.count));
}

fn ofEight(a: vec4f, b: vec4f) -> Moments {
  let pairs = a + b;
  let mean = ((pairs[0] + pairs[1]) + (pairs[2] + pairs[3])) * 0.125;
  let left = a - mean;
  let right = b - mean;
  return Moments(8.0, mean, dot(left, left) + dot(right, right));
}

// Items first, first + step, ... of a row.
fn momentsOf(row: u32, first: u32, step: u32) -> Moments {
  var moments = Moments();
  var i = first;
  for (; i + 7u * step < sizes.count; i += 8u * step) {
    let k = i + 4u * step;
    moments = combine(moments, ofEight(
      vec4f(load_source(row, i), load_source(row, i + step), load_source(row, i + 2u * step), load_source(row, i + 3u * step)),
      vec4f(load_source(row, k), load_source(row, k + step), load_source(row, k + 2u * step), load_source(row, k + 3u * step)),
    ));
  }
  for (; i < sizes.count; i += step) { moments = combine(moments, Moments(1.0, load_source(row, i), 0.0)); }
  return moments;
}

// Whatever is not finite leaves NaN among the squares; then there is no mean either. None of no items.
fn store(row: u32, moments: Moments) {
  let none = moments.count == 0.0 || isNan(moments.squares);
  store_result(row, 0u, select(moments.mean, nan(), none));
  store_result(row, 1u, select(moments.squares / moments.count, nan(), none));
}
