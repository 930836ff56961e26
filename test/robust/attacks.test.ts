import { describe, expect, test } from 'vitest';
import {
  attacks,
  compile,
  random as draws,
  flatten,
  losses,
  matmul,
  multiply,
  nn,
  repeat,
  sum,
  type Tensor,
  tensor,
} from '../../src/index.js';
import { cases } from '../support/cases.js';
import { useEngine } from '../support/engine.js';
import { random } from '../support/random.js';
import { examplesOf, inputGradient, logitsOf, modelOf, objectives, rivalOf, type SmallNet, smallNet } from './small.js';

useEngine();

type ObjectiveName = keyof typeof objectives;
type Norm = 'linf' | 'l2';

const at = (data: ArrayLike<number>, i: number): number => data[i] ?? Number.NaN;
const lengthOf = (v: readonly number[]) => Math.sqrt(v.reduce((sum, one) => sum + one * one, 0));
const distanceOf = (a: readonly number[], b: readonly number[], norm: Norm) => {
  const away = a.map((one, i) => one - at(b, i));
  return norm === 'linf' ? Math.max(...away.map(Math.abs)) : lengthOf(away);
};
const chunks = (data: ArrayLike<number>, size: number) =>
  Array.from({ length: data.length / size }, (_, i) => Array.from(data).slice(i * size, (i + 1) * size));

interface ReferenceOptions {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly stepSize: number;
  readonly objective: ObjectiveName;
  readonly shares: readonly number[];
}

/** Projected gradient ascent in float64, from the inputs; `nearest` is the smallest gradient element whose sign it took. */
function ascend(net: SmallNet, x0: readonly number[], y: number, options: ReferenceOptions) {
  const { norm, epsilon, stepSize, objective, shares } = options;
  let x = [...x0];
  let nearest = Number.POSITIVE_INFINITY;
  for (const share of shares) {
    const g = inputGradient(net, x, objectives[objective](logitsOf(net, x), y).gradient);
    nearest = Math.min(nearest, ...g.map(Math.abs));
    const size = lengthOf(g);
    const moved = x.map((one, i) => one + stepSize * share * (norm === 'linf' ? Math.sign(at(g, i)) : at(g, i) / size));
    const away = moved.map((one, i) => one - at(x0, i));
    const shrink = Math.min(1, epsilon / lengthOf(away));
    x = away.map((one, i) => {
      const inside = norm === 'linf' ? Math.min(Math.max(one, -epsilon), epsilon) : one * shrink;
      return Math.min(1, Math.max(0, at(x0, i) + inside));
    });
  }
  return { x, nearest };
}

describe('against a net in float64', () => {
  const SHARES = {
    constant: [1, 1, 1, 1, 1, 1],
    cosine: [0, 1, 2, 3, 4, 5].map((i) => (1 + Math.cos((Math.PI * i) / 6)) / 2),
    halving: [1, 1, 0.5, 0.25, 0.25, 0.125],
  };
  const table = cases({
    norm: ['linf', 'l2'],
    objective: ['crossEntropy', 'logitMargin', 'probabilityMargin'],
    schedule: ['constant', 'cosine', 'halving'],
  });
  test.each(table)('$label: a trajectory of 6 steps', async ({ norm, objective, schedule }) => {
    const sizes = [7, 12, 5] as const;
    const net = smallNet(sizes, 3);
    const { data, labels, rows } = examplesOf(33, sizes[0], sizes[2], 4);
    const shape = [33, sizes[0]];
    const epsilon = norm === 'linf' ? 0.1 : 0.25;
    const stepSize = (2.5 * epsilon) / 6;
    const attack = attacks.pgd({ epsilon, norm, objective, schedule, steps: 6, randomStart: 'none' });
    const attacked = attack(modelOf(net), { data, shape }, labels);
    const got = chunks(await attacked.data(), sizes[0]);
    let compared = 0;
    rows.forEach((row, i) => {
      const shares = SHARES[schedule];
      const { x, nearest } = ascend(net, row, at(labels, i), { norm, epsilon, stepSize, objective, shares });
      // Where a gradient's element is as near to 0 as f32 may be off (some 40 roundings of terms of order 1), its sign
      // is nobody's to say, and such rows are left out.
      if (norm === 'linf' && nearest < 40 * 2 ** -24 * 4) return;
      compared++;
      // linf: six roundings of numbers below 2. l2: the direction is off by some 40 roundings in relation to the length
      // of a gradient, here above 0.01, and moves by stepSize; curvature spreads it.
      const allowed = norm === 'linf' ? 6 * 2 ** -24 * 2 : 6 * 2 ** -24 * (2 + 40 * 4 * stepSize * 10);
      x.forEach((one, k) => {
        expect(Math.abs(one - at(got[i] ?? [], k)), `row ${i}, ${k}`).toBeLessThanOrEqual(allowed);
      });
    });
    expect(compared).toBeGreaterThan(25);
  });

  test('fgsm is one step of length epsilon', async () => {
    const net = smallNet([33, 9, 3], 8);
    const { data, labels, rows } = examplesOf(19, 33, 3, 9);
    const attacked = attacks.fgsm({ epsilon: 0.05 })(modelOf(net), { data, shape: [19, 33] }, labels);
    const got = chunks(await attacked.data(), 33);
    rows.forEach((row, i) => {
      const g = inputGradient(net, row, objectives.crossEntropy(logitsOf(net, row), at(labels, i)).gradient);
      row.forEach((one, k) => {
        if (Math.abs(at(g, k)) < 40 * 2 ** -24 * 4) return;
        const wanted = Math.min(1, Math.max(0, one + 0.05 * Math.sign(at(g, k))));
        expect(Math.abs(wanted - at(got[i] ?? [], k))).toBeLessThanOrEqual(2 * 2 ** -24);
      });
    });
  });
});

test.each(['crossEntropy', 'logitMargin'] as const)(
  'of two classes a linear classifier has a closed form: x - epsilon sign(w_y - w_j), by %s',
  async (objective) => {
    const draw = random(12);
    const w = draw.floats(17 * 2, ({ normal }) => normal());
    const { data, labels, rows } = examplesOf(9, 17, 2, 13);
    const weight = tensor(w, { shape: [17, 2] });
    const attack = attacks.pgd({ epsilon: 0.03, steps: 10, bounds: null, objective });
    const got = chunks(await attack((x) => matmul(x, weight), { data, shape: [9, 17] }, labels).data(), 17);
    rows.forEach((row, i) => {
      const y = at(labels, i);
      const margin = (x: readonly number[]) =>
        x.reduce((sum, one, k) => sum + one * (at(w, 2 * k + y) - at(w, 2 * k + 1 - y)), 0);
      const difference = row.map((_, k) => at(w, 2 * k + y) - at(w, 2 * k + 1 - y));
      const best = margin(row.map((one, k) => one - 0.03 * Math.sign(at(difference, k))));
      // Each input is rounded twice by 2^-24 at a size of at most 1.03, and weighs |w_y - w_j|.
      const allowed = 4 * 2 ** -24 * difference.reduce((sum, one) => sum + Math.abs(one), 0);
      expect(Math.abs(margin(got[i] ?? []) - best)).toBeLessThanOrEqual(allowed);
    });
  },
);

describe('the ball and the bounds', () => {
  const table = cases({
    norm: ['linf', 'l2'],
    start: ['none', 'uniform', 'normal'],
    size: [1, 3, 257],
    bounds: [[0, 1], null],
  });
  test.each(table)('$label: nothing leaves them', async ({ norm, start, size, bounds }) => {
    for (const seed of [1, 2]) {
      const net = smallNet([size, 7, 3], seed);
      const { data, labels, rows } = examplesOf(7, size, 3, seed + 10);
      // On the bounds and at them, where clipping acts.
      data[0] = 0;
      data[data.length - 1] = 1;
      const epsilon = 0.3;
      const options = {
        epsilon,
        norm,
        randomStart: start,
        steps: 3,
        stepSize: 0.7,
        bounds: bounds as [number, number] | null,
      };
      const attack = attacks.pgd({ ...options, generator: draws.generator(seed) });
      const attacked = await attack(modelOf(net), { data, shape: [7, size] }, labels).data();
      const got = chunks(attacked, size);
      const label = `seed ${seed}`;
      rows.forEach((_, i) => {
        const row = Array.from(data.subarray(i * size, (i + 1) * size));
        // An input of at most 2 is rounded by 2^-24 of it; the length of `size` of them by a few roundings more.
        const allowed = epsilon + 2 ** -23 * (2 + Math.sqrt(size));
        expect(distanceOf(got[i] ?? [], row, norm), label).toBeLessThanOrEqual(allowed);
      });
      if (bounds !== null)
        expect(
          Array.from(attacked).every((one) => one >= 0 && one <= 1),
          label,
        ).toBe(true);
      expect(attacked, label).not.toEqual(data);
    }
  });

  test('inputs outside the bounds come inside: bounds win', async () => {
    const attack = attacks.pgd({ epsilon: 0.1, steps: 2 });
    const got = await attack(modelOf(smallNet([2, 3, 2], 1)), tensor([[-3, 5]]), [0]).data();
    expect(Array.from(got)).toEqual([0, 1]);
  });

  test('also where an attack finds nothing: its objective is NaN', async () => {
    const objective = (z: Tensor) => multiply(Number.NaN, sum(z, { axes: -1 }));
    for (const options of [{ restarts: 2 }, { keep: 'best' }] as const) {
      const attack = attacks.pgd({ epsilon: 0.1, steps: 2, objective, ...options });
      expect(Array.from(await attack((x) => x, tensor([[-3, 5]]), [1]).data())).toEqual([0, 1]);
    }
  });

  test('images and other ranks: l2 is over all axes but the first', async () => {
    const draw = random(5);
    const data = draw.floats(3 * 4 * 4 * 2, ({ unit }) => unit());
    const weight = tensor(
      draw.floats(32 * 3, ({ normal }) => normal()),
      { shape: [32, 3] },
    );
    const model = (x: Tensor) => matmul(flatten(x, 1), weight);
    const attack = attacks.pgd({ epsilon: 0.5, norm: 'l2', steps: 4, bounds: null });
    const got = chunks(await attack(model, { data, shape: [3, 4, 4, 2] }, [0, 1, 2]).data(), 32);
    got.forEach((row, i) => {
      // A linear model's gradient is not 0, so the attack ends on the sphere.
      expect(Math.abs(distanceOf(row, Array.from(data.subarray(32 * i, 32 * i + 32)), 'l2') - 0.5)).toBeLessThan(1e-6);
    });
  });
});

describe('random starts', () => {
  const COUNT = 4000;
  test.each([1, 2, 5])('uniform in the l2 ball of %i axes: P(r <= t) = (t / epsilon)^d', async (size) => {
    const data = new Float32Array(COUNT * size);
    const generator = draws.generator(21);
    const attack = attacks.noise({ epsilon: 2, norm: 'l2', bounds: null, generator });
    const rows = chunks(await attack((x) => x, { data, shape: [COUNT, size] }, new Uint32Array(COUNT)).data(), size);
    const radii = rows.map(lengthOf).sort((a, b) => a - b);
    // Kolmogorov and Smirnov: a distance above 1.95 / sqrt(n) has a probability of 1e-3.
    const gap = Math.max(...radii.map((r, i) => Math.abs((r / 2) ** size - (i + 0.5) / COUNT)));
    expect(gap).toBeLessThan(1.95 / Math.sqrt(COUNT));
    expect(radii.at(-1)).toBeLessThanOrEqual(2 * (1 + 2 ** -22));
    // No preferred side: each axis' mean is 0 within five standard errors.
    for (let k = 0; k < size; k++) {
      const mean = rows.reduce((sum, row) => sum + at(row, k), 0) / COUNT;
      expect(Math.abs(mean)).toBeLessThan((5 * 2) / Math.sqrt(COUNT));
    }
  });

  test('uniform in the linf ball, and 0.001 of a normal draw', async () => {
    const data = new Float32Array(COUNT);
    const start = async (randomStart: 'uniform' | 'normal') => {
      const options = { epsilon: 0.5, stepSize: 0, steps: 1, bounds: null, randomStart, generator: draws.generator(4) };
      return attacks
        .pgd(options)((x) => x, { data, shape: [COUNT / 4, 4] }, new Uint32Array(COUNT / 4))
        .data();
    };
    const uniform = Array.from(await start('uniform')).sort((a, b) => a - b);
    const gap = Math.max(...uniform.map((one, i) => Math.abs(one + 0.5 - (i + 0.5) / COUNT)));
    expect(gap).toBeLessThan(1.95 / Math.sqrt(COUNT));
    const normal = Array.from(await start('normal'));
    const deviation = Math.sqrt(normal.reduce((sum, one) => sum + one * one, 0) / COUNT);
    // A standard deviation of n draws is off by 1 / sqrt(2 n) of itself; five of these.
    expect(Math.abs(deviation / 0.001 - 1)).toBeLessThan(5 / Math.sqrt(2 * COUNT));
  });

  test('the same seed gives the same bits, another seed others, inside compile and out', async () => {
    const model = modelOf(smallNet([7, 5, 3], 2));
    const { data, labels } = examplesOf(9, 7, 3, 6);
    const run = (seed: number) => {
      const attack = attacks.pgd({ epsilon: 0.1, restarts: 2, steps: 3, generator: draws.generator(seed) });
      return attack(model, { data, shape: [9, 7] }, labels).data();
    };
    const first = await run(5);
    expect(await run(5)).toEqual(first);
    expect(await run(6)).not.toEqual(first);
    const attack = attacks.pgd({ epsilon: 0.1, restarts: 2, steps: 3, generator: draws.generator(5) });
    const step = compile((x: Tensor, y: Tensor) => attack(model, x, y));
    expect(await step({ data, shape: [9, 7] }, labels).data()).toEqual(first);
    // The next execution draws anew.
    expect(await step({ data, shape: [9, 7] }, labels).data()).not.toEqual(first);
  });
});

test('inside a repeat inside a compiled step, and for two models at once, it is the same attack', async () => {
  const [first, second] = [modelOf(smallNet([7, 5, 3], 2)), modelOf(smallNet([7, 5, 3], 3))];
  const { data, labels } = examplesOf(9, 7, 3, 6);
  const x = tensor(data, { shape: [9, 7] });
  const attack = attacks.pgd({ epsilon: 0.1, steps: 4, schedule: 'cosine', randomStart: 'none' });
  const twice = compile((inputs: Tensor, y: Tensor) => repeat(2, (now) => attack(first, now, y), inputs));
  const once = attack(first, x, labels);
  expect(await twice(x, labels).data()).toEqual(await attack(first, once, labels).data());
  const both = compile((inputs: Tensor, y: Tensor) => [attack(first, inputs, y), attack(second, inputs, y)] as const);
  const [a, b] = both(x, labels);
  expect(await a.data()).toEqual(await once.data());
  expect(await b.data()).toEqual(await attack(second, x, labels).data());
  expect(await a.data()).not.toEqual(await b.data());
});

test.each(['linf', 'l2'] as const)('%s: images through convolution, batch norm and dropout', async (norm) => {
  const generator = draws.generator(5);
  const model = nn.sequential(
    nn.conv2d(2, 4, 3, { padding: 'same', generator }),
    nn.batchNorm(4),
    nn.relu(),
    nn.dropout(0.5),
    nn.flatten(),
    nn.linear(4 * 36, 3, { generator }),
  );
  const { data, labels } = examplesOf(5, 72, 3, 8);
  const x = tensor(data, { shape: [5, 6, 6, 2] });
  const options = { epsilon: norm === 'linf' ? 0.1 : 0.5, norm, generator };
  const run = (attack: attacks.Attack) => attack(model, x, labels).data();
  const climbed = await run(attacks.pgd({ ...options, objective: 'logitMargin' }));
  const searched = await run(attacks.randomSearch({ ...options, steps: 100 }));
  expect(model.training).toBe(true);
  model.eval();
  const margins = async (inputs: ArrayLike<number>) => {
    const logits = await model(tensor(Float32Array.from(inputs), { shape: [5, 6, 6, 2] })).data();
    return chunks(logits, 3).map((z, i) => objectives.logitMargin(z, at(labels, i)).value);
  };
  const [clean, direct, found] = [await margins(data), await margins(climbed), await margins(searched)];
  clean.forEach((margin, i) => {
    expect(at(direct, i), `row ${i}`).toBeGreaterThan(margin);
    // The clean inputs are among what it compares.
    expect(at(found, i), `row ${i}`).toBeGreaterThanOrEqual(margin);
  });
});

describe('what is kept', () => {
  const net = smallNet([5, 8, 4], 31);
  const { data, labels } = examplesOf(33, 5, 4, 32);
  const inputs = { data, shape: [33, 5] };
  /** Misclassification and cross-entropy of each row, in float64. */
  const judge = (rows: readonly number[][]) =>
    rows.map((row, i) => {
      const z = logitsOf(net, row);
      const y = at(labels, i);
      return { wrong: at(z, rivalOf(z, y)) > at(z, y), loss: objectives.crossEntropy(z, y).value };
    });
  const run = async (options: Partial<attacks.PgdOptions>) => {
    const attack = attacks.pgd({ epsilon: 0.3, steps: 4, generator: draws.generator(3), ...options });
    return judge(chunks(await attack(modelOf(net), inputs, labels).data(), 5));
  };

  test.each(['last', 'best'] as const)('restarts are never weaker than one, keep %s', async (keep) => {
    // The first of the restarts draws what the single one draws.
    const [one, many] = [await run({ keep }), await run({ keep, restarts: 5 })];
    let better = 0;
    many.forEach(({ wrong, loss }, i) => {
      const single = one[i] ?? { wrong: false, loss: 0 };
      if (single.wrong) expect(wrong).toBe(true);
      // Losses of order 1, each some 30 roundings off.
      if (wrong === single.wrong) expect(loss).toBeGreaterThanOrEqual(single.loss - 60 * 2 ** -24 * (1 + loss));
      if (loss > single.loss + 1e-3) better++;
    });
    expect(better).toBeGreaterThan(0);
  });

  test('the best iterate is never weaker than the last', async () => {
    // Steps far too long: the last one is not the best.
    const options = { randomStart: 'none', stepSize: 0.6, steps: 7 } as const;
    const [last, best] = [await run(options), await run({ ...options, keep: 'best' })];
    best.forEach(({ wrong, loss }, i) => {
      const other = last[i] ?? { wrong: false, loss: 0 };
      if (other.wrong) expect(wrong).toBe(true);
      if (wrong === other.wrong) expect(loss).toBeGreaterThanOrEqual(other.loss - 60 * 2 ** -24 * (1 + loss));
    });
    expect(best.some(({ loss }, i) => loss > (last[i]?.loss ?? 0) + 1e-3)).toBe(true);
  });

  test('earlyStop leaves rows alone that are wrong, the others not', async () => {
    const clean = judge(chunks(data, 5));
    expect(clean.some(({ wrong }) => wrong) && clean.some(({ wrong }) => !wrong)).toBe(true);
    const attack = attacks.pgd({ epsilon: 0.1, steps: 3, randomStart: 'none', earlyStop: true });
    const got = chunks(await attack(modelOf(net), inputs, labels).data(), 5);
    got.forEach((row, i) => {
      const own = Array.from(data.subarray(5 * i, 5 * i + 5));
      if (clean[i]?.wrong) expect(row).toEqual(own);
      else expect(row).not.toEqual(own);
    });
  });
});

describe('objectives', () => {
  test('a loss of defineLoss and a function of rows are what they name', async () => {
    const model = modelOf(smallNet([7, 6, 3], 41));
    const { data, labels } = examplesOf(9, 7, 3, 42);
    const run = (objective: attacks.Objective) =>
      attacks
        .pgd({ epsilon: 0.1, steps: 3, randomStart: 'none', objective })(model, { data, shape: [9, 7] }, labels)
        .data();
    const named = await run('crossEntropy');
    expect(await run(losses.crossEntropy)).toEqual(named);
    expect(await run((z, y) => losses.crossEntropy(z, y, { reduction: 'none' }))).toEqual(named);
    // The negative pulls the other way.
    const away = await run((z, y) => multiply(-1, losses.crossEntropy(z, y, { reduction: 'none' })));
    expect(away).not.toEqual(named);
  });

  test('soft targets: the likeliest class is the label, the objective takes the whole', async () => {
    const model = modelOf(smallNet([7, 6, 3], 41));
    const { data, labels } = examplesOf(9, 7, 3, 42);
    const soft = Float32Array.from({ length: 27 }, (_, i) => Number(labels[Math.floor(i / 3)] === i % 3));
    const attack = attacks.pgd({ epsilon: 0.1, steps: 3, randomStart: 'none', earlyStop: true });
    const hard = await attack(model, { data, shape: [9, 7] }, labels).data();
    const got = await attack(model, { data, shape: [9, 7] }, tensor(soft, { shape: [9, 3] })).data();
    got.forEach((one, i) => {
      // The same steps, but where a gradient's sign is a rounding's.
      expect(Math.abs(one - at(hard, i))).toBeLessThan(1e-6);
    });
  });
});

describe('edges', () => {
  test('an empty batch gives an empty batch', async () => {
    const model = modelOf(smallNet([4, 3, 2], 1));
    for (const attack of [
      attacks.pgd({ epsilon: 0.1, restarts: 2, keep: 'best', earlyStop: true }),
      attacks.pgd({ epsilon: 0.1, norm: 'l2' }),
      attacks.fgsm({ epsilon: 0.1 }),
      attacks.randomSearch({ epsilon: 0.1, steps: 2 }),
      attacks.noise({ epsilon: 0.1, norm: 'l2' }),
    ]) {
      const got = attack(model, { data: new Float32Array(0), shape: [0, 4] }, new Uint32Array(0));
      expect(got.shape).toEqual([0, 4]);
      expect(Array.from(await got.data())).toEqual([]);
    }
  });

  test.each(['linf', 'l2'] as const)(
    '%s: a gradient of zero, infinity or NaN moves nothing, faint ones do',
    async (norm) => {
      const x = tensor([
        [0.5, 0.25],
        [0.5, 0.25],
      ]);
      const run = async (scale: number, factor = 1) => {
        const weight = tensor([
          [scale, -scale],
          [scale * factor, -scale],
        ]);
        const attack = attacks.pgd({
          epsilon: 0.1,
          norm,
          steps: 3,
          randomStart: 'none',
          objective: 'logitMargin',
          bounds: null,
        });
        return Array.from(await attack((z) => matmul(z, weight), x, [0, 1]).data());
      };
      const still = [0.5, 0.25, 0.5, 0.25];
      expect(await run(0)).toEqual(still);
      expect(await run(Number.NaN)).toEqual(still);
      expect(await run(Number.POSITIVE_INFINITY)).toEqual(still);
      // Squares of 1e-30 are 0 in f32, and of 1e30 infinite.
      for (const scale of [1e-30, 1, 1e30]) {
        const moved = await run(scale);
        const distance = norm === 'linf' ? 0.1 : 0.1 / Math.SQRT2;
        [0.5 - distance, 0.25 - distance, 0.5 + distance, 0.25 + distance].forEach((one, i) => {
          expect(Math.abs(at(moved, i) - one), `scale ${scale}`).toBeLessThan(1e-6);
        });
      }
    },
  );

  test('a NaN stays in its row', async () => {
    const model = modelOf(smallNet([2, 3, 2], 1));
    const attack = attacks.pgd({ epsilon: 0.1, steps: 2, norm: 'l2', keep: 'best', restarts: 2, earlyStop: true });
    const got = Array.from(
      await attack(
        model,
        tensor([
          [Number.NaN, 0.5],
          [0.5, 0.5],
        ]),
        [0, 1],
      ).data(),
    );
    expect(got[0]).toBeNaN();
    expect(got.slice(2).every(Number.isFinite)).toBe(true);
  });

  test('extreme logits: an attack by the margin goes on where cross-entropy has no gradient left', async () => {
    const net = smallNet([7, 8, 3], 51);
    const big = { ...net, w2: net.w2.map((one) => 1e4 * one), b2: net.b2.map((one) => 1e4 * one) };
    const { data, rows } = examplesOf(33, 7, 3, 52);
    const labels = Uint32Array.from(rows, (row) => {
      const z = logitsOf(net, row);
      return z.indexOf(Math.max(...z));
    });
    const moved = async (objective: 'crossEntropy' | 'logitMargin') => {
      const attack = attacks.pgd({ epsilon: 0.1, steps: 3, randomStart: 'none', objective });
      const got = chunks(await attack(modelOf(big), { data, shape: [33, 7] }, labels).data(), 7);
      return got.filter((row, i) => distanceOf(row, rows[i] ?? [], 'linf') > 0).length;
    };
    // Margins of thousands: 1 - p is 0 in f32 but for a row or two.
    expect(await moved('crossEntropy')).toBeLessThan(10);
    expect(await moved('logitMargin')).toBe(33);
  });

  test('epsilon 0 gives the inputs', async () => {
    const { data, labels } = examplesOf(5, 3, 2, 1);
    for (const norm of ['linf', 'l2'] as const) {
      const attack = attacks.pgd({ epsilon: 0, norm, steps: 2 });
      expect(await attack(modelOf(smallNet([3, 3, 2], 1)), { data, shape: [5, 3] }, labels).data()).toEqual(data);
    }
  });
});

test('a random search finds what gradients would, without one', async () => {
  const net = smallNet([9, 8, 3], 61);
  const { data, labels } = examplesOf(65, 9, 3, 62);
  const margins = (rows: readonly number[][]) =>
    rows.map((row, i) => objectives.logitMargin(logitsOf(net, row), at(labels, i)).value);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  for (const norm of ['linf', 'l2'] as const) {
    const options = { epsilon: norm === 'linf' ? 0.1 : 0.3, norm, generator: draws.generator(1) };
    const run = async (attack: attacks.Attack) =>
      margins(chunks(await attack(modelOf(net), { data, shape: [65, 9] }, labels).data(), 9));
    const clean = margins(chunks(data, 9));
    const searched = await run(attacks.randomSearch(options));
    const noisy = await run(attacks.noise(options));
    const climbed = await run(attacks.pgd({ ...options, steps: 20, objective: 'logitMargin' }));
    // The clean inputs are among what it compares, so no row is weaker.
    for (const [i, margin] of searched.entries()) expect(margin).toBeGreaterThanOrEqual(at(clean, i) - 1e-5);
    // Noise gains next to nothing, gradients the most; the search gets more than half of it.
    const gain = (values: readonly number[]) => mean(values) - mean(clean);
    expect(gain(searched)).toBeGreaterThan(2 * gain(noisy));
    expect(gain(searched)).toBeGreaterThan(0.5 * gain(climbed));
  }
});
