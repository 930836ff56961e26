import { softmax } from '../../src/index.js';
import type { Case } from '../case.js';
import { computation } from '../computation.js';
import { someOf } from '../random.js';

const REFERENCE_ROWS = 32;

/** Softmax of each row. */
function rowSoftmax(rows: number, columns: number): Case {
  return computation({
    name: `softmax/${rows}x${columns}`,
    operands: [{ shape: [rows, columns], bound: 4 }],
    // Once in, once out.
    bytes: 2 * 4 * rows * columns,
    reference: ([x]) => {
      const chosen = someOf(rows, REFERENCE_ROWS);
      const values = chosen.flatMap((row) => {
        const exponentials = Array.from(x?.subarray(row * columns, (row + 1) * columns) ?? [], Math.exp);
        const sum = exponentials.reduce((a, b) => a + b, 0);
        return exponentials.map((e) => e / sum);
      });
      return { values, at: chosen.flatMap((row) => Array.from({ length: columns }, (_, j) => row * columns + j)) };
    },
    // Elements are at most e^8 times the mean 1 / columns, and at most 1; exp is off by 3 + 2 |x| ulp, x at most 8.
    tolerance: {
      largest: 40 * 2 ** -24 * Math.min(1, Math.exp(8) / columns),
      why: '40 roundings of a probability',
    },
    ours: (x) => softmax(x),
    jaxJs: (jax, x) => jax.nn.softmax(x),
    tfjs: (tf, x) => tf.softmax(x),
  });
}

export const softmaxCases = [rowSoftmax(4096, 1000), rowSoftmax(4096, 10)];
