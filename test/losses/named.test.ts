import { expect, test } from 'vitest';
import { grad, losses, Parameter, sum, type Tensor, tensor } from '../../src/index.js';
import { complaint } from '../support/complaint.js';
import { useEngine } from '../support/engine.js';
import { random } from '../support/random.js';
import { compSum } from './reference.js';

useEngine();

const EPSILON = 2 ** -24;

test.each([
  ['sumExponential', 0, {}],
  ['crossEntropy', 1, {}],
  ['generalizedCrossEntropy', 1.7, {}],
  ['generalizedCrossEntropy', 1.25, { q: 0.25 }],
  ['meanAbsoluteError', 2, {}],
] as const)('%s is comp-sum at tau = %f, value and gradient', async (name, tau, options) => {
  const [rows, classes] = [19, 7];
  const draw = random(11);
  const data = draw.floats(rows * classes, ({ normal }) => 2 * normal());
  const labels = Int32Array.from({ length: rows }, () => draw.below(classes));
  const logits = new Parameter(tensor(data, { shape: [rows, classes] }));
  const values = losses[name](logits, labels, { ...options, reduction: 'none' });
  const [gradient] = grad(sum(values), [logits]) as [Tensor];
  const [value, slope] = await Promise.all([values.data(), gradient.data()]);
  labels.forEach((y, i) => {
    const z = Array.from(data.subarray(i * classes, (i + 1) * classes));
    const wanted = compSum(z, y, tau);
    const { value: c } = compSum(z, y, 1);
    // Some thirty roundings; e^((1 - tau) c) multiplies those of c, and of tau itself, by its exponent.
    const relative = EPSILON * (32 + 12 * Math.abs(1 - tau) * c + 2 * tau * c);
    expect(Math.abs((value[i] ?? 0) - wanted.value)).toBeLessThanOrEqual(relative * wanted.value);
    wanted.gradient.forEach((g, j) => {
      expect(Math.abs((slope[i * classes + j] ?? 0) - g)).toBeLessThanOrEqual((relative + 12 * EPSILON) * Math.abs(g));
    });
  });
});

test('q may be a tensor, and has a gradient', async () => {
  const z = [0.5, -1, 2];
  const q = new Parameter(0.6);
  const loss = losses.generalizedCrossEntropy(tensor([z]), [0], { q });
  const at = (value: number) => compSum(z, 0, 1 + value).value;
  const [byQ] = grad(loss, [q]) as [Tensor];
  const step = 1e-4;
  // Central differences are off by step^2; the value of about 1 by some ten roundings.
  const wanted = (at(Math.fround(0.6) + step) - at(Math.fround(0.6) - step)) / (2 * step);
  expect(Math.abs((await byQ.item()) - wanted)).toBeLessThan(20 * EPSILON * 4);
});

test('each complains under its own name', async () => {
  const logits = tensor([
    [1, 2],
    [3, 4],
  ]);
  for (const name of ['sumExponential', 'crossEntropy', 'generalizedCrossEntropy', 'meanAbsoluteError'] as const) {
    expect(await complaint(() => losses[name](logits, [0]))).toBe(
      `ShapeError: losses.${name}: logits are [2, 2], labels [1]; labels must be [2].\n  Mend: give one label for each row of logits.`,
    );
  }
  expect(await complaint(() => losses.crossEntropy(logits, [0, 1], { tau: 1 } as object))).toBe(
    "ValueError: losses.crossEntropy: unknown option 'tau'. known are: reduction, temperature, sampleWeights, classWeights, ignoreIndex, labelSmoothing, targets, check",
  );
  expect(await complaint(() => losses.generalizedCrossEntropy(logits, [0, 1], { q: 1.01 }))).toBe(
    'ValueError: losses.generalizedCrossEntropy: q is 1.01; it must be at most 1.',
  );
  expect(await complaint(() => losses.generalizedCrossEntropy(logits, [0, 1], { q: -0.01 }))).toBe(
    'ValueError: losses.generalizedCrossEntropy: q is -0.01; it must be at least 0.',
  );
});
