import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { multiply, square } from '../../src/ops/arithmetic.js';
import { broadcastTo } from '../../src/ops/broadcast.js';
import { exp } from '../../src/ops/exponential.js';
import { matmul } from '../../src/ops/matmul.js';
import { max, sum } from '../../src/ops/reduce.js';
import { expandDims, flatten, flip, permute, reshape, slice, squeeze, transpose } from '../../src/ops/shaping.js';
import { evaluate } from '../reference/evaluate.js';
import { sizeOf } from '../reference/value.js';
import { checkOp } from '../support/checkOp.js';
import { useEngine } from '../support/engine.js';
import { random, seedOf } from '../support/random.js';

useEngine();

type View = (x: Tensor) => Tensor;

const views: readonly (readonly [name: string, shape: readonly number[], view: View, result: readonly number[]])[] = [
  ['reshape', [6, 4], (x) => reshape(x, [3, 8]), [3, 8]],
  ['reshape with -1', [6, 4], (x) => reshape(x, [2, -1, 3]), [2, 4, 3]],
  ['reshape to 0-d', [1, 1], (x) => reshape(x, []), []],
  ['reshape of nothing', [0, 3], (x) => reshape(x, [5, 0]), [5, 0]],
  ['transpose', [7, 33], (x) => transpose(x), [33, 7]],
  ['transpose of named axes', [2, 3, 5], (x) => transpose(x, 0, 2), [5, 3, 2]],
  ['permute', [2, 3, 5, 4], (x) => permute(x, [3, 1, 0, 2]), [4, 3, 2, 5]],
  ['permute, negative axes', [2, 3, 5], (x) => permute(x, [-1, 0, 1]), [5, 2, 3]],
  ['slice', [7, 9], (x) => slice(x, [1, 6], [2, null]), [5, 7]],
  ['slice from the end', [7, 9], (x) => slice(x, [-3, null], [null, -4]), [3, 5]],
  ['slice with steps', [7, 9], (x) => slice(x, [0, 7, 3], [1, null, 2]), [3, 4]],
  ['slice backwards', [7, 9], (x) => slice(x, [null, null, -1], [7, 1, -2]), [7, 3]],
  ['slice at an index', [7, 9], (x) => slice(x, 2, [1, 5]), [4]],
  ['slice at a negative index', [7, 9], (x) => slice(x, [null, null], -1), [7]],
  ['slice past the end', [7], (x) => slice(x, [3, 100]), [4]],
  ['slice of nothing', [7, 9], (x) => slice(x, [5, 2]), [0, 9]],
  ['flip', [3, 5], (x) => flip(x), [3, 5]],
  ['flip one axis', [3, 5], (x) => flip(x, -1), [3, 5]],
  ['broadcastTo', [3, 1], (x) => broadcastTo(x, [2, 3, 5]), [2, 3, 5]],
  ['broadcastTo from 0-d', [], (x) => broadcastTo(x, [4, 2]), [4, 2]],
  ['broadcastTo nothing', [1], (x) => broadcastTo(x, [0]), [0]],
  ['squeeze', [1, 3, 1, 5], (x) => squeeze(x), [3, 5]],
  ['squeeze one axis', [1, 3, 1], (x) => squeeze(x, 0), [3, 1]],
  ['expandDims', [3, 5], (x) => expandDims(x, 1), [3, 1, 5]],
  ['expandDims at the end', [3, 5], (x) => expandDims(x, -1), [3, 5, 1]],
  ['flatten', [2, 3, 5], (x) => flatten(x), [30]],
  ['flatten from an axis', [2, 3, 5], (x) => flatten(x, 1), [2, 15]],
  ['flatten of 0-d', [], (x) => flatten(x), [1]],
  // Views of views.
  ['reshape of a transpose', [4, 6], (x) => reshape(transpose(x), [3, 8]), [3, 8]],
  ['slice of a flip of a transpose', [5, 7], (x) => slice(flip(transpose(x)), [1, null, 2], [3, 0, -1]), [3, 3]],
  ['transpose of a broadcast', [3, 1], (x) => transpose(broadcastTo(x, [3, 4])), [4, 3]],
  ['reshape of a slice', [5, 8], (x) => reshape(slice(x, [1, 4], [null, null, 2]), [2, 6]), [2, 6]],
  ['flatten of a permute of a slice', [4, 3, 6], (x) => flatten(permute(slice(x, [1, 3]), [2, 0, 1])), [36]],
];

function input(shape: readonly number[], seed: number): Tensor {
  const size = sizeOf(shape);
  return tensor(
    random(seed).floats(size, (r) => r.normal()),
    { shape },
  );
}

describe.each(views.map(([name, shape, view, result]) => ({ name, shape, view, result })))(
  '$name',
  ({ name, shape, view, result }) => {
    const seed = seedOf(name);

    test('moves elements, and its gradient moves them back', async () => {
      await checkOp({ name, inputs: [input(shape, seed)], apply: view, seed, shape: result, derivatives: 2 });
    });

    test('feeds an elementwise chain, from a computed tensor too', async () => {
      const apply = (x: Tensor) => multiply(exp(view(square(x))), view(x));
      await checkOp({ name: `chain of ${name}`, inputs: [input(shape, seed)], apply, seed, shape: result });
    });

    test('feeds reductions', async () => {
      const apply = (x: Tensor) => multiply(sum(view(x), { axes: result.length === 0 ? [] : -1 }), max(view(x)));
      await checkOp({
        name: `reductions of ${name}`,
        inputs: [input(shape, seed)],
        apply,
        seed,
        differences: !result.includes(0),
      });
    });

    test('feeds matmul on either side', async () => {
      if (result.length < 2) return;
      const [rows = 1, columns = 1] = result.slice(-2);
      const left = input([5, rows], seed + 1);
      const right = input([columns, 3], seed + 2);
      const apply = (x: Tensor, a: Tensor, b: Tensor) => matmul(a, matmul(view(x), b));
      await checkOp({ name: `matmul of ${name}`, inputs: [input(shape, seed), left, right], apply, seed });
    });
  },
);

test('views of integers and bools keep their dtype', async () => {
  const integers = tensor(Int32Array.of(1, -2, 3, 4, 5, 6), { shape: [2, 3] });
  const bools = tensor([
    [true, false, true],
    [false, false, true],
  ]);
  for (const x of [integers, bools]) {
    await checkOp({
      name: 'transpose',
      inputs: [x],
      apply: (one) => slice(transpose(one), [null, null, -1]),
      dtype: x.dtype,
      shape: [3, 2],
    });
  }
});

test('the reference moves elements as row-major order says', () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  expect([...evaluate(transpose(x)).data]).toEqual([1, 4, 2, 5, 3, 6]);
  expect([...evaluate(slice(x, [null, null, -1], [2, null, -2])).data]).toEqual([6, 4, 3, 1]);
});
