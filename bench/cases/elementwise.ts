import { abs, add, exp, multiply, sqrt, tanh } from '../../src/index.js';
import { computation } from '../computation.js';

const SIZE = 1 << 22;

/** Eight elementwise ops in a row: tanh(sqrt(|exp(x) y + x| + 1) / 2), in one kernel where they fuse. */
const chainOfEight = computation({
  name: 'elementwise/chain-of-8',
  operands: [
    { shape: [SIZE], bound: 2 },
    { shape: [SIZE], bound: 2 },
  ],
  bytes: 3 * 4 * SIZE,
  reference: ([x, y]) => ({
    values: Float64Array.from(x ?? [], (a, i) =>
      Math.tanh(0.5 * Math.sqrt(Math.abs(Math.exp(a) * (y?.[i] ?? 0) + a) + 1)),
    ),
  }),
  tolerance: {
    largest: 128 * 2 ** -24,
    why: 'exp within 7 ulp of 7, times 2, an eighth of it by the root; tanh within 8 ulp',
  },
  ours: (x, y) => {
    const product = multiply(exp(x), y);
    return tanh(multiply(sqrt(add(abs(add(product, x)), 1)), 0.5));
  },
  jaxJs: ({ numpy: np }, x, y) => {
    const product = np.exp(x.ref).mul(y);
    return np.tanh(np.sqrt(np.abs(product.add(x)).add(1)).mul(0.5));
  },
  tfjs: (tf, x, y) => {
    const product = tf.mul(tf.exp(x), y);
    return tf.tanh(tf.mul(tf.sqrt(tf.add(tf.abs(tf.add(product, x)), 1)), 0.5));
  },
});

export const elementwiseCases = [chainOfEight];
