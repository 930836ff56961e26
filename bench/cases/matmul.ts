import { matmul, transpose } from '../../src/index.js';
import type { Case } from '../case.js';
import { computation } from '../computation.js';
import { someOf } from '../random.js';

/** Rows of the product that are computed in float64; the engines are compared with each other in all. */
const REFERENCE_ROWS = 32;

export interface Product {
  readonly name: string;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** N as it is, T given transposed: `tn` is a^T b. */
  readonly layout?: 'nn' | 'nt' | 'tn';
  /** Both operands stored so, against f32 of our own: it tells something where the adapter has shader-f16. */
  readonly dtype?: 'f16';
}

/** `a b` of [rows, inner] by [inner, columns], uniform in [-1, 1); either may lie transposed. */
function product({ name, rows, inner, columns, layout = 'nn', dtype }: Product): Case {
  const [leftTransposed, rightTransposed] = [layout === 'tn', layout === 'nt'];
  const leftShape = leftTransposed ? ([inner, rows] as const) : ([rows, inner] as const);
  const rightShape = rightTransposed ? ([columns, inner] as const) : ([inner, columns] as const);
  return computation({
    name,
    operands: [
      { shape: leftShape, bound: 1, ...(dtype && { dtype }) },
      { shape: rightShape, bound: 1, ...(dtype && { dtype }) },
    ],
    // A product with a vector is bound by the bytes of the matrix.
    ...(rows > 1 && columns > 1 ? { flops: 2 * rows * inner * columns } : {}),
    bytes: (dtype === 'f16' ? 2 : 4) * (rows * inner + inner * columns) + 4 * rows * columns,
    reference: ([a, b]) =>
      someRows(rows, inner, columns, {
        a: (i, k) => a?.[leftTransposed ? k * rows + i : i * inner + k] ?? 0,
        b: (k, j) => b?.[rightTransposed ? j * inner + k : k * columns + j] ?? 0,
      }),
    tolerance: {
      // Rounding each of `inner` sums of about inner / 4 in all: sqrt(inner) 2^-24 inner / 4, four times over.
      largest: inner ** 1.5 * 2 ** -24,
      why: '4 sqrt(k) 2^-24 times the sum of |a b|, about k / 4',
    },
    ours: (a, b) => matmul(leftTransposed ? transpose(a) : a, rightTransposed ? transpose(b) : b),
    ...(dtype === undefined && {
      jaxJs: ({ numpy }, a, b) => numpy.matmul(leftTransposed ? a.transpose() : a, rightTransposed ? b.transpose() : b),
      tfjs: (tf, a, b) => tf.matMul(a, b, leftTransposed, rightTransposed),
    }),
  });
}

interface Elements {
  readonly a: (row: number, inner: number) => number;
  readonly b: (inner: number, column: number) => number;
}

/** Some rows of the product, spread from first to last, in float64. */
function someRows(rows: number, inner: number, columns: number, { a, b }: Elements) {
  const chosen = someOf(rows, REFERENCE_ROWS);
  const values = new Float64Array(chosen.length * columns);
  const at = new Uint32Array(chosen.length * columns);
  for (const [i, row] of chosen.entries()) {
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
  square(1024, 'nt'),
  square(1024, 'tn'),
  { ...square(1024), name: 'matmul/1024-f16', dtype: 'f16' as const },
  { name: 'matmul/1000x333x777', rows: 1000, inner: 333, columns: 777 },
  { name: 'matmul/1x1024x1024', rows: 1, inner: 1024, columns: 1024 },
  { name: 'matmul/1024x1024x1', rows: 1024, inner: 1024, columns: 1 },
  // The classifier's: its logits, their gradient by the hidden layer, the first layer's weights.
  { name: 'matmul/128x784x10', rows: 128, inner: 784, columns: 10 },
  { name: 'matmul/128x10x784-nt', rows: 128, inner: 10, columns: 784, layout: 'nt' as const },
  { name: 'matmul/784x128x10-tn', rows: 784, inner: 128, columns: 10, layout: 'tn' as const },
].map(product);
