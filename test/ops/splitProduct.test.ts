import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/graph/source.js';
import { add, compile, explain, optim, Parameter, relu, type Tensor } from '../../src/index.js';
import { matmul } from '../../src/ops/matmul.js';
import { transpose } from '../../src/ops/shaping.js';
import { checkOp } from '../support/checkOp.js';
import { useEngine, useOwnEngine, useVariantsOf } from '../support/engine.js';
import { forceVariant } from '../support/forceVariant.js';
import { random } from '../support/random.js';

const INNER = 16_384;

/** Integers whose products sum exactly: one lost term shows. */
const whole = (shape: readonly number[], seed: number) =>
  tensor(
    random(seed).floats(
      shape.reduce((a, b) => a * b, 1),
      (r) => r.integer(-5, 5),
    ),
    { shape },
  );

describe('the static choice', () => {
  useEngine();

  test.each([
    [1, INNER, 1, 'in 8 parts'],
    [16, INNER, 16, 'in 8 parts'],
    // 7 * 2341 and 3 * 5501: the first of the welcome numbers that divides.
    [3, 16_387, 5, 'in 7 parts'],
    [3, 16_503, 5, 'in 3 parts'],
  ])('cuts the sums of [%i, %i] by %i columns', (rows, inner, columns, parts) => {
    expect(explain(matmul, whole([rows, inner], 1), whole([inner, columns], 2))).toContain(parts);
  });

  test.each([
    ['more results than a tile', 17, INNER, 16],
    ['a short inner', 4, 4095, 4],
    ['a prime inner', 4, 16_411, 4],
  ])('leaves whole: %s', (_, rows, inner, columns) => {
    expect(explain(matmul, whole([rows, inner], 1), whole([inner, columns], 2))).not.toContain('parts');
  });

  test.each([0, 1, 2, 3])('is right: layout %i, with an epilogue', async (layout) => {
    await checkOp({
      name: `split matmul, layout ${layout}`,
      inputs: [
        whole(layout & 1 ? [INNER, 5] : [5, INNER], 10 + layout),
        whole(layout & 2 ? [9, INNER] : [INNER, 9], 20 + layout),
        whole([9], 3),
      ],
      apply: (a, b, c) => relu(add(matmul(layout & 1 ? transpose(a) : a, layout & 2 ? transpose(b) : b), c)),
      integers: true,
      derivatives: 0,
      shape: [5, 9],
    });
  });

  test('is nearer to float64 than one chain', async () => {
    // 0.1 is not exact: a chain rounds each sum on the way up.
    const [a, b] = [tensor(new Float32Array(INNER).fill(0.1)), tensor(new Float32Array(INNER).fill(0.1))];
    const exact = INNER * Math.fround(0.1) ** 2;
    const off = Math.abs((await matmul(a, b).item()) - exact);
    let chain = 0;
    for (let i = 0; i < INNER; i++) chain = Math.fround(chain + Math.fround(0.1) ** 2);
    expect(off).toBeLessThan(Math.abs(chain - exact) / 2);
  });

  test('takes in the update of a weight', async () => {
    const weight = new Parameter(tensor(new Float32Array(4).fill(1), { shape: [2, 2] }));
    const optimizer = optim.sgd([weight], { learningRate: 0.5 });
    const [x, g] = [whole([INNER, 2], 5), whole([INNER, 2], 6)];
    const step = compile((x: Tensor, g: Tensor) => {
      optimizer.update([matmul(transpose(x), g)]);
    });
    expect(step.explain(x, g)).toMatch(/parts.*\n.*\n.*sgd/);
    step(x, g);
    const [left, right] = [await x.data(), await g.data()];
    const wanted = [0, 1, 2, 3].map((i) => {
      let sum = 0;
      for (let k = 0; k < INNER; k++) sum += (left[2 * k + (i >> 1)] ?? 0) * (right[2 * k + (i % 2)] ?? 0);
      return 1 - 0.5 * sum;
    });
    expect(Array.from(await weight.data())).toEqual(wanted);
    step.dispose();
  });
});

describe('on another kind of adapter', () => {
  const engine = useVariantsOf('gpu');

  test('parts are there for a tuner to find, and right', async () => {
    const [a, b] = [whole([70, INNER], 1), whole([INNER, 3], 2)];
    expect(explain(matmul, a, b)).not.toContain('parts');
    forceVariant(engine(), 'blocked 32x32 in 8 parts');
    await checkOp({ name: 'blocked in parts', inputs: [a, b], apply: matmul, integers: true, derivatives: 0 });
  });
});

describe('forced', () => {
  const engine = useOwnEngine();

  test.each(['packed 16x16 in 8 parts', 'quad 16x16 in 8 parts', 'quad 16x8 in 8 parts'])(
    '%s is right',
    async (variant) => {
      forceVariant(engine(), variant);
      const [a, b] = [whole([16, INNER], 1), whole([INNER, 16], 2)];
      const step = compile((x: Tensor, y: Tensor) => matmul(x, y), { name: variant });
      const found = await step(a, b).data();
      const [left, right] = [await a.data(), await b.data()];
      const wanted = Array.from({ length: 256 }, (_, i) => {
        let sum = 0;
        for (let k = 0; k < INNER; k++) sum += (left[(i >> 4) * INNER + k] ?? 0) * (right[16 * k + (i % 16)] ?? 0);
        return sum;
      });
      expect(Array.from(found)).toEqual(wanted);
      step.dispose();
    },
  );
});
