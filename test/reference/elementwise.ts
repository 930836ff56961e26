import { type DType, isFloat } from '../../src/graph/dtype.js';
import { halfRounding } from './half.js';
import { erf, erfc, roundEven, sigmoid, softplus } from './special.js';
import { at, empty, roundings, SMALLEST_NORMAL, toRange, ULP, type Value, wrap } from './value.js';

interface Rule {
  readonly value: (...inputs: number[]) => number;
  /** The error that the op itself may add, beside that of its inputs; 0 for ops that only select. */
  readonly error: (result: number, ...inputs: number[]) => number;
  /** Correctly rounded: a result that f32 can hold comes out exactly. */
  readonly exact?: boolean;
}

const ulps = (count: number) => (result: number) => roundings(result, count);
const select = () => 0;

const exact = (value: Rule['value']): Rule => ({ value, error: ulps(1), exact: true });
const selecting = (value: Rule['value']): Rule => ({ value, error: select });
/**
 * sin and cos by our own polynomials on [-pi/4, pi/4]: 2 ulp of 1, beside what the reduction of the argument
 * (exact for |x| below 1e5 but for its last piece) leaves.
 */
const turnError = (_result: number, x: number) =>
  !Number.isFinite(x) ? 0 : Math.abs(x) < 1e5 ? 2 * ULP + 2 ** -30 * Math.abs(x) : Number.POSITIVE_INFINITY;

/**
 * The accuracy that docstrings state, else that of the WGSL specification ("Floating point accuracy"), of
 * which builtins are made. Where a kernel uses its own polynomial, shaders/common states its ulps.
 */
const floats: Readonly<Record<string, Rule>> = {
  add: exact((a, b) => a + b),
  subtract: exact((a, b) => a - b),
  multiply: exact((a, b) => a * b),
  square: exact((x) => x * x),
  negative: selecting((x) => -x),
  // WGSL: 2.5 ulp.
  divide: { value: (a, b) => a / b, error: ulps(2.5) },
  reciprocal: { value: (x) => 1 / x, error: ulps(2.5) },
  maximum: selecting((a, b) => Math.max(a, b)),
  minimum: selecting((a, b) => Math.min(a, b)),
  clamp: selecting((x, low, high) => Math.min(Math.max(x, low), high)),
  abs: selecting(Math.abs),
  sign: selecting(Math.sign),
  floor: selecting(Math.floor),
  ceil: selecting(Math.ceil),
  round: selecting(roundEven),
  // 2^(y log2 x) by polynomials of our own: the exponent is good to 2 ulp of itself, so x^y to that times ln 2.
  pow: {
    // JavaScript's ** differs from IEEE 754 at 1 ** NaN and at (-1) ** infinity.
    value: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b),
    error: (result, a, b) =>
      a === 0 || b === 0 || a === 1 ? 0 : roundings(result, 4 + 2 * Math.abs(b * Math.log2(Math.abs(a)))),
  },
  // By polynomials of our own, as the header of shaders/common/special.wgsl states, a little rounded up.
  exp: { value: Math.exp, error: ulps(1.1) },
  log: { value: Math.log, error: ulps(1) },
  log1p: { value: Math.log1p, error: ulps(1) },
  expm1: { value: Math.expm1, error: ulps(1.7) },
  // WGSL: inverseSqrt 2 ulp; sqrt is 1 / inverseSqrt: 2.5 more.
  sqrt: { value: Math.sqrt, error: ulps(4.5) },
  rsqrt: { value: (x) => 1 / Math.sqrt(x), error: ulps(4) },
  sin: { value: Math.sin, error: turnError },
  cos: { value: Math.cos, error: turnError },
  // As the header states, and 2 for a division that WGSL grants 2.5 ulp instead of the half measured with.
  tanh: { value: Math.tanh, error: ulps(4.5) },
  relu: selecting((x) => (x > 0 || Number.isNaN(x) ? x : 0)),
  sigmoid: { value: sigmoid, error: ulps(4.3) },
  softplus: { value: softplus, error: ulps(1.7) },
  silu: {
    value: (x) => (x === Number.NEGATIVE_INFINITY ? 0 : x * sigmoid(x)),
    // One rounding more than sigmoid's, of up to an ulp as this file counts.
    error: ulps(5.3),
  },
  erf: { value: erf, error: ulps(4) },
  // The normal distribution function by erf: the 1 + erf cancels to the left, so the error is absolute.
  gelu: {
    value: (x) => (x === Number.NEGATIVE_INFINITY ? 0 : 0.5 * x * erfc(-x * Math.SQRT1_2)),
    error: (result, x) => roundings(result, 4) + 8 * 2 ** -23 * Math.min(Math.abs(x), 8),
  },
  geluTanh: {
    value: (x) => {
      if (x === Number.NEGATIVE_INFINITY) return 0;
      // 1 + tanh(u) = 2 sigmoid(2 u), which does not cancel.
      return x * sigmoid(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3));
    },
    error: (result, x) => roundings(result, 4) + 8 * 2 ** -23 * Math.min(Math.abs(x), 8),
  },
  toF32: exact((x) => x),
  // Unrounded, with the rounding as its error: differences see the slope. Its bits are half.test.ts's matter.
  toF16: { value: (x) => (Math.abs(x) >= 65520 ? Math.sign(x) * Number.POSITIVE_INFINITY : x), error: halfRounding },
  toI32: selecting((x) => (Number.isNaN(x) ? 0 : Math.trunc(Math.min(Math.max(x, -(2 ** 31)), 2 ** 31 - 1)))),
  toU32: selecting((x) => (Number.isNaN(x) ? 0 : Math.trunc(Math.min(Math.max(x, 0), 2 ** 32 - 1)))),
  toBool: selecting((x) => Number(x !== 0)),
  isNan: selecting((x) => Number(Number.isNaN(x))),
  isInfinite: selecting((x) => Number(Math.abs(x) === Number.POSITIVE_INFINITY)),
  isFinite: selecting((x) => Number(Number.isFinite(x))),
};

const integers: Readonly<Record<string, (...inputs: number[]) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: Math.imul,
  negative: (x) => -x,
  maximum: Math.max,
  minimum: Math.min,
  clamp: (x, low, high) => Math.min(Math.max(x, low), high),
  abs: Math.abs,
  sign: Math.sign,
  toI32: (x) => x,
  toU32: (x) => x,
  toBool: (x) => Number(x !== 0),
  not: (x) => 1 - x,
  and: (a, b) => a * b,
  or: (a, b) => Math.max(a, b),
  xor: (a, b) => Number(a !== b),
};

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  equal: (a, b) => a === b,
  notEqual: (a, b) => a !== b,
  less: (a, b) => a < b,
  lessEqual: (a, b) => a <= b,
  greater: (a, b) => a > b,
  greaterEqual: (a, b) => a >= b,
};

/** The names that this file defines, for the test that compares them with the library's exports. */
export const elementwiseNames: ReadonlySet<string> = new Set([
  ...Object.keys(floats),
  ...Object.keys(integers),
  ...Object.keys(comparisons),
  'where',
]);

/** Applies an op at each element; operands have the result's shape or are 0-d. */
export function elementwise(name: string, inputs: readonly Value[], shape: readonly number[], dtype: DType): Value {
  const result = empty(shape, dtype);
  const values = new Array<number>(inputs.length).fill(0);
  const errors = new Array<number>(inputs.length).fill(0);
  const one = elementRule(name, inputs.at(-1)?.dtype ?? 'f32', dtype);
  for (let i = 0; i < result.data.length; i++) {
    inputs.forEach(({ data, error }, k) => {
      const index = data.length === 1 ? 0 : i;
      values[k] = at(data, index);
      errors[k] = at(error, index);
    });
    const [value, error] = one(values, errors);
    result.data[i] = value;
    result.error[i] = error;
  }
  return result;
}

type ElementRule = (values: number[], errors: number[]) => readonly [value: number, error: number];

function elementRule(name: string, operand: DType, result: DType): ElementRule {
  if (name === 'where') return whereRule;
  const compare = comparisons[name];
  if (compare !== undefined) return (values, errors) => compareRule(compare, values, errors);
  const integer = integers[name];
  if (!isFloat(operand) && integer !== undefined) {
    return (values, errors) => [
      wrap(integer(...values), result),
      Math.max(...errors) > 0 ? Number.POSITIVE_INFINITY : 0,
    ];
  }
  const rule = floats[name];
  if (rule === undefined) throw new Error(`reference: no elementwise op '${name}' for ${operand}`);
  return (values, errors) => floatRule(rule, values, errors);
}

function whereRule(values: number[], errors: number[]): [number, number] {
  const [condition = 0, a = 0, b = 0] = values;
  const [uncertain = 0, errorA = 0, errorB = 0] = errors;
  const value = condition !== 0 ? a : b;
  if (uncertain > 0) {
    const apart = Math.abs(a - b);
    return [value, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart + Math.max(errorA, errorB)];
  }
  return [value, condition !== 0 ? errorA : errorB];
}

function compareRule(
  compare: (a: number, b: number) => boolean,
  [a = 0, b = 0]: number[],
  [errorA = 0, errorB = 0]: number[],
): [number, number] {
  const slack = errorA + errorB;
  return [Number(compare(a, b)), slack > 0 && !(Math.abs(a - b) > slack) ? 1 : 0];
}

function floatRule(rule: Rule, values: number[], errors: number[]): [number, number] {
  const value = toRange(rule.value(...values));
  const given = errors.some((error) => error > 0);
  const own =
    rule.exact === true && !given && Math.fround(value) === value ? flushed(value) : rule.error(value, ...values);
  if (!given) return [value, own];
  // The op at the corners of the box of its inputs' errors: exact for what is monotone in each.
  let spread = 0;
  const corner = [...values];
  for (let bits = 0; bits < 1 << values.length; bits++) {
    for (let k = 0; k < values.length; k++) {
      corner[k] = at(values, k) + (bits & (1 << k) ? 1 : -1) * at(errors, k);
    }
    const moved = toRange(rule.value(...corner));
    if (Object.is(moved, value)) continue;
    const distance = Math.abs(moved - value);
    spread = Math.max(spread, Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance);
  }
  // The op's own error may grow with its argument, which was off itself: 1 % covers that.
  return [value, 1.01 * (spread + own)];
}

/** A subnormal result may be flushed to 0. */
function flushed(value: number): number {
  return Math.abs(value) < SMALLEST_NORMAL ? Math.abs(value) : 0;
}
