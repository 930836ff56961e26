import { compile, matmul, tensor } from '../../src/index.js';
import { type Case, defineCase } from '../case.js';
import { symmetric } from '../random.js';

interface Inputs {
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
}

/** Rows of the product that are computed in float64; the engines are compared with each other in all. */
const REFERENCE_ROWS = 32;

/** `a b`, both [size, size], f32, uniform in [-1, 1). */
function squareMatmul(size: number): Case {
  const shape = [size, size] as const;
  return defineCase<Inputs>({
    name: `matmul/${size}`,
    flops: 2 * size ** 3,
    bytes: 3 * 4 * size ** 2,
    repeatable: true,
    inputs: (seed) => ({
      a: symmetric(size * size, 1, 2 * seed + 1),
      b: symmetric(size * size, 1, 2 * seed + 2),
    }),
    reference: ({ a, b }) => ({ product: someRows(a, b, size) }),
    tolerance: () => ({
      // Rounding each of `size` sums of about size / 4 in all: sqrt(size) 2^-24 size / 4, four times over.
      largest: size ** 1.5 * 2 ** -24,
      why: '4 sqrt(k) 2^-24 times the sum of |a b|, about k / 4',
    }),
    ours: async ({ a, b }) => {
      const left = tensor(a, { shape });
      const right = tensor(b, { shape });
      const multiply = compile(() => matmul(left, right), { name: 'matmul' });
      await multiply.prepare();
      let product = multiply();
      return {
        run: () => {
          product = multiply();
        },
        settle: () => multiply.ready(),
        results: async () => ({ product: (await product.data()) as Float32Array }),
        explain: () => multiply.explain(),
        dispose: () => {
          multiply.dispose();
          left.dispose();
          right.dispose();
        },
      };
    },
    peers: {
      'jax-js': async (jax, { a, b }) => {
        const left = jax.numpy.array(a, { shape });
        const right = jax.numpy.array(b, { shape });
        const multiply = jax.jit((x: typeof left, y: typeof left) => jax.numpy.matmul(x, y));
        let product = multiply(left.ref, right.ref);
        return {
          run: () => {
            product.dispose();
            product = multiply(left.ref, right.ref);
            // A product let go before it was asked for is never computed.
            product.ref.gpuBufferSync();
          },
          settle: async () => {
            await product.blockUntilReady();
          },
          results: async () => ({ product: await product.ref.data() }),
          dispose: () => {
            for (const array of [product, left, right]) array.dispose();
            multiply.dispose();
          },
        };
      },
      tfjs: async (tf, { a, b }) => {
        const left = tf.tensor(a, shape);
        const right = tf.tensor(b, shape);
        let product = tf.matMul(left, right);
        return {
          run: () => {
            product.dispose();
            product = tf.matMul(left, right);
          },
          settle: async () => {
            const corner = tf.slice(product, [0, 0], [1, 1]);
            await corner.data();
            corner.dispose();
          },
          results: async () => ({ product: await product.data() }),
          dispose: () => {
            for (const each of [product, left, right]) each.dispose();
          },
        };
      },
    },
  });
}

/** Some rows of the product, spread from first to last, in float64. */
function someRows(a: Float32Array, b: Float32Array, size: number) {
  const rows = Math.min(size, REFERENCE_ROWS);
  const values = new Float64Array(rows * size);
  const at = new Uint32Array(rows * size);
  for (let i = 0; i < rows; i++) {
    const row = Math.round((i * (size - 1)) / (rows - 1));
    for (let k = 0; k < size; k++) {
      const factor = a[row * size + k] ?? 0;
      for (let j = 0; j < size; j++)
        values[i * size + j] = (values[i * size + j] ?? 0) + factor * (b[k * size + j] ?? 0);
    }
    for (let j = 0; j < size; j++) at[i * size + j] = row * size + j;
  }
  return { values, at };
}

export const matmulCases = [256, 512, 1024].map(squareMatmul);
