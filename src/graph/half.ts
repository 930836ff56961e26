/** Numbers that are not rounded away: 11 bits from the first one on, and none below 2^-24. */
const [MANTISSA, LEAST_EXPONENT, GREATEST] = [10, -14, 65504];

/** The nearest number that f16 (IEEE 754 binary16) holds, the even one of two; beyond the greatest infinity, as on the GPU. */
export function roundToHalf(value: number): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const unit = unitOf(value);
  const steps = roundToEven(Math.abs(value) / unit);
  return Math.sign(value) * (steps * unit > GREATEST ? Number.POSITIVE_INFINITY : steps * unit);
}

/** The 16 bits of a number's nearest f16. */
export function toHalfBits(value: number): number {
  const rounded = roundToHalf(value);
  const sign = rounded < 0 || Object.is(rounded, -0) ? 0x8000 : 0;
  if (Number.isNaN(rounded)) return 0x7e00;
  if (!Number.isFinite(rounded)) return sign | 0x7c00;
  if (rounded === 0) return sign;
  const unit = unitOf(rounded);
  // A normal number's first bit, 2^10 steps, counts one exponent more.
  return sign | (((Math.log2(unit) + MANTISSA - LEAST_EXPONENT) << MANTISSA) + Math.abs(rounded) / unit);
}

/** The number that 16 bits stand for. */
export function fromHalfBits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> MANTISSA) & 0x1f;
  const steps = bits & 0x3ff;
  if (exponent === 0x1f) return steps === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * steps * 2 ** -24;
  return sign * (1024 + steps) * 2 ** (exponent - 25);
}

/** Numbers as the bits of their nearest f16. @param length of the result; what is beyond the data is 0. */
export function packHalves(data: ArrayLike<number>, length = data.length): Uint16Array<ArrayBuffer> {
  const bits = new Uint16Array(length);
  for (let i = 0; i < data.length; i++) bits[i] = toHalfBits(data[i] as number);
  return bits;
}

export function unpackHalves(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(bits, fromHalfBits);
}

/** The distance between an f16 of this size and the next. */
function unitOf(value: number): number {
  return 2 ** (Math.max(LEAST_EXPONENT, Math.floor(Math.log2(Math.abs(value)))) - MANTISSA);
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const over = value - below;
  return over > 0.5 || (over === 0.5 && below % 2 === 1) ? below + 1 : below;
}
