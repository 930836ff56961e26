import logical from '../../shaders/elementwise/logical.wgsl';
import { DtypeError } from '../errors.js';
import type { DType } from '../graph/dtype.js';
import { asTensor } from '../graph/source.js';
import type { Tensor, TensorLike } from '../graph/tensor.js';
import { apply, binary, operands, opOf, unary } from './elementwise.js';

/** Both; bools. */
export const and = binary({ name: 'and', module: logical, dtypes: ['bool'] });
/** Either; bools. */
export const or = binary({ name: 'or', module: logical, dtypes: ['bool'] });
/** One but not both; bools. */
export const xor = binary({ name: 'xor', module: logical, dtypes: ['bool'] });
/** The opposite; bools. */
export const not = unary({ name: 'not', module: logical, dtypes: ['bool'] });

/** True where x is NaN, by its bits. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the field's name for it
export const isNaN = unary({ name: 'isNan', module: logical, dtypes: ['f32'], result: 'bool' });
/** True where x is infinite, by its bits. */
export const isInfinite = unary({ name: 'isInfinite', module: logical, dtypes: ['f32'], result: 'bool' });
/** True where x is neither NaN nor infinite. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the field's name for it
export const isFinite = unary({ name: 'isFinite', module: logical, dtypes: ['f32'], result: 'bool' });

const dtypes: readonly DType[] = ['f32', 'i32', 'u32', 'bool'];
const whereSpec = { name: 'where', module: logical, dtypes };
const whereOp = opOf({
  ...whereSpec,
  vjp: ({ cotangent, inputs: [condition] }) => [
    undefined,
    where(condition as Tensor, cotangent, 0),
    where(condition as Tensor, 0, cotangent),
  ],
});

/**
 * `a` where the condition holds, else `b`; all three broadcast. The side not taken gets a cotangent of
 * exactly 0, but if its own derivative is infinite the product is NaN, as everywhere: guard its input.
 * @throws DtypeError when the condition is not bool, or a and b differ.
 */
export function where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  const test = asTensor('where', condition);
  if (test.dtype !== 'bool') {
    throw new DtypeError('where', `the condition is ${test.dtype}, not bool.`, {
      mend: 'compare first: where(greater(x, 0), a, b).',
    });
  }
  return apply(whereSpec, whereOp, [test, ...operands('where', dtypes, a, b)]);
}
