import { expect, test } from 'vitest';
import { grad, vjp } from '../../src/autograd/grad.js';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { relu } from '../../src/ops/activation.js';
import { abs, ceil, clamp, floor, maximum, minimum, multiply, pow, round, sign } from '../../src/ops/arithmetic.js';
import { greater } from '../../src/ops/comparison.js';
import { log, sqrt } from '../../src/ops/exponential.js';
import { where } from '../../src/ops/logical.js';
import { max, min, sum } from '../../src/ops/reduce.js';
import { readAll } from '../support/checkOp.js';
import { useEngine } from '../support/engine.js';

useEngine();

async function slopes(apply: (x: Tensor) => Tensor, x: readonly number[]): Promise<number[]> {
  const input = tensor(x);
  const [gradient] = grad(sum(apply(input)), [input]) as [Tensor];
  return [...(await gradient.data())];
}

// Each row is what the op's docstring states of its kink.
test.each<[string, (x: Tensor) => Tensor, number[], number[]]>([
  ['relu: 0 at 0', relu, [-1, 0, -0, 1], [0, 0, 0, 1]],
  ['abs: 0 at 0', abs, [-2, 0, 2], [-1, 0, 1]],
  ['sign: 0 everywhere', sign, [-2, 0, 2], [0, 0, 0]],
  ['floor: 0 everywhere', floor, [-1.5, 0, 2], [0, 0, 0]],
  ['ceil: 0 everywhere', ceil, [-1.5, 0, 2], [0, 0, 0]],
  ['round: 0 everywhere', round, [-0.5, 0.5, 2], [0, 0, 0]],
  ['clamp: 1 at both bounds', (x) => clamp(x, -1, 1), [-2, -1, 0, 1, 2], [0, 1, 1, 1, 0]],
  ['maximum(x, x): 1', (x) => maximum(x, x), [-1, 0, 3], [1, 1, 1]],
  ['minimum(x, x): 1', (x) => minimum(x, x), [-1, 0, 3], [1, 1, 1]],
  ['maximum(x, 0): half at the tie', (x) => maximum(x, 0), [-1, 0, 3], [0, 0.5, 1]],
  ['minimum(x, 0): half at the tie', (x) => minimum(x, 0), [-1, 0, 3], [1, 0.5, 0]],
  ['max: ties share equally', (x) => max(x), [1, 3, 3, 2, 3, 3], [0, 0.25, 0.25, 0, 0.25, 0.25]],
  ['min: ties share equally', (x) => min(x), [1, 3, 1, 2], [0.5, 0, 0.5, 0]],
  ['sqrt: infinite at 0', sqrt, [0, 4], [Number.POSITIVE_INFINITY, 0.25]],
  ['pow: 2x at a base of 0', (x) => pow(x, 2), [0, 3], [0, 6]],
  ['pow: x ** 0 is flat', (x) => pow(x, 0), [0, 3], [0, 0]],
  ['pow by the exponent: 0 at a base of 0', (b) => pow(tensor([0, 0]), b), [2, 3], [0, 0]],
  ['a guarded log', (x) => log(where(greater(x, 0), x, 1)), [-1, 0, 4], [0, 0, 0.25]],
])('%s', async (_name, apply, x, expected) => {
  expect(await slopes(apply, x)).toEqual(expected);
});

test('where: the side not taken gets exactly 0', async () => {
  const condition = tensor([true, false]);
  const [a, b] = [tensor([1, 2]), tensor([3, 4])];
  const parts = vjp(where(condition, a, b), [a, b], tensor([5, 7]));
  expect((await readAll(parts)).map((data) => [...data])).toEqual([
    [5, 0],
    [0, 7],
  ]);
});

test('clamp: none flows to its bounds', async () => {
  const [x, low, high] = [tensor([-3, 0, 3]), tensor([-1, -1, -1]), tensor([1, 1, 1])];
  const parts = vjp(clamp(x, low, high), [x, low, high], tensor([2, 2, 2]));
  expect((await readAll(parts)).map((data) => [...data])).toEqual([
    [0, 2, 0],
    [0, 0, 0],
    [0, 0, 0],
  ]);
});

test('max over an axis shares ties of each row alone', async () => {
  const x = tensor([
    [1, 1],
    [0, 2],
  ]);
  const [gradient] = grad(sum(multiply(max(x, { axes: 1 }), tensor([10, 100]))), [x]) as [Tensor];
  expect([...(await gradient.data())]).toEqual([5, 5, 0, 100]);
});
