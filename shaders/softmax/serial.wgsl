// Softmax, log-softmax or log-sum-exp of rows, by RESULT.
//   logits [rows, columns]  ->  result [rows, columns]; for LOGSUMEXP [rows, 1]
// variant  one thread a row: for many rows, and where threads are lanes of a CPU
// reads    each logit once for maximum and sum together, once more for its own result
// bytes    reads 8 rows columns, writes 4 rows columns; LOGSUMEXP reads half of it and writes 4 rows
// flops    about 8 rows columns, two exponentials each
// order    columns by eights, each summed in pairs; the tail one by one
// grid     ceil(rows / WORKGROUP_SIZE), folded: gridWidth workgroups in x
// include softmax/result.wgsl    hooks, onlineOf, finish

@compute @workgroup_size(WORKGROUP_SIZE)
fn softmaxSerial(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let row = (group.y * sizes.gridWidth + group.x) * WORKGROUP_SIZE + local;
  if (row < sizes.rows) { finish(row, 0u, 1u, onlineOf(row, 0u, 1u)); }
}
