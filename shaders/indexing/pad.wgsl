// Surrounds, cuts and spreads a tensor along every axis (XLA's pad), rank at most 8.
//   source [sourceShape]   ->   result [resultShape], both indexed flat, row-major
// low      elements filled in before each axis; negative ones cut. The end is where resultShape says
// step     1 + the elements filled in between neighbours
// bytes    reads 4 for each element of the source that is kept, writes 4 count
// order    independent elements
// grid     ceil(count / WORKGROUP_SIZE), folded: gridWidth workgroups in x

// f32, i32 or u32.
alias Element = f32;

struct Sizes {
  count: u32,      // elements of the result
  rank: u32,
  gridWidth: u32,
  fill: Element,
  // A number an axis, the outermost first.
  resultShape: array<vec4<u32>, 2>,
  sourceShape: array<vec4<u32>, 2>,
  low: array<vec4<i32>, 2>,
  step: array<vec4<u32>, 2>,
}

override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source: array<Element>;
@group(0) @binding(2) var<storage, read_write> result: array<Element>;

fn load_source(index: u32) -> Element { return source[index]; }
fn store_result(index: u32, value: Element) { result[index] = value; }

@compute @workgroup_size(WORKGROUP_SIZE)
fn pad(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let element = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + lane;
  if (element >= sizes.count) { return; }
  var rest = element;
  var index = 0u;
  var stride = 1u;
  var kept = true;
  for (var axis = sizes.rank; axis > 0u; axis -= 1u) {
    let i = (axis - 1u) / 4u;
    let j = (axis - 1u) % 4u;
    let length = sizes.resultShape[i][j];
    let step = sizes.step[i][j];
    // Before the first element it wraps to a number beyond every size.
    let spread = rest % length - bitcast<u32>(sizes.low[i][j]);
    let position = spread / step;
    kept = kept && spread < 0x80000000u && spread % step == 0u && position < sizes.sourceShape[i][j];
    index += position * stride;
    stride *= sizes.sourceShape[i][j];
    rest /= length;
  }
  var value = sizes.fill;
  if (kept) { value = load_source(index); }
  store_result(element, value);
}
