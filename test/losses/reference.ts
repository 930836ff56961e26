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

/** Soft targets: the sum over k of `shares[k]` times the loss with label k, for those k that have a share. */
export function softCompSum(z: readonly number[], shares: readonly number[], tau: number): RowResult {
  let value = 0;
  const gradient = z.map(() => 0);
  shares.forEach((share, k) => {
    if (share === 0) return;
    const own = compSum(z, k, tau);
    value += share * own.value;
    own.gradient.forEach((g, j) => {
      gradient[j] = (gradient[j] ?? 0) + share * g;
    });
  });
  return { value, gradient };
}

/** What float32 may lose of `softCompSum`: the sums of the sizes of its terms, each with its own roundings. */
export function softAllowance(z: readonly number[], shares: readonly number[], tau: number): RowResult {
  const epsilon = 2 ** -24;
  const maximum = Math.max(...z);
  let value = 0;
  const gradient = z.map(() => 0);
  shares.forEach((share, k) => {
    if (share === 0) return;
    const own = compSum(z, k, tau);
    const x = Math.min(Math.abs(1 - tau) * compSum(z, k, 1).value, 40);
    // As for a label (compSum.test.ts), and a sum over the classes more.
    const relative = epsilon * (32 + 4 * Math.sqrt(z.length) + 10 * x);
    value += Math.abs(share * own.value) * relative;
    own.gradient.forEach((g, j) => {
      const spread = Math.min(200, Math.abs((z[j] ?? 0) - maximum));
      // p_j s - s for s (p_j - 1): at most three times as large, for only the leader's p_j passes 1/2.
      const size = Math.abs(share * g) * (j === k ? 3 : 1);
      // A probability below 2^-126 may be flushed before it is weighed.
      const flushed = 2 ** -126 * Math.abs(share) * Math.exp(x);
      gradient[j] = (gradient[j] ?? 0) + size * (relative + 6 * epsilon * spread) + flushed;
    });
  });
  return { value, gradient };
}
