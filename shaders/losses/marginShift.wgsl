// How far the margins of a row moved: r = sqrt(sum over j of a_j^2 + epsilon^2), a_j = D_y - D_j, where the row's logits
// are the differences D of two rows. Mao, Mohri, Zhong 2023, the second term of the smooth adversarial loss.
// include losses/row.wgsl        Row, Logit

struct Parameters { epsilon: f32 }

// The squares, and the plain sum, which is what the label's derivative needs.
fn reduce(row: Row, j: Logit, parameters: Parameters) -> vec4<f32> {
  let a = row.logit - j.logit;
  return vec4(a * a, a, 0.0, 0.0);
}

fn finish(row: Row, parameters: Parameters) -> f32 {
  return sqrt(row.reduced.x + parameters.epsilon * parameters.epsilon);
}

// At r = 0 there is a cusp: its slope there is taken as 0.
fn gradient(row: Row, j: Logit, parameters: Parameters) -> f32 {
  let r = finish(row, parameters);
  let slope = select(j.logit - row.logit, row.reduced.y, j.isLabel);
  return select(slope / r, 0.0, r == 0.0);
}
