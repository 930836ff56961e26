/** Special functions in double precision, from textbook series: nothing of them is shared with the kernels. */

/** `2 / sqrt(pi) e^(-x^2) (x + 2 x^3 / 3 + 4 x^5 / 15 + ...)`: all terms positive, no cancellation. */
function erfSeries(x: number): number {
  let term = x;
  let total = x;
  for (let n = 1; n < 200 && Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

/** `erfc(x)` for x >= 2 by its continued fraction `e^(-x^2) / sqrt(pi) / (x + (1/2) / (x + 1 / (x + ...)))`. */
function erfcFraction(x: number): number {
  let tail = x;
  for (let k = 120; k >= 1; k--) tail = x + k / 2 / tail;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * tail);
}

export function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 2) return x === Number.POSITIVE_INFINITY ? 0 : erfcFraction(x);
  if (x < -2) return x === Number.NEGATIVE_INFINITY ? 2 : 2 - erfcFraction(-x);
  return 1 - erfSeries(x);
}

export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  return Math.abs(x) <= 2 ? erfSeries(x) : Math.sign(x) * (1 - erfc(Math.abs(x)));
}

export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

export function softplus(x: number): number {
  if (x === Number.POSITIVE_INFINITY || Number.isNaN(x)) return x;
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** Halves to the even neighbour. */
export function roundEven(x: number): number {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52) return x;
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
