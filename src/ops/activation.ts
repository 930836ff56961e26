import activation from '../../shaders/elementwise/activation.wgsl';
import type { Tensor } from '../graph/tensor.js';
import { add, multiply, negative, square, subtract } from './arithmetic.js';
import { greater } from './comparison.js';
import { unary } from './elementwise.js';
import { exp } from './exponential.js';
import { where } from './logical.js';
import { tanh } from './trigonometric.js';

/** `max(x, 0)`; its gradient at 0 is 0. NaN stays NaN. */
export const relu = unary({
  name: 'relu',
  module: activation,
  dtypes: ['f32'],
  // By the output, so that the input need not be kept.
  vjp: ({ cotangent, output }) => [where(greater(output, 0), cotangent, 0)],
});

/** `1 / (1 + e^-x)`. */
export const sigmoid = unary({
  name: 'sigmoid',
  module: activation,
  dtypes: ['f32'],
  vjp: ({ cotangent, output }) => [multiply(cotangent, multiply(output, subtract(1, output)))],
});

/** `log(1 + e^x)`, without overflow. */
export const softplus = unary({
  name: 'softplus',
  module: activation,
  dtypes: ['f32'],
  vjp: ({ cotangent, inputs: [x] }) => [multiply(cotangent, sigmoid(x as Tensor))],
});

/** `x * sigmoid(x)`. */
export const silu = unary({
  name: 'silu',
  module: activation,
  dtypes: ['f32'],
  vjp: ({ cotangent, inputs: [x] }) => {
    const s = sigmoid(x as Tensor);
    return [multiply(cotangent, multiply(s, add(1, multiply(x as Tensor, subtract(1, s)))))];
  },
});

/** `2 / sqrt(pi) * integral from 0 to x of e^(-t^2) dt`. */
export const erf = unary({
  name: 'erf',
  module: activation,
  dtypes: ['f32'],
  vjp: ({ cotangent, inputs: [x] }) => [
    multiply(cotangent, multiply(2 / Math.sqrt(Math.PI), exp(negative(square(x as Tensor))))),
  ],
});

/** Hendrycks and Gimpel 2016: `x * Phi(x)`, Phi being the normal distribution function (exact, by erf). */
export const gelu = unary({
  name: 'gelu',
  module: activation,
  dtypes: ['f32'],
  vjp: ({ cotangent, inputs: [input] }) => {
    const x = input as Tensor;
    const cumulative = multiply(0.5, add(1, erf(multiply(x, Math.SQRT1_2))));
    const density = multiply(1 / Math.sqrt(2 * Math.PI), exp(multiply(-0.5, square(x))));
    return [multiply(cotangent, add(cumulative, multiply(x, density)))];
  },
});

const SCALE = Math.sqrt(2 / Math.PI);

/** gelu by its tanh approximation: `0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`. */
export const geluTanh = unary({
  name: 'geluTanh',
  module: activation,
  dtypes: ['f32'],
  vjp: ({ cotangent, inputs: [input] }) => {
    const x = input as Tensor;
    const cubic = multiply(SCALE, multiply(x, add(1, multiply(0.044715, square(x)))));
    const t = tanh(cubic);
    const slope = multiply(SCALE, add(1, multiply(3 * 0.044715, square(x))));
    const inner = multiply(multiply(x, subtract(1, square(t))), slope);
    return [multiply(cotangent, multiply(0.5, add(add(1, t), inner)))];
  },
});
