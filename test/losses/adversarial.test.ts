import { describe, expect, test } from 'vitest';
import { grad, hvp, losses, multiply, Parameter, sum, type Tensor, tensor } from '../../src/index.js';
import { cases } from '../support/cases.js';
import { complaint } from '../support/complaint.js';
import { useEngine } from '../support/engine.js';
import { random } from '../support/random.js';
import { compSum } from './reference.js';

useEngine();

const EPSILON = 2 ** -24;
const at = (data: ArrayLike<number>, i: number): number => data[i] ?? Number.NaN;

interface Settings {
  readonly tau: number;
  readonly rho: number;
  readonly nu: number;
  readonly epsilon: number;
}

/** `Phi^tau` of the clean margins plus nu times the shift of margins, with both gradients, from the formula. */
function smooth(z: readonly number[], moved: readonly number[], y: number, { tau, rho, nu, epsilon }: Settings) {
  const cooled = compSum(
    z.map((one) => one / rho),
    y,
    tau,
  );
  const shift = z.map((one, j) => at(moved, j) - one);
  const a = shift.map((one) => at(shift, y) - one);
  const r = Math.sqrt(a.reduce((total, one) => total + one * one, epsilon * epsilon));
  const total = a.reduce((sum_, one) => sum_ + one, 0);
  const byMoved = a.map((one, j) => (r === 0 ? 0 : (nu * (j === y ? total : -one)) / r));
  return {
    value: cooled.value + nu * r,
    byMoved,
    byClean: cooled.gradient.map((g, j) => g / rho - at(byMoved, j)),
    clean: cooled,
    r,
  };
}

describe('smoothAdversarialCompSum', () => {
  const table = cases({
    size: [
      [1, 2],
      [7, 3],
      [33, 10],
      [3, 257],
    ],
    settings: [
      { tau: 1, rho: 1, nu: 1, epsilon: 1e-6 },
      { tau: 0.5, rho: 2, nu: 0.3, epsilon: 0.1 },
      { tau: 1.7, rho: 0.5, nu: 3, epsilon: 0 },
    ],
  });
  test.each(table)('$label: value and both gradients follow the float64 reference', async ({ size, settings }) => {
    const [rows, classes] = size as readonly [number, number];
    const draw = random(rows + classes);
    const clean = draw.floats(rows * classes, ({ normal }) => 2 * normal());
    const data = draw.floats(rows * classes, ({ normal }) => 2 * normal());
    const labels = Int32Array.from({ length: rows }, () => draw.below(classes));
    const cotangents = draw.floats(rows, ({ normal }) => normal());
    const shape = [rows, classes];
    const [z, moved] = [new Parameter(tensor(clean, { shape })), new Parameter(tensor(data, { shape }))];
    const values = losses.smoothAdversarialCompSum(z, moved, labels, { ...settings, reduction: 'none' });
    const gradients = grad(sum(multiply(values, tensor(cotangents))), [z, moved]);
    const [value, byClean, byMoved] = await Promise.all([values.data(), ...gradients.map((one) => one.data())]);
    for (let i = 0; i < rows; i++) {
      const row = (from: Float32Array) => Array.from(from.subarray(i * classes, (i + 1) * classes));
      const y = at(labels, i);
      // The settings as f32 has them.
      const exact = {
        ...settings,
        tau: Math.fround(settings.tau),
        nu: Math.fround(settings.nu),
        epsilon: Math.fround(settings.epsilon),
      };
      const wanted = smooth(row(clean), row(data), y, exact);
      const c = compSum(
        row(clean).map((one) => one / settings.rho),
        y,
        1,
      ).value;
      // Of the clean part as in compSum.test.ts (z / rho is rounded once more: its differences, up to 20 / rho, move by
      // that); of the shift a difference of differences (up to 20, three roundings) over a root of `classes` squares.
      const relative = EPSILON * (32 + 4 * Math.sqrt(classes) + 10 * Math.abs(1 - settings.tau) * c);
      const cleanLimit =
        wanted.clean.value * relative +
        EPSILON * (20 / settings.rho) * Math.max(...wanted.clean.gradient.map(Math.abs)) * 2;
      const shiftLimit = settings.nu * EPSILON * (60 + wanted.r * (8 + Math.sqrt(classes)));
      expect(Math.abs(at(value ?? [], i) - wanted.value), `row ${i}`).toBeLessThanOrEqual(cleanLimit + shiftLimit);
      const weight = Math.abs(at(cotangents, i));
      // A slope a / r is off by the roundings of a (60 EPSILON) over r, and by those of r; the label's is a sum of them.
      const slopeLimit = settings.nu * EPSILON * (60 / Math.max(wanted.r, 1e-30) + 8 + Math.sqrt(classes));
      for (let j = 0; j < classes; j++) {
        const count = j === y ? classes : 1;
        const limit = weight * (slopeLimit * count + EPSILON * Math.abs(at(wanted.byMoved, j)) * 8);
        const g = at(wanted.clean.gradient, j) / settings.rho;
        expect(
          Math.abs(at(byMoved ?? [], i * classes + j) - at(cotangents, i) * at(wanted.byMoved, j)),
        ).toBeLessThanOrEqual(limit);
        // e^(z_j / rho) moves by the rounding of its exponent, up to 20 / rho, and 1 / rho is the scale.
        const cleanSlope = weight * Math.abs(g) * (relative + EPSILON * (20 + 60 / settings.rho));
        expect(
          Math.abs(at(byClean ?? [], i * classes + j) - at(cotangents, i) * at(wanted.byClean, j)),
        ).toBeLessThanOrEqual(limit + cleanSlope);
      }
    }
  });

  test('central differences of the reference are its gradients', () => {
    const [z, moved] = [
      [0.3, -1, 2],
      [1, 0.5, -0.7],
    ];
    const settings = { tau: 0.7, rho: 1.3, nu: 0.9, epsilon: 0.01 };
    const whole = smooth(z, moved, 1, settings);
    for (let j = 0; j < 3; j++) {
      const step = (by: number, of: readonly number[]) => of.map((one, k) => one + (k === j ? by : 0));
      const h = 1e-5;
      const byClean =
        (smooth(step(h, z), moved, 1, settings).value - smooth(step(-h, z), moved, 1, settings).value) / (2 * h);
      const byMoved =
        (smooth(z, step(h, moved), 1, settings).value - smooth(z, step(-h, moved), 1, settings).value) / (2 * h);
      // Truncation of h^2 and cancellation of 2^-52 / h.
      expect(Math.abs(byClean - at(whole.byClean, j))).toBeLessThan(1e-9);
      expect(Math.abs(byMoved - at(whole.byMoved, j))).toBeLessThan(1e-9);
    }
  });

  test('nothing moved: the comp-sum loss at temperature rho, and at epsilon 0 its gradient', async () => {
    const z = new Parameter([
      [0.3, -1, 2],
      [1e4, -1e4, 0],
    ]);
    const options = { tau: 1.5, rho: 2, nu: 5, epsilon: 0 };
    const loss = losses.smoothAdversarialCompSum(z, z, [1, 0], options);
    const plain = losses.compSum(z, [1, 0], { tau: 1.5, temperature: 2 });
    expect(await loss.item()).toBe(await plain.item());
    const [g, wanted] = [grad(loss, [z])[0] as Tensor, grad(plain, [z])[0] as Tensor];
    // Plus 0, for the sign of a zero is nobody's.
    const plusZero = async (x: Tensor) => Array.from(await x.data(), (one) => one + 0);
    expect(await plusZero(g)).toEqual(await plusZero(wanted));
  });

  test('nu 0, extreme logits, an empty batch', async () => {
    const z = tensor([[1e4, -1e4, 0]]);
    const moved = tensor([[-1e4, 1e4, 3]]);
    const none = { reduction: 'none' } as const;
    const plain = await losses.crossEntropy(z, [2], none).item();
    expect(await losses.smoothAdversarialCompSum(z, moved, [2], { ...none, nu: 0 }).item()).toBe(plain);
    // D = (-2e4, 2e4, 3): a = (2e4 + 3, 3 - 2e4, 0).
    const wanted = 1e4 + Math.hypot(20003, 19997);
    const got = await losses.smoothAdversarialCompSum(z, moved, [2], none).item();
    expect(Math.abs(got - wanted)).toBeLessThanOrEqual(8 * EPSILON * wanted);
    const empty = tensor(new Float32Array(0), { shape: [0, 3] });
    expect(await losses.smoothAdversarialCompSum(empty, empty, new Int32Array(0), { reduction: 'sum' }).item()).toBe(0);
  });

  test('weights and ignoreIndex: both terms, and NaN in an ignored row reaches nothing', async () => {
    const z = new Parameter([
      [0.3, -1, 2],
      [Number.NaN, 1, 0],
      [1, 2, 3],
    ]);
    const moved = new Parameter([
      [1, 0, 0],
      [0, Number.NaN, 1],
      [0, 0, 1],
    ]);
    const weighed = { sampleWeights: [2, 1, 0.5], classWeights: [1, 3, 2] };
    const loss = losses.smoothAdversarialCompSum(z, moved, [1, -1, 2], { ...weighed, ignoreIndex: -1 });
    const settings = { tau: 1, rho: 1, nu: 1, epsilon: Math.fround(1e-6) };
    const first = smooth([0.3, -1, 2], [1, 0, 0], 1, settings).value;
    const third = smooth([1, 2, 3], [0, 0, 1], 2, settings).value;
    const wanted = (6 * first + 1 * third) / 7;
    expect(Math.abs((await loss.item()) - wanted)).toBeLessThanOrEqual(40 * EPSILON * wanted);
    for (const gradient of grad(loss, [z, moved])) {
      const data = Array.from(await gradient.data());
      expect(data.slice(3, 6)).toEqual([0, 0, 0]);
      expect(data.every(Number.isFinite)).toBe(true);
    }
  });

  test('complains by name', async () => {
    const z = tensor([[1, 2]]);
    const of = (options: object, target: unknown = [0]) =>
      complaint(() => losses.smoothAdversarialCompSum(z, z, target as number[], options));
    const head = 'ValueError: losses.smoothAdversarialCompSum:';
    expect(await of({ tau: -1 })).toBe(`${head} tau is -1; it must be at least 0.`);
    expect(await of({ rho: 0 })).toBe(`${head} rho is 0; it must be at least 0.000001.`);
    expect(await of({ nu: -1 })).toBe(`${head} nu is -1; it must be at least 0.`);
    expect(await of({ epsilon: -1 })).toBe(`${head} epsilon is -1; it must be at least 0.`);
    expect(await of({ mu: 1 })).toContain(`${head} unknown option 'mu'.`);
    expect(await of({}, [[0.5, 0.5]])).toBe(
      `${head} the targets are soft; margins need a label for each row.\n  Mend: give labels, and leave labelSmoothing out.`,
    );
    expect(await complaint(() => losses.smoothAdversarialCompSum(z, tensor([[1, 2, 3]]), [0]))).toBe(
      'ShapeError: losses.smoothAdversarialCompSum: logits are [1, 2], adversarialLogits [1, 3]; they must be equal.\n  Mend: give the logits of the same examples, at their adversarial inputs.',
    );
  });
});

describe('adversarialMarginCompSum', () => {
  /** From the formula: `Phi_tau(u)`, u the sum of clipped ramps. */
  const margins = (z: readonly number[], y: number, tau: number, rho: number): number => {
    const u = z.reduce(
      (total, one, j) => total + (j === y ? 0 : Math.min(1, Math.max(0, 1 - (at(z, y) - one) / rho))),
      0,
    );
    return tau === 1 ? Math.log1p(u) : ((1 + u) ** (1 - tau) - 1) / (1 - tau);
  };

  test.each(cases({ classes: [1, 2, 7, 33, 257], tau: [0, 1, 1.5, 3], rho: [0.5, 4] }))(
    '$label follows its formula; the registry holds its gradient',
    async ({ classes, tau, rho }) => {
      const draw = random(classes + 10 * tau);
      const data = draw.floats(19 * classes, ({ normal }) => 2 * normal());
      const labels = Int32Array.from({ length: 19 }, () => draw.below(classes));
      const logits = tensor(data, { shape: [19, classes] });
      const got = await losses.adversarialMarginCompSum(logits, labels, { tau, rho, reduction: 'none' }).data();
      labels.forEach((y, i) => {
        const z = Array.from(data.subarray(i * classes, (i + 1) * classes));
        const wanted = margins(z, y, tau, rho);
        // A ramp is off by three roundings of margins up to 16 / rho; u sums them; Phi has a slope of at most 1, and
        // adds some 20 roundings of its own size.
        const allowed =
          EPSILON * (classes * (3 * (16 / rho) + Math.sqrt(classes)) + 20 * (1 + Math.abs(1 - tau)) * wanted);
        expect(Math.abs(at(got, i) - wanted), `row ${i}`).toBeLessThanOrEqual(allowed);
      });
    },
  );

  test('bounds: 0 where the label leads by rho, Phi(classes - 1) where it trails all; flat at both', async () => {
    const logits = new Parameter([
      [3, 1, 2],
      [-1e4, 1e4, 1e4],
    ]);
    const values = losses.adversarialMarginCompSum(logits, [0, 0], { rho: 1, reduction: 'none' });
    const got = await values.data();
    expect(at(got, 0)).toBe(0);
    expect(Math.abs(at(got, 1) - Math.log(3))).toBeLessThan(4 * EPSILON);
    const [gradient] = grad(sum(values), [logits]) as [Tensor];
    expect(Array.from(await gradient.data(), Math.abs)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('second derivatives are flat at the ends too: a tie, and a lead of rho', async () => {
    const logits = new Parameter([
      [0, 0, 0],
      [2, 1, 1],
      [0.5, 0, 0],
    ]);
    const loss = losses.adversarialMarginCompSum(logits, [0, 0, 0], { rho: 1, reduction: 'sum' });
    const [product] = hvp(
      loss,
      [logits],
      [
        tensor([
          [1, 0, 0],
          [1, 0, 0],
          [1, 0, 0],
        ]),
      ],
    ) as [Tensor];
    const got = Array.from(await product.data(), (one) => one + 0);
    expect(got.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 0]);
    // u = 2 (1 - m), m the margin: Phi = log(1 + u), of second derivative -4 / (1 + u)^2 by m; at m = 1/2 that is -1.
    expect(Math.abs(at(got, 6) + 1)).toBeLessThan(16 * EPSILON);
  });

  test('NaN is handed on; soft targets are refused', async () => {
    const values = losses.adversarialMarginCompSum(tensor([[Number.NaN, 1, 2]]), [1], { reduction: 'none' });
    expect(await values.item()).toBeNaN();
    expect(await complaint(() => losses.adversarialMarginCompSum(tensor([[1, 2]]), [[0.5, 0.5]]))).toContain(
      'ValueError: losses.adversarialMarginCompSum: soft targets need a loss of the label',
    );
  });
});
