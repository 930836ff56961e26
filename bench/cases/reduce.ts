import { sum } from '../../src/index.js';
import type { Case } from '../case.js';
import { computation } from '../computation.js';

const [ROWS, COLUMNS] = [2048, 1024];

/** A sum over an axis of a matrix, or over all of it. */
function reduction(name: string, axis: 0 | 1 | undefined): Case {
  const outputs = axis === undefined ? 1 : [COLUMNS, ROWS][axis];
  const terms = (ROWS * COLUMNS) / (outputs ?? 1);
  const axes = axis === undefined ? {} : { axes: axis };
  return computation({
    name: `reduce/${name}-${ROWS}x${COLUMNS}`,
    operands: [{ shape: [ROWS, COLUMNS], bound: 1 }],
    bytes: 4 * (ROWS * COLUMNS + (outputs ?? 1)),
    reference: ([x]) => {
      const values = new Float64Array(outputs ?? 1);
      x?.forEach((value, i) => {
        const at = axis === undefined ? 0 : axis === 0 ? i % COLUMNS : Math.floor(i / COLUMNS);
        values[at] = (values[at] ?? 0) + value;
      });
      return { values };
    },
    // Partial sums are about sqrt(terms / 3), each rounded by 2^-24 of it, and random: times sqrt(terms), four times over.
    tolerance: { largest: 4 * terms * 2 ** -24, why: '4 roundings of partial sums for each term' },
    ours: (x) => sum(x, axes),
    jaxJs: (_, x) => x.sum(axis),
    tfjs: (tf, x) => tf.sum(x, axis),
  });
}

export const reduceCases = [reduction('rows', 1), reduction('columns', 0), reduction('all', undefined)];
