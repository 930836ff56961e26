import { describe, expect, test } from 'vitest';
import {
  attacks,
  random as draws,
  fit,
  grad,
  less,
  nn,
  optim,
  robust,
  slice,
  subtract,
  type Tensor,
  tensor,
  where,
} from '../../src/index.js';
import { compSum } from '../losses/reference.js';
import { useEngine } from '../support/engine.js';
import { random } from '../support/random.js';
import { balanced, examplesOf, logitsOf, modelOf, type SmallNet, smallNet, softmaxOf } from './small.js';

useEngine();

const at = (data: ArrayLike<number>, i: number): number => data[i] ?? Number.NaN;

describe('losses of recipes, value and gradient by every weight', () => {
  const crossEntropy = (z: readonly number[], y: number) => compSum(z, y, 1).value;
  const divergence = (a: readonly number[], b: readonly number[]) => {
    const [p, q] = [softmaxOf(a), softmaxOf(b)];
    return p.reduce((sum, one, j) => sum + one * Math.log(one / at(q, j)), 0);
  };
  const shift = (z: readonly number[], w: readonly number[], y: number, epsilon: number) => {
    const d = z.map((one, j) => at(w, j) - one);
    return Math.sqrt(d.reduce((sum, one) => sum + (at(d, y) - one) ** 2, epsilon ** 2));
  };
  type Rows = (z: readonly number[], w: readonly number[], y: number) => number;
  const recipes: readonly [string, robust.Recipe, Rows][] = [
    ['standard', robust.standard, (z, _w, y) => crossEntropy(z, y)],
    ['pgdAdversarialTraining', robust.pgdAdversarialTraining, (_z, w, y) => crossEntropy(w, y)],
    ['trades', robust.trades({ beta: 3 }), (z, w, y) => crossEntropy(z, y) + 3 * divergence(z, w)],
    [
      'advCompSum',
      robust.advCompSum({ tau: 0.5, rho: 2, nu: 0.75 }),
      (z, w, y) =>
        compSum(
          z.map((one) => one / 2),
          y,
          0.5,
        ).value +
        0.75 * shift(z, w, y, 1e-6),
    ],
  ];
  test.each(recipes)('%s', async (_name, recipe, rowLoss) => {
    const net = smallNet([3, 4, 3], 5);
    const clean = examplesOf(7, 3, 3, 6);
    const moved = examplesOf(7, 3, 3, 7);
    const reference = (given: SmallNet) =>
      clean.rows.reduce((sum, row, i) => {
        const y = at(clean.labels, i);
        return sum + rowLoss(logitsOf(given, row), logitsOf(given, moved.rows[i] ?? []), y) / 7;
      }, 0);
    const model = modelOf(net);
    const at_ = (data: Float32Array) => () => model(tensor(data, { shape: [7, 3] }));
    const loss = recipe.loss({ clean: at_(clean.data), adversarial: at_(moved.data) }, tensor(clean.labels));
    const gradients = grad(loss, model.parameters());
    const wanted = reference(net);
    // Some hundred roundings of terms of order 1 on the way through both branches; the shift divides by r, above 0.3.
    const allowed = 400 * 2 ** -24;
    expect(Math.abs((await loss.item()) - wanted)).toBeLessThan(allowed * (1 + wanted));
    const names = ['w1', 'b1', 'w2', 'b2'] as const;
    for (const [k, name] of names.entries()) {
      const got = await (gradients[k] as Tensor).data();
      const h = 1e-4;
      for (let i = 0; i < got.length; i++) {
        const value = (by: number) => {
          const weights = Array.from(net[name]);
          weights[i] = at(weights, i) + by;
          // In float64: the reference reads any array.
          return reference({ ...net, [name]: weights as unknown as Float32Array });
        };
        const slope = (by: number) => (value(by) - value(-by)) / (2 * by);
        // Richardson: what is left is h^4.
        const difference = (4 * slope(h / 2) - slope(h)) / 3;
        expect(Math.abs(at(got, i) - difference), `${name}[${i}]`).toBeLessThan(
          allowed * (1 + Math.abs(difference)) + 1e-8,
        );
      }
    }
  });
});

test('what an attack of TRADES and of ADV-COMP-SUM maximises grows', async () => {
  const net = smallNet([5, 8, 3], 15);
  const { data, labels, rows } = examplesOf(33, 5, 3, 16);
  const model = modelOf(net);
  const x = tensor(data, { shape: [33, 5] });
  const clean = tensor(rows.map((row) => logitsOf(net, row)));
  for (const recipe of [robust.trades(), robust.advCompSum()]) {
    const objective = (z: Tensor, y: Tensor) => recipe.ascend(z, y, clean);
    const attack = attacks.pgd({ epsilon: 0.1, steps: 5, randomStart: recipe.start, objective });
    const total = async (inputs: Tensor) => {
      const values = await recipe.ascend(model(inputs), tensor(labels), clean).data();
      return Array.from(values).reduce((sum, one) => sum + one, 0);
    };
    const noisy = await total(attacks.noise({ epsilon: 0.1 })(model, x, labels));
    expect(await total(attack(model, x, labels)), recipe.name).toBeGreaterThan(2 * noisy);
  }
});

/**
 * Two classes told apart by one strong feature with a wide margin, which flips in 5 % of the examples, and by 30 faint
 * ones, together sure, that an attack of 0.1 turns over: accuracy asks for the faint, robustness for the strong.
 */
function faint(count: number, seed: number) {
  const draw = random(seed);
  const images = new Float32Array(count * 31);
  const labels = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const y = draw.below(2);
    labels[i] = y;
    const side = y === 1 ? 1 : -1;
    images[31 * i] = 0.5 + 0.3 * side * (draw.unit() < 0.05 ? -1 : 1);
    for (let k = 1; k < 31; k++) images[31 * i + k] = 0.5 + 0.05 * side + 0.08 * draw.normal();
  }
  return { images: { data: images, shape: [count, 31] }, labels };
}

test('adversarial training makes robust where standard training does not', async () => {
  const [training, held] = [faint(512, 1), faint(256, 2)];
  const results: Record<string, robust.RobustEvaluation> = {};
  for (const recipe of [
    robust.standard,
    robust.pgdAdversarialTraining,
    robust.trades(),
    robust.advCompSum({ nu: 0.3 }),
  ]) {
    const generator = draws.generator(7);
    const model = nn.sequential(nn.linear(31, 16, { generator }), nn.relu(), nn.linear(16, 2, { generator }));
    const optimizer = optim.adamw(model.parameters(), { learningRate: 0.01 });
    const step = robust.trainingStep({ model, optimizer, recipe, attack: { epsilon: 0.1, steps: 5, generator } });
    await fit(step, training, { epochs: 8, batchSize: 64, seed: 3 });
    step.dispose();
    const attack = attacks.pgd({ epsilon: 0.1, steps: 10, restarts: 2, generator });
    results[recipe.name] = await robust.evaluate(model, held, { attacks: { pgd: attack } });
  }
  const report = JSON.stringify(results);
  const { standard, ...trained } = results;
  expect(standard?.clean, report).toBeGreaterThan(0.9);
  expect(standard?.robust, report).toBeLessThan(0.5);
  for (const result of Object.values(trained)) expect(result.robust, report).toBeGreaterThan(0.8);
});

describe('evaluation', () => {
  const { data, rows } = examplesOf(65, 5, 3, 26);
  const net = balanced(smallNet([5, 8, 3], 25), rows);
  // The net's own answers, but for every fifth example.
  const labels = Uint32Array.from(rows, (row, i) => {
    const z = logitsOf(net, row);
    const best = z.indexOf(Math.max(...z));
    return i % 5 === 0 ? (best + 1) % 3 : best;
  });
  const dataset = { images: { data, shape: [65, 5] }, labels };

  test('rows count as robust if every attack fails on them', async () => {
    const model = modelOf(net);
    // Attacks known by what they give, 1 - x: one of the rows whose first input is below 1/2, one of the others.
    const turn = (low: boolean): attacks.Attack => {
      const call = (_model: attacks.Classifier, x: Tensor) => {
        const isLow = less(slice(x, [null, null], [0, 1]), 0.5);
        return low ? where(isLow, subtract(1, x), x) : where(isLow, x, subtract(1, x));
      };
      return Object.assign(call, { ...attacks.noise({ epsilon: 1 }), description: 'turn' }) as attacks.Attack;
    };
    const right = (row: readonly number[], i: number) => {
      const z = logitsOf(net, row);
      return z.indexOf(Math.max(...z)) === labels[i];
    };
    const stands = (low: boolean) =>
      rows.map((row, i) => {
        const moves = (row[0] ?? 0) < 0.5 === low;
        return (
          right(row, i) &&
          (!moves ||
            right(
              row.map((one) => 1 - one),
              i,
            ))
        );
      });
    const count = (flags: readonly boolean[]) => flags.filter((one) => one).length / 65;
    const [a, b] = [stands(true), stands(false)];
    const both = a.map((one, i) => one && b[i] === true);
    const still = await robust.evaluate(model, dataset, { attacks: { a: turn(true), b: turn(false) }, batchSize: 16 });
    expect(still.clean).toBe(52 / 65);
    expect([still.attacks.a?.accuracy, still.attacks.b?.accuracy]).toEqual([count(a), count(b)]);
    expect(still.robust).toBe(count(both));
    expect(count(both)).toBeLessThan(Math.min(count(a), count(b)));
    expect(still.examples).toBe(65);
  });

  test('the ensemble is at least as strong as each of its attacks, and inside the ball', async () => {
    const model = modelOf(net).train();
    const ensemble = robust.ensemble({ epsilon: 0.05, generator: draws.generator(1) });
    const {
      clean,
      attacks: each,
      robust: left,
      examples,
    } = await robust.evaluate(model, dataset, { attacks: ensemble });
    expect(examples).toBe(65);
    expect(clean).toBe(52 / 65);
    expect(Object.keys(each)).toEqual(['pgdCrossEntropy', 'pgdLogitMargin', 'pgdProbabilityMargin', 'randomSearch']);
    for (const { accuracy, distance } of Object.values(each)) {
      expect(left).toBeLessThanOrEqual(accuracy);
      expect(accuracy).toBeLessThan(clean);
      expect(distance).toBeLessThanOrEqual(0.05 + 2 ** -23);
    }
    expect(model.training).toBe(true);
  });
});
