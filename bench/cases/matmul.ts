import { compile, matmul, tensor, transpose } from '../../src/index.js';
import { type Case, defineCase } from '../case.js';
import { symmetric } from '../random.js';

interface Inputs {
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
}

/** Rows of the product that are computed in float64; the engines are compared with each other in all. */
const REFERENCE_ROWS = 32;

export interface Product {
  readonly name: string;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** N as it is, T given transposed: `tn` is a^T b. */
  readonly layout?: 'nn' | 'nt' | 'tn';
}

/** `a b` of [rows, inner] by [inner, columns], f32, uniform in [-1, 1); either may lie transposed. */
function product({ name, rows, inner, columns, layout = 'nn' }: Product): Case {
  const [leftTransposed, rightTransposed] = [layout === 'tn', layout === 'nt'];
  const leftShape = leftTransposed ? ([inner, rows] as const) : ([rows, inner] as const);
  const rightShape = rightTransposed ? ([columns, inner] as const) : ([inner, columns] as const);
  return defineCase<Inputs>({
    name,
    flops: 2 * rows * inner * columns,
    bytes: 4 * (rows * inner + inner * columns + rows * columns),
    repeatable: true,
    inputs: (seed) => ({
      a: symmetric(rows * inner, 1, 2 * seed + 1),
      b: symmetric(inner * columns, 1, 2 * seed + 2),
    }),
    reference: ({ a, b }) => ({
      product: someRows(rows, inner, columns, {
        a: (i, k) => (leftTransposed ? a[k * rows + i] : a[i * inner + k]) ?? 0,
        b: (k, j) => (rightTransposed ? b[j * inner + k] : b[k * columns + j]) ?? 0,
      }),
    }),
    tolerance: () => ({
      // Rounding each of `inner` sums of about inner / 4 in all: sqrt(inner) 2^-24 inner / 4, four times over.
      largest: inner ** 1.5 * 2 ** -24,
      why: '4 sqrt(k) 2^-24 times the sum of |a b|, about k / 4',
    }),
    ours: async ({ a, b }) => {
      const left = tensor(a, { shape: leftShape });
      const right = tensor(b, { shape: rightShape });
      const multiply = compile(
        () => matmul(leftTransposed ? transpose(left) : left, rightTransposed ? transpose(right) : right),
        { name: 'matmul' },
      );
      await multiply.prepare();
      let result = multiply();
      return {
        run: () => {
          result = multiply();
        },
        settle: () => multiply.ready(),
        results: async () => ({ product: (await result.data()) as Float32Array }),
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
        const left = jax.numpy.array(a, { shape: leftShape });
        const right = jax.numpy.array(b, { shape: rightShape });
        const multiply = jax.jit((x: typeof left, y: typeof left) =>
          jax.numpy.matmul(leftTransposed ? x.transpose() : x, rightTransposed ? y.transpose() : y),
        );
        let result = multiply(left.ref, right.ref);
        return {
          run: () => {
            result.dispose();
            result = multiply(left.ref, right.ref);
            // A product let go before it was asked for is never computed.
            result.ref.gpuBufferSync();
          },
          settle: async () => {
            await result.blockUntilReady();
          },
          results: async () => ({ product: await result.ref.data() }),
          dispose: () => {
            for (const array of [result, left, right]) array.dispose();
            multiply.dispose();
          },
        };
      },
      tfjs: async (tf, { a, b }) => {
        const left = tf.tensor(a, leftShape);
        const right = tf.tensor(b, rightShape);
        let result = tf.matMul(left, right, leftTransposed, rightTransposed);
        return {
          run: () => {
            result.dispose();
            result = tf.matMul(left, right, leftTransposed, rightTransposed);
          },
          settle: async () => {
            const corner = tf.slice(result, [0, 0], [1, 1]);
            await corner.data();
            corner.dispose();
          },
          results: async () => ({ product: await result.data() }),
          dispose: () => {
            for (const each of [result, left, right]) each.dispose();
          },
        };
      },
    },
  });
}

interface Elements {
  readonly a: (row: number, inner: number) => number;
  readonly b: (inner: number, column: number) => number;
}

/** Some rows of the product, spread from first to last, in float64. */
function someRows(rows: number, inner: number, columns: number, { a, b }: Elements) {
  const some = Math.min(rows, REFERENCE_ROWS);
  const values = new Float64Array(some * columns);
  const at = new Uint32Array(some * columns);
  for (let i = 0; i < some; i++) {
    const row = some === 1 ? 0 : Math.round((i * (rows - 1)) / (some - 1));
    for (let k = 0; k < inner; k++) {
      const factor = a(row, k);
      for (let j = 0; j < columns; j++) values[i * columns + j] = (values[i * columns + j] ?? 0) + factor * b(k, j);
    }
    for (let j = 0; j < columns; j++) at[i * columns + j] = row * columns + j;
  }
  return { values, at };
}

const square = (size: number, layout: Product['layout'] = 'nn'): Product => ({
  name: layout === 'nn' ? `matmul/${size}` : `matmul/${size}-${layout}`,
  rows: size,
  inner: size,
  columns: size,
  layout,
});

export const matmulCases = [
  square(256),
  square(512),
  square(512, 'nt'),
  square(512, 'tn'),
  square(1024),
  { name: 'matmul/1000x333x777', rows: 1000, inner: 333, columns: 777 },
  // The classifier's: its logits, their gradient by the hidden layer, the first layer's weights.
  { name: 'matmul/128x784x10', rows: 128, inner: 784, columns: 10 },
  { name: 'matmul/128x10x784-nt', rows: 128, inner: 10, columns: 784, layout: 'nt' as const },
  { name: 'matmul/784x128x10-tn', rows: 784, inner: 128, columns: 10, layout: 'tn' as const },
].map(product);
