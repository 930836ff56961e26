import { describe, expect, test } from 'vitest';
import { type DType, isFloat } from '../../src/graph/dtype.js';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { multiply } from '../../src/ops/arithmetic.js';
import { elementwiseNames } from '../reference/elementwise.js';
import { sizeOf } from '../reference/value.js';
import { cases, show } from '../support/cases.js';
import { checkOp } from '../support/checkOp.js';
import { useEngine } from '../support/engine.js';
import { random, seedOf } from '../support/random.js';
import { drawFor, type ElementwiseCall, elementwiseOps, isSmooth } from './elementwiseTable.js';

useEngine();

const shapes = [[], [1], [0], [3], [7, 33], [257]];
const broadcasts = [
  [[7, 33], [33]],
  [[33], [7, 33]],
  [
    [7, 1],
    [1, 33],
  ],
  [[], [3]],
  [[3], []],
  [
    [4, 1, 5],
    [3, 1],
  ],
  [[2, 0], [1]],
  [[1, 1, 3], [3]],
];

// Around 32 workgroups of a run each, where on a software adapter they begin to take several, and the most they take.
test.each([2047, 2048, 2049, 6149, 131_073])('%i elements, each once', async (size) => {
  const x = tensor(Float32Array.from({ length: size }, (_, i) => i));
  const result = await multiply(x, 2).data();
  expect(result.length).toBe(size);
  expect(result.findIndex((value, i) => value !== 2 * i)).toBe(-1);
});

test('there are ops to test, and the reference knows each', () => {
  expect(elementwiseOps.length).toBeGreaterThan(40);
  for (const { spec } of elementwiseOps) expect(elementwiseNames, spec.name).toContain(spec.name);
});

function operands(op: ElementwiseCall, dtype: DType, given: readonly (readonly number[])[], seed: number): Tensor[] {
  const draw = random(seed);
  return given.map((shape, k) => {
    const size = sizeOf(shape);
    if (isFloat(dtype)) return tensor(draw.floats(size, drawFor(op, k)), { shape, dtype });
    const numbers = Array.from({ length: size }, () =>
      dtype === 'bool' ? draw.below(2) : draw.below(3) === 0 ? draw.integer(-4, 4) : Math.floor(draw.unit() * 2 ** 32),
    );
    const data = dtype === 'i32' ? Int32Array.from(numbers, (x) => x | 0) : Uint32Array.from(numbers, (x) => x >>> 0);
    return tensor(data, { shape, dtype });
  });
}

describe.each(elementwiseOps.map((op) => ({ op, name: op.spec.name })))('$name', ({ op, name }) => {
  test.each(cases({ shape: shapes, dtype: op.spec.dtypes }))('$label', async ({ shape, dtype, label }) => {
    const seed = seedOf(`${name} ${label}`);
    const inputs = operands(op, dtype, new Array(op.arity).fill(shape), seed);
    const derivatives = op.spec.vjp === undefined ? 0 : isSmooth(op) && shape.join() === '3' ? 2 : 1;
    await checkOp({ name, inputs, apply: op, seed, derivatives, shape, dtype: op.spec.result ?? dtype });
  });

  if (op.arity === 2) {
    test.each(broadcasts.map(([a = [], b = []]) => ({ a, b, label: `${show(a)} with ${show(b)}` })))(
      'broadcasts $label',
      async ({ a, b, label }) => {
        const seed = seedOf(`${name} ${label}`);
        const [dtype = 'f32'] = op.spec.dtypes;
        const inputs = operands(op, dtype, [a, b], seed);
        await checkOp({ name, inputs, apply: op, seed, derivatives: op.spec.vjp === undefined ? 0 : 1 });
      },
    );

    test('takes numbers on either side', async () => {
      const [dtype = 'f32'] = op.spec.dtypes;
      if (dtype === 'bool') return;
      const [x] = operands(op, dtype, [[5]], seedOf(name)) as [Tensor];
      for (const apply of [(one: Tensor) => op(one, 1.5 as never), (one: Tensor) => op(1.5 as never, one)]) {
        await checkOp({
          name: `${name} with 1.5`,
          inputs: [x],
          apply,
          derivatives: op.spec.vjp === undefined ? 0 : 1,
          differences: isSmooth(op) && name !== 'pow',
        });
      }
    });
  }
});

test('an integer product wraps like 32 bits', async () => {
  const a = tensor(Int32Array.of(2 ** 31 - 1, -(2 ** 31), 123456789));
  const b = tensor(Int32Array.of(2, -1, 987654321));
  expect([...(await multiply(a, b).data())]).toEqual([-2, -(2 ** 31), Math.imul(123456789, 987654321)]);
});
