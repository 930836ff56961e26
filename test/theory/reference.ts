/** The formulas of the papers as they are printed, in float64, apart from the library. They cancel; it may not. */

/** Phi_tau of u, the sum over the other classes of `e^(z_y' - z_y)`. */
export function phi(u: number, tau: number): number {
  return tau === 1 ? Math.log(1 + u) : ((1 + u) ** (1 - tau) - 1) / (1 - tau);
}

export function conditionalRisk(p: readonly number[], z: readonly number[], tau: number): number {
  return sum(
    p.map((py, y) => {
      const u = sum(z.filter((_, j) => j !== y).map((other) => Math.exp(other - (z[y] ?? Number.NaN))));
      return py === 0 ? 0 : py * phi(u, tau);
    }),
  );
}

export function bestConditionalRisk(p: readonly number[], tau: number): number {
  if (tau === 1) return -sum(p.map((py) => (py === 0 ? 0 : py * Math.log(py))));
  if (tau >= 2) return (1 - Math.max(...p)) / (tau - 1);
  return (sum(p.map((py) => py ** (1 / (2 - tau)))) ** (2 - tau) - 1) / (1 - tau);
}

export function transform(beta: number, tau: number, classes: number): number {
  const a = 1 / (2 - tau);
  const A = (((1 + beta) ** a + (1 - beta) ** a) / 2) ** (2 - tau);
  if (tau === 0) return 1 - Math.sqrt(1 - beta ** 2);
  if (tau < 1) return (2 ** (1 - tau) * (1 - A)) / (1 - tau);
  if (tau === 1) return (xlogx(1 + beta) + xlogx(1 - beta)) / 2;
  if (tau < 2) return (A - 1) / ((tau - 1) * classes ** (tau - 1));
  return beta / ((tau - 1) * classes ** (tau - 1));
}

function xlogx(x: number): number {
  return x === 0 ? 0 : x * Math.log(x);
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

/** The least value that a search along the axes finds: its step halves whenever no axis improves. */
export function searchMinimum(f: (at: readonly number[]) => number, start: readonly number[]): number {
  let at = [...start];
  let value = f(at);
  for (let step = 1; step > 1e-7; ) {
    let moved = false;
    for (let axis = 0; axis < at.length; axis++) {
      for (const by of [step, -step]) {
        const next = at.map((x, j) => (j === axis ? x + by : x));
        const there = f(next);
        if (there < value) {
          at = next;
          value = there;
          moved = true;
        }
      }
    }
    if (!moved) step /= 2;
  }
  return value;
}
