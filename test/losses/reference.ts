/** Row losses in float64, written from their formulas, apart from the library. */

export interface RowResult {
  readonly value: number;
  readonly gradient: number[];
}

function expm1Over(x: number): number {
  return x === 0 ? 1 : Math.expm1(x) / x;
}

/** `-log softmax(z)[y]` and softmax(z), with the label apart so that nothing cancels. */
export function statistics(z: readonly number[], y: number): { c: number; p: number[]; complement: number } {
  const own = z[y] ?? Number.NaN;
  const others = z.filter((_, j) => j !== y);
  const rival = others.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const m = Math.max(own, rival);
  const odds = others.reduce((sum, x) => sum + Math.exp(x - own), 0);
  const c = own >= rival ? Math.log1p(odds) : m - own + Math.log(z.reduce((sum, x) => sum + Math.exp(x - m), 0));
  const sum = z.reduce((total, x) => total + Math.exp(x - m), 0);
  const p = z.map((x) => Math.exp(x - m) / sum);
  const complement = others.reduce((total, x) => total + Math.exp(x - m), 0) / sum;
  return { c, p, complement };
}

/** The comp-sum loss: `c expm1Over((1 - tau) c)`, gradient `e^((1 - tau) c) (p - onehot)`, linear beyond 40. */
export function compSum(z: readonly number[], y: number, tau: number): RowResult {
  const { c, p, complement } = statistics(z, y);
  const slope = 1 - tau;
  const held = slope * c > 40 ? 40 / slope : c;
  const beyond = slope * c > 40 ? Math.exp(40) * (c - held) : 0;
  const value = slope === 0 ? c : held * expm1Over(slope * held) + beyond;
  const weight = Math.exp(Math.min(slope === 0 ? 0 : slope * c, 40));
  return { value, gradient: p.map((one, j) => weight * (j === y ? -complement : one)) };
}
