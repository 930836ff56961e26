import { describe, expect, test } from 'vitest';
import { customGradient, stopGradient } from '../../src/autograd/customGradient.js';
import { grad, hvp, valueAndGrad, vjp } from '../../src/autograd/grad.js';
import { Parameter } from '../../src/graph/parameter.js';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { relu } from '../../src/ops/activation.js';
import { add, divide, multiply, pow, round, square, subtract } from '../../src/ops/arithmetic.js';
import { toF32, toI32 } from '../../src/ops/casts.js';
import { exp, log } from '../../src/ops/exponential.js';
import { matmul } from '../../src/ops/matmul.js';
import { mean, sum } from '../../src/ops/reduce.js';
import { logSoftmax } from '../../src/ops/softmax.js';
import { tanh } from '../../src/ops/trigonometric.js';
import * as optim from '../../src/optim/index.js';
import { directionalDerivative } from '../reference/differences.js';
import { evaluate } from '../reference/evaluate.js';
import { sizeOf } from '../reference/value.js';
import { checkOp, readAll } from '../support/checkOp.js';
import { expectClose } from '../support/compare.js';
import { useEngine } from '../support/engine.js';
import { random } from '../support/random.js';

useEngine();

function normal(shape: readonly number[], seed: number): Tensor {
  const size = sizeOf(shape);
  return tensor(
    random(seed).floats(size, (r) => r.normal()),
    { shape },
  );
}

const lists = async (tensors: readonly Tensor[]) => (await readAll(tensors)).map((data) => [...data]);

describe('grad', () => {
  test('gives gradients in the structure it was given', async () => {
    const [a, b, c] = [tensor(2), tensor(3), tensor(5)];
    const loss = multiply(multiply(a, b), square(c));
    const gradients = grad(loss, { weights: [a, b], rest: { c } });
    expect(await lists([...gradients.weights, gradients.rest.c])).toEqual([[75], [50], [60]]);
  });

  test('of a parameter, of an input, of an intermediate value', async () => {
    const w = new Parameter([
      [1, 2],
      [3, 4],
    ]);
    const x = tensor([[1, 1]]);
    const hidden = matmul(x, w);
    const loss = sum(square(hidden));
    const [byW, byX, byHidden] = grad(loss, [w, x, hidden]);
    expect(await lists([byW as Tensor, byX as Tensor, byHidden as Tensor])).toEqual([
      [8, 12, 8, 12],
      [32, 72],
      [8, 12],
    ]);
  });

  test('of a root by itself is one', async () => {
    const x = tensor(3);
    expect(await lists(grad(x, [x]))).toEqual([[1]]);
  });

  test('of one element with axes, in the root’s own shape', async () => {
    const x = tensor([[2]]);
    const [gradient] = grad(square(x), [x]) as [Tensor];
    expect(gradient.shape).toEqual([1, 1]);
    expect([...(await gradient.data())]).toEqual([4]);
  });

  test('adds up over every use', async () => {
    const x = tensor([1, 2]);
    const [gradient] = grad(sum(add(multiply(x, x), add(x, x))), [x]) as [Tensor];
    expect([...(await gradient.data())]).toEqual([4, 6]);
  });

  test('of what the root does not depend on is zeros of its shape', async () => {
    const [x, other] = [tensor(1), normal([2, 3], 1)];
    const [, zeros] = grad(square(x), [x, other]) as [Tensor, Tensor];
    expect(zeros.shape).toEqual([2, 3]);
    expect([...(await zeros.data())]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('does not flow through integers, nor through stopGradient', async () => {
    const x = tensor([1.5, 2.5]);
    const loss = sum(multiply(x, add(toF32(toI32(stopGradient(x))), stopGradient(x))));
    const [gradient] = grad(loss, [x]) as [Tensor];
    expect([...(await gradient.data())]).toEqual([2.5, 4.5]);
  });

  test('walks a chain of 3,000 ops without overflowing the stack', async () => {
    const x = tensor([1, 2]);
    let y: Tensor = x;
    for (let i = 0; i < 3000; i++) y = multiply(y, 1.0001);
    const [gradient] = grad(sum(y), [x]) as [Tensor];
    const [slope] = await gradient.data();
    // 3,000 products, each rounded once.
    expect(Math.abs((slope ?? 0) / Math.fround(1.0001) ** 3000 - 1)).toBeLessThan(3000 * 2 ** -23);
  });

  test('by the third derivative', async () => {
    const x = tensor(0.7);
    let derivative: Tensor = tanh(x);
    for (let order = 0; order < 3; order++) [derivative] = grad(derivative, [x]) as [Tensor];
    expectClose(await derivative.data(), evaluate(derivative), { what: 'value', label: 'tanh’’’(0.7)' });
    const t = Math.tanh(Math.fround(0.7));
    // 8 operations with constants of order 1, in float64: the rule is exact but for f32 constants.
    expect(evaluate(derivative).data[0]).toBeCloseTo((1 - t * t) * (6 * t * t - 2), 5);
  });
});

describe('a small network', () => {
  const sizes = [5, 8, 3];
  const weights = sizes.slice(1).map((size, i) => new Parameter(normal([sizes[i] ?? 1, size], 20 + i)));
  const loss = () => {
    let x = normal([7, 5], 30);
    weights.forEach((w, i) => {
      x = matmul(x, w);
      if (i === 0) x = tanh(x);
    });
    return mean(square(logSoftmax(x)));
  };

  test('has the gradient and the Hessian-vector product that differences give', async () => {
    const root = loss();
    const gradients = grad(root, weights);
    const vectors = weights.map((w, i) => normal(w.shape, 40 + i));
    const products = hvp(root, weights, vectors);
    const references = evaluate([...gradients, ...products]);
    // Differences of the reference in float64, before the weights move to the GPU.
    weights.forEach((w, i) => {
      const direction = evaluate(vectors[i] as Tensor).data;
      const numeric = directionalDerivative([root], [[1]], w, direction, new Map());
      const exact = references[i]?.data.reduce((total, value, k) => total + value * (direction[k] ?? 0), 0) ?? 0;
      // Differences are good to 1e-9, the rules' f32 constants to 1e-7 each: 1e-6 of a gradient of order 1.
      expect(Math.abs(numeric - exact)).toBeLessThan(1e-6 * (1 + Math.abs(exact)));
    });
    // v^T H v: the derivative of grad . v along all vectors at once, weight by weight.
    const along = vectors.map((vector) => evaluate(vector).data);
    let numeric = 0;
    weights.forEach((w, i) => {
      numeric += directionalDerivative(gradients, along, w, along[i] as Float64Array, new Map());
    });
    const exact = weights.reduce(
      (total, _, i) =>
        total + (references[2 + i]?.data.reduce((s, value, k) => s + value * (along[i]?.[k] ?? 0), 0) ?? 0),
      0,
    );
    expect(Math.abs(numeric - exact)).toBeLessThan(1e-5 * (1 + Math.abs(exact)));
    const got = await readAll([...gradients, ...products]);
    got.forEach((data, i) => {
      expectClose(data, references[i] as (typeof references)[number], {
        what: i < 2 ? `gradient ${i}` : `product ${i - 2}`,
        label: 'network',
      });
    });
  });
});

test('valueAndGrad gives both, by its arguments or by parameters', async () => {
  const [value, gradients] = valueAndGrad((x: Tensor, y: Tensor) => multiply(x, square(y)))(tensor(2), tensor(3));
  expect(await lists([value, ...gradients])).toEqual([[18], [9], [12]]);
  const w = new Parameter([4]);
  const [loss, [slope]] = valueAndGrad((x: Tensor) => sum(multiply(x, square(w))), [w])(tensor([3]));
  expect(await lists([loss, slope as Tensor])).toEqual([[48], [24]]);
});

describe('vjp', () => {
  test('of several outputs adds their parts', async () => {
    const x = tensor([1, 2]);
    const [part] = vjp([square(x), multiply(x, 3)], [x], [tensor([1, 10]), tensor([100, 1000])]) as [Tensor];
    expect([...(await part.data())]).toEqual([302, 3040]);
  });

  test('of an output that is an input is its cotangent', async () => {
    const x = tensor([1, 2]);
    const [part] = vjp(x, [x], tensor([5, 6])) as [Tensor];
    expect([...(await part.data())]).toEqual([5, 6]);
  });
});

describe('hvp', () => {
  test('of x^T A x is (A + A^T) v', async () => {
    const a = tensor([
      [1, 2],
      [3, 4],
    ]);
    const x = tensor([[1], [1]]);
    const [product] = hvp(sum(multiply(x, matmul(a, x))), [x], [tensor([[10], [1]])]) as [Tensor];
    expect([...(await product.data())]).toEqual([25, 58]);
  });

  test('of x^n at 0 is 2 v for n = 2, and 0 for 0, 1 and 3', async () => {
    const x = tensor([0, 0, 0, 0]);
    const n = tensor([0, 1, 2, 3]);
    const [product] = hvp(sum(pow(x, n)), [x], [tensor([1, 1, 1, 1])]) as [Tensor];
    expect([...(await product.data())]).toEqual([0, 0, 2, 0]);
  });

  test('of a^b by a and b is a^(b-1) (1 + b log a), at b = 0 too', async () => {
    const a = tensor([2, 2, 0.5]);
    const b = tensor([0, 3, -1]);
    const mixed = await grad(sum(grad(sum(pow(a, b)), a)), b).data();
    [0.5, 4 * (1 + 3 * Math.log(2)), 4 * (1 - Math.log(0.5))].forEach((wanted, i) => {
      expect(mixed[i]).toBeCloseTo(wanted, 4);
    });
  });

  test('of a linear function is zero', async () => {
    const x = tensor([1, 2]);
    const [product] = hvp(sum(multiply(x, 3)), [x], [tensor([1, 1])]) as [Tensor];
    expect([...(await product.data())]).toEqual([0, 0]);
  });
});

describe('customGradient', () => {
  const through = customGradient({ forward: (x) => round(x as Tensor), backward: ({ cotangent }) => [cotangent] });

  test('straight through: rounds forwards, passes the cotangent back', async () => {
    const x = tensor([0.4, 1.6]);
    const y = through(x);
    const [gradient] = grad(sum(multiply(y, tensor([10, 100]))), [x]) as [Tensor];
    expect(await lists([y, gradient])).toEqual([
      [0, 2],
      [10, 100],
    ]);
  });

  test('is differentiated again through its own backward', async () => {
    const cube = customGradient({
      forward: (x) => multiply(x as Tensor, square(x as Tensor)),
      backward: ({ cotangent, inputs: [x] }) => [multiply(cotangent, multiply(3, square(x as Tensor)))],
    });
    const x = tensor([1, 2, -1.5]);
    const apply = (one: Tensor) => add(cube(one), square(one));
    await checkOp({ name: 'cube', inputs: [x], apply, derivatives: 2 });
  });

  test('of two inputs, one of them cut off', async () => {
    const product = customGradient({
      forward: (a, b) => multiply(a as Tensor, b as Tensor),
      backward: ({ cotangent, inputs: [, b], output }) => [
        add(multiply(cotangent, b as Tensor), multiply(0, output)),
        undefined,
      ],
    });
    const [a, b] = [tensor([2]), tensor([5])];
    expect(await lists(grad(sum(product(a, b)), [a, b]))).toEqual([[5], [0]]);
  });

  test('a gradient penalty: a loss of a gradient trains', async () => {
    const w = new Parameter([[0.5, -1, 2]]);
    const x = tensor([
      [1, 2, 3],
      [-1, 0.5, 0.2],
    ]);
    const score = sum(
      relu(
        matmul(
          x,
          tensor([
            [1, -1],
            [0.5, 2],
            [1, 1],
          ]),
        ),
      ),
    );
    const energy = sum(tanh(multiply(x, w)));
    const [byX] = grad(add(energy, score), [x]) as [Tensor];
    const penalty = sum(square(byX));
    const [byW] = grad(penalty, [w]) as [Tensor];
    const reference = evaluate(byW);
    const numeric = directionalDerivative([penalty], [[1]], w, [1, 1, 1], new Map());
    expect(Math.abs(numeric - reference.data.reduce((total, value) => total + value, 0))).toBeLessThan(
      1e-5 * (1 + Math.abs(numeric)),
    );
    expectClose(await byW.data(), reference, { what: 'gradient', label: 'penalty' });
  });
});

test('log(sum(exp)) written out has softmax as its gradient', async () => {
  const x = normal([9], 3);
  const apply = (one: Tensor) => log(divide(sum(exp(subtract(one, 1))), 2));
  await checkOp({ name: 'log sum exp', inputs: [x], apply, derivatives: 2 });
});

// An update outside a step computes the loss beside the gradients, so that it can be read afterwards; only that.
describe('a gradient given to an optimizer does not need its loss', () => {
  const apply = async (gradient: Tensor) => {
    const other = new Parameter([10, 10]);
    optim.sgd([other], { learningRate: 1 }).update([gradient]);
    return lists([other]);
  };

  test('when it is a tensor of the user, which other losses were made of', async () => {
    const w = new Parameter([1, 2]);
    const c = relu(tensor([3, 4]));
    grad(sum(multiply(w, c)), [w]);
    w.assign([0, 0]);
    expect(await apply(c)).toEqual([[7, 6]]);
  });

  test('when it was read before the parameter moved on', async () => {
    const w = new Parameter([1, 2]);
    const [gradient] = grad(sum(square(w)), [w]) as [Tensor];
    expect(await lists([gradient])).toEqual([[2, 4]]);
    w.assign([0, 0]);
    expect(await apply(gradient)).toEqual([[8, 6]]);
  });

  test('when it depends on nothing that moved on', async () => {
    const w = new Parameter([1, 2]);
    const [gradient] = grad(sum(multiply(multiply(w, tensor([3, 4])), 2)), [w]) as [Tensor];
    w.assign([0, 0]);
    expect(await apply(gradient)).toEqual([[4, 2]]);
  });

  test('but the loss can be read after the update', async () => {
    const w = new Parameter([1, 2]);
    const loss = sum(square(w));
    optim.sgd([w], { learningRate: 0.5 }).update(grad(loss, [w]));
    expect(await lists([w, loss])).toEqual([[0, 0], [5]]);
  });
});
