import arithmetic from '../../shaders/elementwise/arithmetic.wgsl';
import exponential from '../../shaders/elementwise/exponential.wgsl';
import type { DType } from '../graph/dtype.js';
import { currentValue } from '../graph/parameter.js';
import type { Tensor, TensorLike } from '../graph/tensor.js';
import { equal, greater, greaterEqual, less, lessEqual, notEqual } from './comparison.js';
import { anonymousValue, apply, binary, operands, opOf, unary } from './elementwise.js';
import { log } from './exponential.js';
import { and, not, where } from './logical.js';

const numbers: readonly DType[] = ['f32', 'i32', 'u32'];

/** `a + b` with broadcasting. */
export const add = binary({
  name: 'add',
  module: arithmetic,
  dtypes: numbers,
  fold: (a = 0, b = 0) => a + b,
  vjp: ({ cotangent }) => [cotangent, cotangent],
});

/** `a - b` with broadcasting. */
export const subtract = binary({
  name: 'subtract',
  module: arithmetic,
  dtypes: numbers,
  fold: (a = 0, b = 0) => a - b,
  vjp: ({ cotangent }) => [cotangent, negative(cotangent)],
});

const multiplyNode = binary({
  name: 'multiply',
  module: arithmetic,
  dtypes: numbers,
  fold: (a = 0, b = 0) => a * b,
  vjp: ({ cotangent, inputs: [a, b] }) => [multiply(cotangent, b as Tensor), multiply(cotangent, a as Tensor)],
});

/** `a * b` with broadcasting. */
export const multiply = Object.assign(
  (a: TensorLike, b: TensorLike): Tensor => {
    const [left, right] = operands('multiply', numbers, a, b) as [Tensor, Tensor];
    // Times one is no work: gradients begin with it.
    if (isTimesOne(left, right)) return currentValue(left);
    if (isTimesOne(right, left)) return currentValue(right);
    return multiplyNode(left, right);
  },
  { op: multiplyNode.op, spec: multiplyNode.spec, arity: multiplyNode.arity },
);

function isTimesOne(x: Tensor, factor: Tensor): boolean {
  return anonymousValue(factor) === 1 && covers(x, factor);
}

function covers(whole: Tensor, part: Tensor): boolean {
  const added = whole.rank - part.rank;
  return added >= 0 && part.shape.every((length, axis) => length === 1 || length === whole.shape[axis + added]);
}

/** `a / b` with broadcasting; f32. x / 0 is ±infinity, 0 / 0 NaN. */
export const divide = binary({
  name: 'divide',
  module: arithmetic,
  dtypes: ['f32'],
  fold: (a = 0, b = 0) => a / b,
  vjp: ({ cotangent, inputs: [, b], output }) => [
    divide(cotangent, b as Tensor),
    negative(divide(multiply(cotangent, output), b as Tensor)),
  ],
});

/** `-x`. */
export const negative = unary({
  name: 'negative',
  module: arithmetic,
  dtypes: ['f32', 'i32'],
  fold: (x = 0) => -x,
  vjp: ({ cotangent }) => [negative(cotangent)],
});

/** At a tie each side gets half, so that maximum(x, x) has gradient 1, like x itself. NaN on either side gives NaN. */
export const maximum = binary({
  name: 'maximum',
  module: arithmetic,
  dtypes: numbers,
  vjp: ({ cotangent, inputs: [a, b] }) => split(cotangent, a as Tensor, b as Tensor, greater),
});

/** At a tie each side gets half. NaN on either side gives NaN. */
export const minimum = binary({
  name: 'minimum',
  module: arithmetic,
  dtypes: numbers,
  vjp: ({ cotangent, inputs: [a, b] }) => split(cotangent, a as Tensor, b as Tensor, less),
});

function split(
  cotangent: Tensor,
  a: Tensor,
  b: Tensor,
  wins: (a: TensorLike, b: TensorLike) => Tensor,
): [Tensor, Tensor] {
  const tie = equal(a, b);
  const share = where(tie, 0.5, where(wins(a, b), 1, 0));
  const other = where(tie, 0.5, where(wins(b, a), 1, 0));
  return [multiply(cotangent, share), multiply(cotangent, other)];
}

const clampSpec = { name: 'clamp', module: arithmetic, dtypes: numbers };
const clampOp = opOf({
  ...clampSpec,
  vjp: ({ cotangent, inputs }) => {
    const [x, low, high] = inputs as [Tensor, Tensor, Tensor];
    const inside = where(greaterEqual(x, low), where(lessEqual(x, high), 1, 0), 0);
    return [multiply(cotangent, inside), undefined, undefined];
  },
});

/**
 * `x` held between `low` and `high`. The gradient is 1 from `low` to `high`, both included, and 0 outside;
 * none flows to the bounds.
 */
export function clamp(x: TensorLike, low: TensorLike, high: TensorLike): Tensor {
  return apply(clampSpec, clampOp, operands('clamp', numbers, x, low, high));
}

/** `|x|`; its gradient at 0 is 0. */
export const abs = unary({
  name: 'abs',
  module: arithmetic,
  dtypes: ['f32', 'i32'],
  vjp: ({ cotangent, inputs: [x] }) => [multiply(cotangent, sign(x as Tensor))],
});

/** -1, 0 or 1; NaN stays NaN. Its gradient is 0 everywhere. */
export const sign = unary({ name: 'sign', module: arithmetic, dtypes: ['f32', 'i32'], vjp: () => [undefined] });

/** `x * x`. */
export const square = unary({
  name: 'square',
  module: arithmetic,
  dtypes: ['f32'],
  vjp: ({ cotangent, inputs: [x] }) => [multiply(cotangent, multiply(2, x as Tensor))],
});

/** `1 / x`. */
export const reciprocal = unary({
  name: 'reciprocal',
  module: arithmetic,
  dtypes: ['f32'],
  vjp: ({ cotangent, output }) => [negative(multiply(cotangent, square(output)))],
});

/** The largest integer not above x. Its gradient is 0 everywhere. */
export const floor = unary({ name: 'floor', module: arithmetic, dtypes: ['f32'], vjp: () => [undefined] });
/** The smallest integer not below x. Its gradient is 0 everywhere. */
export const ceil = unary({ name: 'ceil', module: arithmetic, dtypes: ['f32'], vjp: () => [undefined] });
/** The nearest integer, halves to the even one. Its gradient is 0 everywhere. */
export const round = unary({ name: 'round', module: arithmetic, dtypes: ['f32'], vjp: () => [undefined] });

/**
 * `a ** b`, with IEEE 754's cases: x ** 0 is 1, a negative base needs an integer exponent (else NaN).
 * The gradient by the exponent is taken as 0 where the base is 0.
 */
export const pow = binary({
  name: 'pow',
  module: exponential,
  dtypes: ['f32'],
  fold: (a = 0, b = 0) => a ** b,
  vjp: ({ cotangent, inputs, output, needs }) => {
    const [a, b] = inputs as [Tensor, Tensor];
    // x^0 is flat everywhere; at 0 and NaN another base stands in, so that no 0 * infinity arises, twice derived either.
    const flat = () => and(equal(b, 0), not(greater(abs(a), 0)));
    const base = (anonymousValue(b) ?? 0) === 0 ? where(flat(), 1, a) : a;
    const slope = multiply(b, pow(base, subtract(b, 1)));
    // log(1) = 0 stands in at a base of 0, so that no 0 * infinity arises.
    const byExponent = () => multiply(output, log(where(notEqual(a, 0), a, 1)));
    return [multiply(cotangent, slope), needs[1] === true ? multiply(cotangent, byExponent()) : undefined];
  },
});
