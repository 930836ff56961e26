import { describe, expect, test } from 'vitest';
import { grad, hvp } from '../../src/autograd/grad.js';
import { compile, explain } from '../../src/graph/compile.js';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { relu } from '../../src/ops/activation.js';
import { add, multiply, square, subtract } from '../../src/ops/arithmetic.js';
import { ones } from '../../src/ops/create.js';
import { cumulativeSum } from '../../src/ops/cumulative.js';
import { exp } from '../../src/ops/exponential.js';
import { matmul } from '../../src/ops/matmul.js';
import { sum } from '../../src/ops/reduce.js';
import { softmax } from '../../src/ops/softmax.js';
import { evaluate } from '../reference/evaluate.js';
import { readAll } from '../support/checkOp.js';
import { expectClose } from '../support/compare.js';
import { useEngineAndUnfused } from '../support/engine.js';
import { randomGraph } from './randomGraph.js';

const { fused, unfused } = useEngineAndUnfused();

const seeds = Array.from({ length: 36 }, (_, i) => 1 + i);

test.each(seeds)('fused, unfused and compiled agree with the reference, seed %i', async (seed) => {
  const graph = () => {
    const { leaves, outputs, loss } = randomGraph(seed);
    return { leaves, results: [...outputs, loss, ...grad(loss, leaves)] };
  };
  // Each engine gets a graph of its own: leaves live on one device.
  const one = graph();
  const eager = await readAll(one.results);
  const again = await readAll(graph().results);
  const step = compile(() => graph().results);
  const compiled = step();
  const held = await Promise.all(compiled.map((result) => result.data()));
  step.dispose();
  unfused().use();
  const other = await readAll(graph().results);
  fused().use();
  const references = evaluate(one.results);
  references.forEach((reference, i) => {
    const label = `graph of seed ${seed}`;
    // Ties within a bound leave a branch open; gradients of relu, maximum and max may hold some.
    for (const [what, data] of Object.entries({ fused: eager[i], unfused: other[i], compiled: held[i] })) {
      expectClose(data as Float32Array, reference, { what: `${what} result ${i}`, label, undecided: 0.5 });
    }
    expect(again[i], `${label}: result ${i} has other bits the second time`).toEqual(eager[i]);
  });
});

// Seed 264 once made a cycle of dispatches.
test.each([...seeds, 264])('Hessian-vector products agree with the reference, seed %i', async (seed) => {
  const { leaves, outputs, loss } = randomGraph(1000 + seed, 5);
  const vectors = leaves.map((leaf) => ones(leaf.shape));
  const results = [...outputs, ...grad(loss, leaves), ...hvp(loss, leaves, vectors)];
  const step = compile(() => results);
  const compiled = await Promise.all(step().map((result) => result.data()));
  step.dispose();
  evaluate(results).forEach((reference, i) => {
    expectClose(compiled[i] as Float32Array, reference, {
      what: `result ${i}`,
      label: `graph of seed ${1000 + seed}`,
      undecided: 0.5,
    });
  });
});

test('groups whose values lie among those of others make no cycle', async () => {
  const x = tensor([
    [0.5, -1, 0.3],
    [1.2, 0.1, -0.4],
    [-0.2, 0.7, 0.9],
  ]);
  const c = cumulativeSum(x, 1);
  const loss = sum(add(matmul(softmax(c), c), multiply(c, x)));
  const product = () => hvp(loss, x, ones([3, 3]));
  const compiled = await compile(product)().data();
  expectClose(compiled as Float32Array, evaluate(product()), { what: 'product', label: 'cumulative softmax' });
});

describe('what becomes one dispatch', () => {
  /** The lines of explain that stand for dispatches. */
  const dispatches = (body: (...inputs: Tensor[]) => unknown, ...inputs: unknown[]) =>
    explain(body as never, ...inputs)
      .split('\n')
      .filter((line) => /^ *\d+ {2}/.test(line));

  const matrix = { data: new Float32Array(12), shape: [3, 4] };

  test('a chain', () => {
    expect(dispatches((x) => relu(add(multiply(x as Tensor, 2), 1)), matrix)).toHaveLength(1);
  });

  test('a chain in front of a reduction', () => {
    expect(dispatches((x) => sum(square(exp(x as Tensor))), matrix)).toHaveLength(1);
  });

  test('a product with bias and activation', () => {
    const body = (x: Tensor, w: Tensor, b: Tensor) => relu(add(matmul(x, w), b));
    const w = { data: new Float32Array(8), shape: [4, 2] };
    expect(dispatches(body as never, matrix, w, new Float32Array(2))).toHaveLength(1);
  });

  test('two results of one chain', () => {
    expect(
      dispatches((x) => {
        const y = exp(x as Tensor);
        return [y, add(y, 1)];
      }, matrix),
    ).toHaveLength(1);
  });

  test('not when fusion is off', () => {
    unfused().use();
    const lines = dispatches((x) => relu(add(multiply(x as Tensor, 2), 1)), matrix);
    fused().use();
    expect(lines).toHaveLength(3);
  });
});

test('more than 8 buffers in one chain split into dispatches that fit', async () => {
  const inputs = Array.from({ length: 21 }, (_, i) => tensor([i + 1, 2 * i, -i]));
  const total = inputs.reduce((a, b) => add(a, b));
  expect([...(await total.data())]).toEqual([231, 420, -210]);
  const wide = inputs.slice(0, 12).map((x) => subtract(x, 1));
  const mixed = wide.reduce((a, b) => multiply(add(a, b), 0.5));
  expectClose(await mixed.data(), evaluate(mixed), { what: 'value', label: '12 buffers' });
});

test('a product of a matrix with itself binds it twice, and still fits', async () => {
  const x = tensor([
    [1, 2],
    [3, -4],
  ]);
  const product = matmul(x, x);
  // Seven results of one epilogue: with the operand's two bindings they would need nine.
  const results = Array.from({ length: 7 }, (_, i) => multiply(product, i + 1));
  (await readAll([product, ...results])).forEach((data, i) => {
    expect([...data]).toEqual([7, -6, -9, 22].map((value) => value * Math.max(1, i)));
  });
});

test('one chain with many results writes them all', async () => {
  const x = tensor([1, 2, 3]);
  const results = Array.from({ length: 12 }, (_, i) => multiply(x, i));
  const got = await readAll(results);
  got.forEach((data, i) => {
    expect([...data]).toEqual([i, 2 * i, 3 * i]);
  });
});
