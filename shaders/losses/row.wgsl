// The contract of row losses. A loss is a function of one row of logits and its label y; its file declares
//   struct Parameters { … }                                             its parameters, f32 each, in order; left
//                                                                       out by a loss that has none
//   fn finish(row: Row, parameters: Parameters) -> f32                  the row's value
//   fn gradient(row: Row, j: Logit, parameters: Parameters) -> f32      its derivative by logit j
// or, where the value depends on p_y alone, in gradient's place
//   fn slope(row: Row, parameters: Parameters) -> f32                   its derivative by row.crossEntropy: the gradient
//                                                                       is slope * residual, and soft targets come with it
// and, where it needs them (a loss of p_y alone does not),
//   fn accumulate(relative: f32, isLabel: bool, parameters: Parameters) -> vec4<f32>
//                                                                       terms of up to four sums over the row, from
//                                                                       relative = z_j - m; m is a maximum so far
//   fn rescale(sums: vec4<f32>, count: f32, shift: f32, parameters: Parameters) -> vec4<f32>
//                                                                       those sums over count terms, once m has grown
//                                                                       by shift
//   fn reduce(row: Row, j: Logit, parameters: Parameters) -> vec4<f32>  terms of up to four sums from the finished
//                                                                       statistics: one more pass over the row
// A host kernel (rowHostShort.wgsl, rowHostLong.wgsl; rowHostSoft.wgsl) does the rest: reading, tails, ignored and wrong
// labels, reductions, the cotangent. What a loss leaves out costs nothing.

// Stands in where a loss declares none: a struct cannot be empty.
struct Parameters { unused: f32 }

struct Row {
  classes: u32,
  label: u32,
  logit: f32,            // z_y
  rival: f32,            // the largest logit of the other classes; -3.4e38 when there is none
  maximum: f32,          // m, the largest logit of all
  sum: f32,              // S, the sum of e^(z_j - m)
  logSumExp: f32,        // m + log S
  crossEntropy: f32,     // logSumExp - z_y: relatively accurate, however near to 0
  probability: f32,      // p_y
  complement: f32,       // 1 - p_y, free of cancellation
  accumulated: vec4<f32>,
  reduced: vec4<f32>,
}

struct Logit {
  index: u32,
  isLabel: bool,
  logit: f32,            // z_j
  probability: f32,      // p_j
  residual: f32,         // p_j - [j is the label], free of cancellation
}
