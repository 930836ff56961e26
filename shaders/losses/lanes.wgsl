// Joins what the lanes of a row have found: every lane gets the row's statistics.
// include losses/rowHost.wgsl    Others, othersMerge

override WORKGROUP_SIZE: u32 = 64;
// Lanes of one row: a power of two, at most WORKGROUP_SIZE.
override LANES: u32 = 1;

var<workgroup> parts: array<Others, WORKGROUP_SIZE>;
var<workgroup> sumParts: array<vec4<f32>, WORKGROUP_SIZE>;

fn combineOthers(own: Others, local: u32, parameters: Parameters) -> Others {
  if (LANES == 1u) { return own; }
  parts[local] = own;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local % LANES < half) { parts[local] = othersMerge(parts[local], parts[local + half], parameters); }
  }
  workgroupBarrier();
  return parts[local - local % LANES];
}

fn combineSums(own: vec4<f32>, local: u32) -> vec4<f32> {
  if (LANES == 1u) { return own; }
  sumParts[local] = own;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local % LANES < half) { sumParts[local] += sumParts[local + half]; }
  }
  workgroupBarrier();
  return sumParts[local - local % LANES];
}
