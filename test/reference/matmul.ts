import { boundedSum } from './reduce.js';
import { at, empty, sizeOf, type Value } from './value.js';

/** `[...batch, rows, inner]` by `[...batch, inner, columns]`, batch axes already equal. */
export function product(a: Value, b: Value, shape: readonly number[]): Value {
  const result = empty(shape, 'f32');
  const [rows = 1, columns = 1] = shape.slice(-2);
  const inner = a.shape.at(-1) ?? 1;
  const batches = sizeOf(shape.slice(0, -2));
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const left = (batch * rows + i) * inner;
        const right = batch * inner * columns + j;
        // Each term is a product rounded once more.
        const [value, error] = boundedSum(
          inner,
          (k) => at(a.data, left + k) * at(b.data, right + k * columns),
          (k) => productError(a, left + k, b, right + k * columns),
          1,
        );
        const index = (batch * rows + i) * columns + j;
        result.data[index] = value;
        result.error[index] = error;
      }
    }
  }
  return result;
}

/** How far a product of two uncertain factors may be off. */
export function productError(a: Value, i: number, b: Value, j: number): number {
  const errorA = at(a.error, i);
  const errorB = at(b.error, j);
  if (errorA === 0 && errorB === 0) return 0;
  return Math.abs(at(a.data, i)) * errorB + Math.abs(at(b.data, j)) * errorA + errorA * errorB;
}
