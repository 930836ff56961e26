import trigonometric from '../../shaders/elementwise/trigonometric.wgsl';
import type { Tensor } from '../graph/tensor.js';
import { multiply, negative, square, subtract } from './arithmetic.js';
import { unary } from './elementwise.js';

/** The sine; x in radians. */
export const sin = unary({
  name: 'sin',
  module: trigonometric,
  dtypes: ['f32'],
  vjp: ({ cotangent, inputs: [x] }) => [multiply(cotangent, cos(x as Tensor))],
});

/** The cosine; x in radians. */
export const cos = unary({
  name: 'cos',
  module: trigonometric,
  dtypes: ['f32'],
  vjp: ({ cotangent, inputs: [x] }) => [negative(multiply(cotangent, sin(x as Tensor)))],
});

/** The hyperbolic tangent. */
export const tanh = unary({
  name: 'tanh',
  module: trigonometric,
  dtypes: ['f32'],
  vjp: ({ cotangent, output }) => [multiply(cotangent, subtract(1, square(output)))],
});
