import { isFloat } from '../../src/graph/dtype.js';
import {
  areVaried,
  at,
  empty,
  SMALLEST_NORMAL,
  sizeOf,
  sumRoundings,
  toRange,
  ULP,
  type Value,
  wrap,
} from './value.js';

/** A sum of `count` terms with its bound: exact for integers that stay below 2^24 in any order. */
export function boundedSum(
  count: number,
  term: (i: number) => number,
  error: (i: number) => number,
  extraRoundings = 0,
): [value: number, error: number] {
  let value = 0;
  let magnitude = 0;
  let errors = 0;
  let whole = true;
  for (let i = 0; i < count; i++) {
    const one = term(i);
    value += one;
    magnitude += Math.abs(one);
    errors += error(i);
    whole &&= Number.isInteger(one);
  }
  if (errors === 0 && ((whole && magnitude <= 2 ** 24) || (count === 1 && extraRoundings === 0))) return [value, 0];
  if (!Number.isFinite(value)) return [value, Number.isNaN(errors) ? Number.POSITIVE_INFINITY : 0];
  const roundings = sumRoundings(count, areVaried(term, count)) + extraRoundings;
  return [toRange(value), errors + roundings * ULP * magnitude + SMALLEST_NORMAL];
}

/** Reduces the trailing axes beyond `shape`. */
export function reduced(name: string, source: Value, shape: readonly number[]): Value {
  const result = empty(shape, source.dtype === 'f16' ? 'f32' : source.dtype);
  const count = result.data.length === 0 ? 0 : source.data.length / result.data.length;
  for (let i = 0; i < result.data.length; i++) {
    const base = i * count;
    const [value, error] =
      name === 'sum'
        ? boundedSum(
            count,
            (k) => at(source.data, base + k),
            (k) => at(source.error, base + k),
          )
        : extremum(name, source, base, count);
    result.data[i] = wrap(value, source.dtype);
    result.error[i] = isFloat(source.dtype) ? error : 0;
  }
  return result;
}

const identities = {
  max: { f32: Number.NEGATIVE_INFINITY, f16: Number.NEGATIVE_INFINITY, i32: -(2 ** 31), u32: 0, bool: 0 },
  min: { f32: Number.POSITIVE_INFINITY, f16: Number.POSITIVE_INFINITY, i32: 2 ** 31 - 1, u32: 2 ** 32 - 1, bool: 0 },
} as const;

function extremum(name: string, source: Value, base: number, count: number): [number, number] {
  if (name !== 'max' && name !== 'min') throw new Error(`reference: no reduction '${name}'`);
  let value: number = identities[name][source.dtype];
  let error = 0;
  const better = name === 'max' ? Math.max : Math.min;
  for (let k = 0; k < count; k++) {
    value = better(value, at(source.data, base + k));
    error = Math.max(error, at(source.error, base + k));
  }
  return [value, error];
}

/** The first best element of each row; NaN is better than anything. */
export function argument(name: string, source: Value, shape: readonly number[]): Value {
  const result = empty(shape, 'i32');
  const count = source.shape.at(-1) ?? 1;
  const sign = name === 'argmax' ? 1 : -1;
  for (let i = 0; i < result.data.length; i++) {
    let best = 0;
    for (let k = 1; k < count; k++) {
      const before = at(source.data, i * count + best);
      const candidate = at(source.data, i * count + k);
      if (Number.isNaN(before)) break;
      if (Number.isNaN(candidate) || sign * candidate > sign * before) best = k;
    }
    result.data[i] = best;
    const slack = at(source.error, i * count + best);
    for (let k = 0; k < count; k++) {
      const reach = slack + at(source.error, i * count + k);
      const apart = Math.abs(at(source.data, i * count + k) - at(source.data, i * count + best));
      if (k !== best && reach > 0 && apart <= reach) result.error[i] = Number.POSITIVE_INFINITY;
    }
  }
  return result;
}

export function cumulative(source: Value, reverse: boolean, exclusive: boolean): Value {
  const result = empty(source.shape, source.dtype);
  const count = source.shape.at(-1) ?? 1;
  const rows = count === 0 ? 0 : sizeOf(source.shape) / count;
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < count; k++) {
      const start = row * count + (reverse ? k + Number(exclusive) : 0);
      const terms = reverse ? count - k - Number(exclusive) : k + 1 - Number(exclusive);
      const [value, error] = boundedSum(
        terms,
        (j) => at(source.data, start + j),
        (j) => at(source.error, start + j),
      );
      result.data[row * count + k] = wrap(value, source.dtype);
      result.error[row * count + k] = source.dtype === 'f32' ? error : 0;
    }
  }
  return result;
}

/** softmax, logSoftmax and logsumexp over the rows of a matrix. */
export function rowwise(name: string, source: Value, shape: readonly number[]): Value {
  const result = empty(shape, 'f32');
  const [rows = 1, columns = 1] = source.shape;
  for (let row = 0; row < rows; row++) {
    const base = row * columns;
    let maximum = Number.NEGATIVE_INFINITY;
    let worst = 0;
    for (let k = 0; k < columns; k++) {
      maximum = Math.max(maximum, at(source.data, base + k));
      worst = Math.max(worst, at(source.error, base + k));
    }
    const center = maximum === Number.NEGATIVE_INFINITY ? 0 : maximum;
    let total = 0;
    let exponents = 0;
    for (let k = 0; k < columns; k++) {
      const z = at(source.data, base + k) - center;
      const e = Math.exp(z);
      total += e;
      // exp is off by 3 + 2 |z| ulp, and z itself by one rounding of the subtraction; nothing at z = -infinity.
      if (e > 0) exponents += e * (3 + 3 * Math.abs(z));
    }
    const log = center + Math.log(total);
    // Relative to the sum: of its exponentials, its additions and, by the shift, of the inputs' own errors.
    const sumError = 2 * worst + ULP * (exponents / total + sumRoundings(columns, true) + 1);
    const logError = sumError + ULP * 3 * Math.abs(Math.log(total));
    if (name === 'logsumexp') {
      result.data[row] = log;
      result.error[row] = Number.isFinite(log) ? logError + ULP * Math.abs(log) : 0;
      continue;
    }
    for (let k = 0; k < columns; k++) {
      const x = at(source.data, base + k);
      const value = maximum === Number.NEGATIVE_INFINITY ? Number.NaN : x - center - Math.log(total);
      const shift = at(source.error, base + k) + worst + ULP * Math.abs(x - center);
      if (name === 'logSoftmax') {
        result.data[base + k] = value;
        result.error[base + k] = Number.isFinite(value) ? shift + logError + ULP * Math.abs(value) : 0;
        continue;
      }
      // A quotient of two exponentials: neither the maximum nor the logarithm costs digits.
      const share = Math.exp(value);
      const own = ULP * (3 + 2 * Math.abs(x - center) + 2.5);
      result.data[base + k] = share;
      result.error[base + k] = share > 0 ? share * Math.expm1(shift + sumError + own) + SMALLEST_NORMAL : 0;
    }
  }
  return result;
}
