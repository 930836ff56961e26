// Comp-sum losses: Phi_tau(u), where u is the sum over y' != y of exp(z_y' - z_y).
// Mao, Mohri, Zhong 2023, section 3.
// include losses/row.wgsl        Row
// include common/special.wgsl    expm1Over(x) = (e^x - 1) / x, and 1 at x = 0

struct Parameters { tau: f32 }

// e^x leaves f32 at 88.7 and its square at 44, so beyond HOLD value and gradient go on linearly together: the
// gradient stays the derivative of the value. Below -HOLD the value has reached its bound 1 / (tau - 1).
const HOLD = 40.0;

// x = (1 - tau) c. At tau = 1 it is 0 even where c is infinite: the label was masked.
fn exponent(row: Row, parameters: Parameters) -> f32 {
  let slope = 1.0 - parameters.tau;
  return select(slope * row.crossEntropy, 0.0, slope == 0.0);
}

// With c = -log p_y the loss is c * expm1Over((1 - tau) c): no branch at tau = 1.
fn finish(row: Row, parameters: Parameters) -> f32 {
  let x = exponent(row, parameters);
  let c = row.crossEntropy;
  let held = select(c, HOLD / abs(1.0 - parameters.tau), abs(x) > HOLD);
  let value = held * expm1Over(clamp(x, -HOLD, HOLD));
  return select(value, fma(exp(HOLD), c - held, value), x > HOLD);
}

// Cross-entropy's gradient times p_y^(tau - 1). For tau > 1 the weight fades to 0: hard rows do vanish.
fn slope(row: Row, parameters: Parameters) -> f32 {
  return exp(min(exponent(row, parameters), HOLD));
}
