import { isFloat } from '../../src/graph/dtype.js';
import { boundedSum } from './reduce.js';
import { at, empty, type Value, wrap } from './value.js';
import { rearranged } from './views.js';

/** A position of an axis that an index names, counting negative ones from the end; undefined out of range. */
function position(index: number, length: number): number | undefined {
  const resolved = index < 0 ? index + length : index;
  return resolved >= 0 && resolved < length ? resolved : undefined;
}

export function gathered(x: Value, indices: Value, shape: readonly number[], axis: number): Value {
  const fill = isFloat(x.dtype) ? Number.NaN : 0;
  const place = (index: readonly number[]) => {
    const found = position(at(indices.data, at(index, axis)), at(x.shape, axis));
    return found === undefined ? undefined : index.map((i, a) => (a === axis ? found : i));
  };
  return rearranged(x, shape, place, fill);
}

export function scattered(values: Value, indices: Value, shape: readonly number[], axis: number): Value {
  const result = empty(shape, values.dtype);
  const outer = shape.slice(0, axis).reduce((size, length) => size * length, 1);
  const inner = shape.slice(axis + 1).reduce((size, length) => size * length, 1);
  const length = at(shape, axis);
  const count = indices.data.length;
  const targets = Array.from(indices.data, (index) => position(index, length));
  for (let o = 0; o < outer; o++) {
    for (let slot = 0; slot < length; slot++) {
      const from = targets.flatMap((to, k) => (to === slot ? [k] : []));
      for (let i = 0; i < inner; i++) {
        const of = (k: number) => (o * count + at(from, k)) * inner + i;
        const [value, error] = boundedSum(
          from.length,
          (k) => at(values.data, of(k)),
          (k) => at(values.error, of(k)),
        );
        const index = (o * length + slot) * inner + i;
        result.data[index] = wrap(value, values.dtype);
        result.error[index] = values.dtype === 'f32' ? error : 0;
      }
    }
  }
  return result;
}
