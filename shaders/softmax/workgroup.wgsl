// Softmax, log-softmax or log-sum-exp of rows, by RESULT.
//   logits [rows, columns]  ->  result [rows, columns]; for LOGSUMEXP [rows, 1]
// variant  one workgroup a row: for GPUs, and for few long rows
// reads    each logit once for maximum and sum together, once more for its own result
// bytes    reads 8 rows columns, writes 4 rows columns; LOGSUMEXP reads half of it and writes 4 rows
// flops    about 8 rows columns, two exponentials each
// order    lane i takes columns i, i + WORKGROUP_SIZE, ...; lanes combine by halving: the same bits every run
// tails    a lane without columns brings a sum of 0. WORKGROUP_SIZE is a power of two
// grid     rows, folded: gridWidth workgroups in x
// include softmax/result.wgsl    hooks, onlineOf, finish

var<workgroup> parts: array<Online, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn softmaxWorkgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * sizes.gridWidth + group.x;
  if (row >= sizes.rows) { return; }
  parts[lane] = onlineOf(row, lane, WORKGROUP_SIZE);
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { parts[lane] = onlineMerge(parts[lane], parts[lane + half]); }
  }
  workgroupBarrier();
  finish(row, lane, WORKGROUP_SIZE, parts[0]);
}
