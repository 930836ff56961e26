import { describe, expect, test } from 'vitest';
import {
  add,
  compile,
  grad,
  losses,
  matmul,
  multiply,
  nn,
  optim,
  Parameter,
  random,
  reshape,
  square,
  sum,
  type Tensor,
  tensor,
  transpose,
} from '../../src/index.js';
import { useEngineAndUnfused } from '../support/engine.js';
import { random as draws } from '../support/random.js';

const { fused, unfused } = useEngineAndUnfused();

const read = async (x: Tensor) => Array.from(await x.data());
const matrix = (rows: number, columns: number, seed: number) => ({
  data: draws(seed).floats(rows * columns, (r) => r.normal()),
  shape: [rows, columns],
});

/** What some steps leave behind, on an engine that takes updates into kernels and on one that does not. */
async function both(run: () => Promise<unknown>): Promise<[unknown, unknown]> {
  const one = await run();
  unfused().use();
  const other = await run();
  fused().use();
  return [one, other];
}

describe.each<[string, (p: readonly Parameter[]) => optim.Optimizer]>([
  ['sgd', (p) => optim.sgd(p, { learningRate: 0.1 })],
  [
    'sgd with momentum',
    (p) => optim.sgd(p, { learningRate: (step) => 0.1 / (1 + step), momentum: 0.9, nesterov: true }),
  ],
  ['adamw', (p) => optim.adamw(p, { learningRate: 0.01 })],
  [
    'adam in two groups',
    (p) =>
      optim.adam(
        [{ parameters: p.slice(0, 1) }, { parameters: p.slice(1), settings: { learningRate: 0.02, weightDecay: 0.1 } }],
        { learningRate: 0.01 },
      ),
  ],
])('%s', (_, make) => {
  test.each([
    [1, 1, 1],
    [3, 7, 2],
    [33, 17, 10],
    [65, 40, 33],
  ])(
    'gives the weights that an update of its own gives: batch %i, %i inputs, %i classes',
    async (batch, inputs, classes) => {
      let text = '';
      const run = async () => {
        random.seed(3);
        const model = nn.sequential(nn.linear(inputs, 19), nn.relu(), nn.linear(19, classes));
        const optimizer = make(model.parameters());
        const step = compile((x: Tensor, y: Tensor) => {
          const loss = losses.crossEntropy(model(x), y);
          optimizer.update(grad(loss, optimizer.parameters as Parameter[]));
          return loss;
        });
        const y = Int32Array.from({ length: batch }, (_unused, i) => i % classes);
        text ||= step.explain(matrix(batch, inputs, 1), y);
        const seen = [];
        for (let i = 0; i < 4; i++) seen.push(await step(matrix(batch, inputs, i), y).item());
        for (const parameter of model.parameters()) seen.push(await read(parameter));
        return seen;
      };
      const [one, other] = (await both(run)) as [unknown[], unknown[]];
      expect(text).toMatch(/matmul\+sum\+(sgd|adamw?)/);
      expect(text).not.toContain('optimizer');
      expect(one.length).toBe(other.length);
      // A bias's gradient is summed in another order beside the product; Adam's first steps are signs of it.
      one.flat().forEach((value, i) => {
        expect(Math.abs((value as number) - (other.flat()[i] as number))).toBeLessThan(2e-5);
      });
    },
  );
});

test('without a bias it is the same bits', async () => {
  const run = async () => {
    const w = new Parameter(matrix(17, 9, 5));
    const optimizer = optim.sgd([w], { learningRate: 0.1, momentum: 0.9 });
    const step = compile((x: Tensor) => optimizer.update(grad(sum(square(matmul(x, w))), [w])));
    for (let i = 0; i < 5; i++) step(matrix(33, 17, i));
    return read(w);
  };
  const [one, other] = await both(run);
  expect(one).toEqual(other);
});

describe('where it cannot be, an update of its own follows', () => {
  const start = [
    [1, 2],
    [3, -1],
  ];
  const x = tensor([
    [0.5, 1],
    [2, -1],
  ]);
  const plain = (w: number[][]) => w.flat();
  /** The step's plan, and the weights after it, for a loss of the weights. */
  const trained = async (body: (w: Parameter, optimizer: optim.Optimizer) => unknown) => {
    const w = new Parameter(tensor(start));
    const optimizer = optim.sgd([w], { learningRate: 0.5 });
    const step = compile(() => body(w, optimizer));
    const text = step.explain();
    const result = step();
    return { text, result, weights: await read(w) };
  };
  // d sum(x w) / dw[k, j] is the sum of column k of x.
  const columnSums = [2.5, 2.5, 0, 0];
  const moved = plain(start).map((value, i) => value - 0.5 * (columnSums[i] ?? 0));

  test('where the kernel reads the weight: weight decay in the loss', async () => {
    const { text, weights } = await trained((w, optimizer) =>
      optimizer.update(grad(add(sum(matmul(x, w)), sum(square(w))), [w])),
    );
    expect(text).toContain('not fused: sgd: the kernel reads what the update changes');
    expect(weights).toEqual(plain(start).map((value, i) => value - 0.5 * ((columnSums[i] ?? 0) + 2 * value)));
  });

  test('where the gradient is a result too', async () => {
    const { weights, result } = await trained((w, optimizer) => {
      const gradients = grad(sum(matmul(x, w)), [w]);
      optimizer.update(gradients);
      return gradients[0];
    });
    expect(await read(result as Tensor)).toEqual(columnSums);
    expect(weights).toEqual(moved);
  });

  test('where the old weight is read once the gradient is there', async () => {
    const { text, weights, result } = await trained((w, optimizer) => {
      const y = matmul(x, w);
      const [gradient] = grad(sum(y), [w]) as [Tensor];
      optimizer.update([gradient]);
      return multiply(w, sum(gradient));
    });
    expect(text).toContain('not fused: sgd: something else reads the gradient');
    expect(await read(result as Tensor)).toEqual(plain(start).map((value) => value * 5));
    expect(weights).toEqual(moved);
  });

  test('where one kernel makes both gradients, and one weight is read after the other was made', async () => {
    const a = new Parameter(tensor(start));
    const b = new Parameter(tensor(start));
    const optimizer = optim.sgd([a, b], { learningRate: 0.5 });
    // The gradient of a is b's value times 2, that of b is a's times 2: each must be the old one.
    const step = compile(() => optimizer.update(grad(sum(multiply(multiply(a, b), 2)), [a, b])));
    step();
    expect(await read(a)).toEqual([0, 0, 0, 0]);
    expect(await read(b)).toEqual([0, 0, 0, 0]);
  });
});

describe('what a hostile reader found', () => {
  test('a bias beside a weight of no rows', async () => {
    const run = async () => {
      const w = new Parameter({ data: new Float32Array(0), shape: [0, 3] });
      const b = new Parameter([1, 2, 3]);
      const optimizer = optim.sgd([w, b], { learningRate: 0.1 });
      const step = compile((x: Tensor) => optimizer.update(grad(sum(square(add(matmul(x, w), b))), [w, b])));
      step({ data: new Float32Array(0), shape: [4, 0] });
      return read(b);
    };
    const [one, other] = await both(run);
    expect(one).toEqual(other);
    [0.2, 0.4, 0.6].forEach((wanted, i) => {
      expect((one as number[])[i]).toBeCloseTo(wanted, 6);
    });
  });

  test('a frozen parameter of the same optimizer, read by the kernel that makes the gradient', async () => {
    const run = async () => {
      const [w, f] = [new Parameter(matrix(4, 4, 1)), new Parameter(matrix(4, 4, 2))];
      f.trainable = false;
      const optimizer = optim.sgd([w, f], { learningRate: 0.1 });
      const step = compile((x: Tensor) => optimizer.update(grad(sum(matmul(x, multiply(w, f))), [w, f])));
      step(matrix(3, 4, 3));
      step(matrix(3, 4, 4));
      return [await read(w), await read(f)];
    };
    const [one, other] = await both(run);
    expect(one).toEqual(other);
  });

  test.each([true, false])('a gradient that is assigned beside its update (before it: %s)', async (before) => {
    const run = async () => {
      const w = new Parameter(matrix(4, 4, 1));
      const kept = new Parameter(new Float32Array(16), { name: 'kept' });
      const optimizer = optim.sgd([w], { learningRate: 0.1 });
      const step = compile((x: Tensor) => {
        const [gradient] = grad(sum(square(matmul(x, w))), [w]) as [Tensor];
        const flat = reshape(gradient, [16]);
        if (before) kept.assign(flat);
        optimizer.update([gradient]);
        if (!before) kept.assign(flat);
      });
      step(matrix(3, 4, 3));
      return [await read(w), await read(kept)];
    };
    const [one, other] = await both(run);
    expect(one).toEqual(other);
  });

  test('a schedule is asked anew after the count went back', async () => {
    const w = new Parameter([1]);
    let rate = 0.5;
    const optimizer = optim.sgd([w], { learningRate: () => rate });
    optimizer.update([tensor([1])]);
    optimizer.dispose();
    rate = 1;
    optimizer.update([tensor([1])]);
    expect(await read(w)).toEqual([-0.5]);
  });

  test.each([
    ['sgd', (p: Parameter) => optim.sgd([p], { learningRate: 0.1 })],
    ['adam', (p: Parameter) => optim.adam([p], { learningRate: 0.1 })],
    ['sgd with a decay beyond integers', (p: Parameter) => optim.sgd([p], { learningRate: 1e-20, weightDecay: 1e20 })],
    ['sgd with a decay beyond f32', (p: Parameter) => optim.sgd([p], { learningRate: 0, weightDecay: 1e39 })],
  ] as const)('an infinite weight, and numbers at the end of the range: %s', async (_, make) => {
    const run = async () => {
      const w = new Parameter(
        tensor([
          [Number.POSITIVE_INFINITY, 1],
          [2, 3],
        ]),
      );
      const optimizer = make(w);
      const step = compile((x: Tensor) => optimizer.update(grad(sum(matmul(x, w)), [w])));
      step(matrix(3, 2, 5));
      return read(w);
    };
    const [one, other] = await both(run);
    expect(one).toEqual(other);
  });
});

test('whoever else reads the weight in the step reads the old one', async () => {
  const w = new Parameter(
    tensor([
      [1, 2],
      [3, -1],
    ]),
  );
  const average = new Parameter(
    tensor([
      [0, 0],
      [0, 0],
    ]),
  );
  const optimizer = optim.sgd([w], { learningRate: 0.5 });
  const x = tensor([
    [0.5, 1],
    [2, -1],
  ]);
  const step = compile(() => {
    const loss = sum(matmul(x, w));
    optimizer.update(grad(loss, [w]));
    average.assign(add(multiply(average, 0.5), multiply(w, 0.5)));
    return { loss, twice: multiply(w, 2), turned: matmul(transpose(w), x) };
  });
  expect(step.explain()).toContain('matmul+sgd');
  const { loss, twice, turned } = step();
  expect(await loss.item()).toBe(7.5);
  expect(await read(twice)).toEqual([2, 4, 6, -2]);
  expect(await read(turned)).toEqual([6.5, -2, -1, 3]);
  expect(await read(average)).toEqual([0.5, 1, 1.5, -0.5]);
  expect(await read(w)).toEqual([-0.25, 0.75, 3, -1]);
});

test('tied, frozen and two optimizers', async () => {
  const run = async () => {
    const [a, b, c] = [1, 2, 3].map((seed) => new Parameter(matrix(4, 4, seed))) as [Parameter, Parameter, Parameter];
    const first = optim.adam([a, b], { learningRate: 0.1 });
    const second = optim.sgd([c], { learningRate: 0.1 });
    const step = compile((x: Tensor) => {
      const loss = sum(square(matmul(matmul(matmul(x, a), a), add(b, c))));
      const [da, db, dc] = grad(loss, [a, b, c]) as [Tensor, Tensor, Tensor];
      first.update([da, db]);
      second.update([dc]);
    });
    step(matrix(5, 4, 9));
    b.trainable = false;
    step(matrix(5, 4, 10));
    b.trainable = true;
    step(matrix(5, 4, 11));
    return [await read(a), await read(b), await read(c)];
  };
  const [one, other] = await both(run);
  expect(one).toEqual(other);
});
