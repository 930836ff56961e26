import exponential from '../../shaders/elementwise/exponential.wgsl';
import type { Tensor } from '../graph/tensor.js';
import { add, divide, multiply, negative } from './arithmetic.js';
import { unary } from './elementwise.js';

/** `e^x`. Overflows to infinity above 88.72. Within 1.1 ulp, by a polynomial of our own. */
export const exp = unary({
  name: 'exp',
  module: exponential,
  dtypes: ['f32'],
  vjp: ({ cotangent, output }) => [multiply(cotangent, output)],
});

/** The natural logarithm: -infinity at 0, NaN below. */
export const log = unary({
  name: 'log',
  module: exponential,
  dtypes: ['f32'],
  vjp: ({ cotangent, inputs: [x] }) => [divide(cotangent, x as Tensor)],
});

/** `log(1 + x)`, accurate near 0. */
export const log1p = unary({
  name: 'log1p',
  module: exponential,
  dtypes: ['f32'],
  vjp: ({ cotangent, inputs: [x] }) => [divide(cotangent, add(1, x as Tensor))],
});

/** `e^x - 1`, accurate near 0. */
export const expm1 = unary({
  name: 'expm1',
  module: exponential,
  dtypes: ['f32'],
  vjp: ({ cotangent, output }) => [multiply(cotangent, add(output, 1))],
});

/** The square root; NaN below 0. Its gradient at 0 is infinite. */
export const sqrt = unary({
  name: 'sqrt',
  module: exponential,
  dtypes: ['f32'],
  vjp: ({ cotangent, output }) => [divide(cotangent, multiply(2, output))],
});

/** `1 / sqrt(x)`. */
export const rsqrt = unary({
  name: 'rsqrt',
  module: exponential,
  dtypes: ['f32'],
  vjp: ({ cotangent, inputs: [x], output }) => [
    negative(divide(multiply(cotangent, output), multiply(2, x as Tensor))),
  ],
});
