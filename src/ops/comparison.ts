import comparison from '../../shaders/elementwise/comparison.wgsl';
import type { DType } from '../graph/dtype.js';
import { binary } from './elementwise.js';

const numbers: readonly DType[] = ['f32', 'i32', 'u32'];
const all: readonly DType[] = ['f32', 'i32', 'u32', 'bool'];

/** `a == b`, a bool; false where either is NaN. */
export const equal = binary({ name: 'equal', module: comparison, dtypes: all, result: 'bool' });
/** `a != b`, a bool; true where either is NaN. */
export const notEqual = binary({ name: 'notEqual', module: comparison, dtypes: all, result: 'bool' });
/** `a < b`, a bool; false where either is NaN. */
export const less = binary({ name: 'less', module: comparison, dtypes: numbers, result: 'bool' });
/** `a <= b`, a bool; false where either is NaN. */
export const lessEqual = binary({ name: 'lessEqual', module: comparison, dtypes: numbers, result: 'bool' });
/** `a > b`, a bool; false where either is NaN. */
export const greater = binary({ name: 'greater', module: comparison, dtypes: numbers, result: 'bool' });
/** `a >= b`, a bool; false where either is NaN. */
export const greaterEqual = binary({
  name: 'greaterEqual',
  module: comparison,
  dtypes: numbers,
  result: 'bool',
});
