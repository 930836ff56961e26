// Row losses of p_y alone (those that give slope), with soft targets: the value of a row is the sum over k of
// q_k w_k L(p_k), q its row of targets and w the classes' weights; with s_k = q_k w_k slope(p_k) its gradient by logit j
// is p_j (sum of s) - s_j.
//   logits, targets [rows, classes]  classWeights [classes]  cotangent [rows]  ->  value [rows]  gradients [rows, classes]
// gradients are times the row's cotangent. A row without any target has value and gradient 0, whatever its logits.
// variant  LANES lanes a row, rows of any length
// reads    each logit three times: for the statistics, with its target for the sums, with its target for the gradient
// bytes    reads 4 rows (5 classes + 1), writes 4 rows (classes + 1); targets that are computed in their hook are not read
// flops    about 30 rows classes, up to five exponentials each
// order    lane i takes columns i, i + LANES, ...; blocks in order; lanes combine by halving: the same bits every run
// grid     ceil(rows / (WORKGROUP_SIZE / LANES)), folded: gridWidth workgroups in x
// include losses/rowHost.wgsl    hooks, rowOf
// include losses/lanes.wgsl      WORKGROUP_SIZE, LANES, combineSums

@group(0) @binding(2) var<storage, read> targets: array<f32>;
@group(0) @binding(6) var<storage, read> classWeights: array<f32>;

fn load_targets(row: u32, column: u32) -> f32 { return targets[row * sizes.classes + column]; }
fn load_classWeights(column: u32) -> f32 { return classWeights[column]; }

// The statistics of a row around its largest logit, the leader: rest is the sum of e^(z_j - maximum) of all others, so
// that nothing cancels where the leader's probability is near 1. rival is the second largest.
struct Leader { index: u32, maximum: f32, rival: f32, rest: f32 }

// Without a column the rest is -1: the first column, as low as it may be, finds no other to count.
fn leaderEmpty() -> Leader { return Leader(0u, LOWEST, LOWEST, -1.0); }

fn leaderExtend(leader: Leader, index: u32, z: f32) -> Leader {
  let held = min(z, HIGHEST);
  let leads = held > leader.maximum;
  let e = exp(-abs(held - leader.maximum));
  return Leader(
    select(leader.index, index, leads),
    max(leader.maximum, held),
    max(leader.rival, min(leader.maximum, held)),
    select(select(leader.rest + e, (leader.rest + 1.0) * e, leads), nan(), isNan(z)),
  );
}

fn leaderMerge(a: Leader, b: Leader) -> Leader {
  if (b.maximum > a.maximum) { return leaderMergeBelow(b, a); }
  return leaderMergeBelow(a, b);
}

fn leaderMergeBelow(a: Leader, b: Leader) -> Leader {
  return Leader(a.index, a.maximum, max(a.rival, b.maximum), fma(1.0 + b.rest, exp(b.maximum - a.maximum), a.rest));
}

var<workgroup> leaders: array<Leader, WORKGROUP_SIZE>;

fn combineLeaders(own: Leader, local: u32) -> Leader {
  if (LANES == 1u) { return own; }
  leaders[local] = own;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local % LANES < half) { leaders[local] = leaderMerge(leaders[local], leaders[local + half]); }
  }
  workgroupBarrier();
  return leaders[local - local % LANES];
}

fn rowAround(leader: Leader, z: f32, parameters: Parameters) -> Row {
  var others = othersEmpty();
  // A row of -infinity alone has no leader.
  others.online = Online(leader.maximum, select(leader.rest, 0.0, leader.rest < 0.0));
  var row = rowOf(others, leader.index, z, parameters);
  row.rival = leader.rival;
  return row;
}

// The row as it is with another class for its label.
fn rowWithLabel(leader: Row, index: u32, z: f32) -> Row {
  if (index == leader.label) { return leader; }
  var row = leader;
  row.label = index;
  row.logit = z;
  row.rival = leader.logit;
  row.crossEntropy = (leader.logit - z) + leader.crossEntropy;
  row.probability = exp(z - leader.maximum) / leader.sum;
  row.complement = 1.0 - row.probability;
  return row;
}

// Columns of a lane that are summed apart: adding ten thousand equal shares to a large one would round each the same way.
const BLOCK = 256u;

fn targetAt(row: u32, column: u32) -> f32 { return load_targets(sizes.firstRow + row, column) * load_classWeights(column); }

// x: the value; y: the slopes of all classes but the leader; z: the leader's; w: the sizes of the targets, weighed by nothing.
fn termsAt(row: u32, j: u32, leader: Row, parameters: Parameters) -> vec4<f32> {
  let given = load_targets(sizes.firstRow + row, j);
  let share = given * load_classWeights(j);
  // A masked class that is no target costs nothing, though its own loss is infinite.
  if (share == 0.0) { return vec4(0.0, 0.0, 0.0, abs(given)); }
  let own = rowWithLabel(leader, j, load_logits(row, j));
  let steepness = share * slope(own, parameters);
  let isLeader = j == leader.label;
  return vec4(share * finish(own, parameters), select(steepness, 0.0, isLeader), select(0.0, steepness, isLeader), abs(given));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn rowLossSoft(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let lane = local % LANES;
  let slot = (group.y * sizes.gridWidth + group.x) * (WORKGROUP_SIZE / LANES) + local / LANES;
  // Lanes past the last row go along for the barriers; they read nothing and store nothing.
  let row = min(slot, sizes.rows - 1u);
  let parameters = loadParameters();
  let end = select(sizes.classes, 0u, slot >= sizes.rows);

  var found = leaderEmpty();
  for (var first = lane; first < end; first += BLOCK * LANES) {
    let last = min(end, first + BLOCK * LANES);
    var block = leaderEmpty();
    for (var j = first; j < last; j += LANES) { block = leaderExtend(block, j, load_logits(row, j)); }
    found = leaderMerge(found, block);
  }
  found = combineLeaders(found, local);
  let leader = rowAround(found, load_logits(row, found.index), parameters);

  var sums = vec4(0.0);
  for (var first = lane; first < end; first += BLOCK * LANES) {
    let last = min(end, first + BLOCK * LANES);
    var block = vec4(0.0);
    for (var j = first; j < last; j += LANES) { block += termsAt(row, j, leader, parameters); }
    sums += block;
  }
  sums = combineSums(sums, local);

  if (slot >= sizes.rows) { return; }
  let hasTargets = isNan(sums.w) || sums.w > 0.0;
  if (lane == 0u) {
    let wrong = isNan(sums.w) || abs(sums.w - 1.0) > sizes.tolerance;
    examine(sizes.firstRow + row, wrong, hasTargets && isNan(leader.crossEntropy), parameters);
    if (WANT_VALUE) { store_value(sizes.firstRow + row, sums.x); }
  }
  if (!WANT_GRADIENT) { return; }
  let factor = load_cotangent(sizes.firstRow + row);
  for (var j = lane; j < end; j += LANES) {
    if (!hasTargets) {
      store_gradient(row, j, 0.0);
      continue;
    }
    if (j == leader.label) {
      store_gradient(row, j, factor * (leader.probability * sums.y - leader.complement * sums.z));
      continue;
    }
    let z = load_logits(row, j);
    let share = targetAt(row, j);
    var steepness = 0.0;
    if (share != 0.0) { steepness = share * slope(rowWithLabel(leader, j, z), parameters); }
    let probability = exp(z - leader.maximum) / leader.sum;
    store_gradient(row, j, factor * (probability * (sums.y + sums.z) - steepness));
  }
}
