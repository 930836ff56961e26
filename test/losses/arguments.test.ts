import { expect, test } from 'vitest';
import { grad, losses, multiply, Parameter, type Tensor, tensor } from '../../src/index.js';
import { complaint } from '../support/complaint.js';
import { useEngine } from '../support/engine.js';

useEngine();

const z = [
  [1, 2, 0.5],
  [0.1, -1, 3],
];
const y = [0, 1];
const logits = () => tensor(z);
const integers = (values: number[]) => tensor(values, { dtype: 'i32' });

test.each([
  [{ temperature: 0 }, 'ValueError: losses.compSum: temperature is 0; it must be above 0.'],
  [{ temperature: -1 }, 'ValueError: losses.compSum: temperature is -1; it must be above 0.'],
  [{ temperature: Number.NaN }, 'ValueError: losses.compSum: temperature is NaN; it must be above 0.'],
  [
    { ignoreIndex: 2 ** 31 },
    'ValueError: losses.compSum: ignoreIndex is 2147483648; it must be an integer of 32 bits.',
  ],
  [{ ignoreIndex: 0.5 }, 'ValueError: losses.compSum: ignoreIndex is 0.5; it must be an integer of 32 bits.'],
])('%o is refused', async (options, text) => {
  expect(await complaint(() => losses.compSum(logits(), y, options))).toBe(text);
  // From the other side of the limit.
  const near = { temperature: 1e-6, ignoreIndex: 2 ** 31 - 1 };
  expect(await losses.compSum(logits(), y, near).item()).toBeGreaterThan(0);
});

test.each(['tau', 'temperature', 'labelSmoothing'])('%s is one number', async (name) => {
  const given = (value: Tensor) => () => losses.compSum(logits(), y, { [name]: value });
  expect(await complaint(given(tensor([[0.5], [0.25]])))).toBe(
    `ShapeError: losses.compSum: ${name} is [2, 1]; it must be 0-d.`,
  );
  expect(await complaint(given(integers([1])))).toBe(
    `DtypeError: losses.compSum: ${name} is i32; it must be f32.\n  Mend: cast it: toF32(${name}).`,
  );
  const [one, plain] = await Promise.all([given(tensor([[0.5]]))().data(), given(tensor(0.5))().data()]);
  expect(one).toEqual(plain);
});

test.each([
  ['sampleWeights', [1, 2]],
  ['classWeights', [1, 2, 3]],
])('%s are floats, for labels and soft targets', async (name, weights) => {
  const soft = z.map(() => [0.5, 0.25, 0.25]);
  for (const target of [y, soft]) {
    expect(await complaint(() => losses.compSum(logits(), target, { [name]: integers(weights) }))).toBe(
      `DtypeError: losses.compSum: ${name} is i32; it must be f32.\n  Mend: cast it: toF32(${name}).`,
    );
  }
});

test('a parameter of a special case that leaves its range on the GPU is named, not that of the loss behind it', async () => {
  const loss = (q: number) => losses.generalizedCrossEntropy(logits(), y, { q: tensor(q) });
  for (const wrong of [1.001, -1e-6, Number.NaN, -1.5]) {
    expect(await complaint(() => loss(wrong).item()), `${wrong}`).toBe(
      'ValueError: losses.generalizedCrossEntropy: q was out of range on the GPU; it must be at least 0 and at most 1.\n' +
        '  Mend: clamp the tensor or the scalar that gives q.',
    );
  }
  for (const right of [0, 1]) expect(await loss(right).item()).toBeGreaterThan(0);
  // Its check passes the gradient.
  const q = new Parameter(0.5);
  const [byQ] = grad(losses.generalizedCrossEntropy(logits(), y, { q }), [q]) as [Tensor];
  const tau = new Parameter(1.5);
  const [byTau] = grad(losses.compSum(logits(), y, { tau }), [tau]) as [Tensor];
  expect(await byQ.item()).toBe(await byTau.item());
});

test('equal logits of the smallest number are uniform, by label and by soft targets', async () => {
  const least = -(2 - 2 ** -23) * 2 ** 127;
  const rows = tensor([[least, least, least]]);
  for (const target of [[1], [[0.5, 0.25, 0.25]]]) {
    const value = await losses.crossEntropy(rows, target).item();
    // A logarithm and a sum of three.
    expect(Math.abs(value - Math.log(3))).toBeLessThan(8 * 2 ** -24);
  }
});

test('heldRows counts by labels', async () => {
  expect(
    await complaint(() =>
      losses.heldRows(
        logits(),
        z.map(() => [1, 0, 0]),
        { tau: 0 },
      ),
    ),
  ).toBe(
    'DtypeError: losses.heldRows: the labels are f32; they must be i32 or u32.\n' + '  Mend: cast them: toI32(labels).',
  );
  expect(await complaint(() => losses.heldRows(logits(), y, { tau: 0, sampleWeights: [1, 2] } as never))).toBe(
    "ValueError: losses.heldRows: unknown option 'sampleWeights'. known are: tau, temperature, ignoreIndex",
  );
});

test('meanSquaredError knows its option', async () => {
  expect(
    await complaint(() => losses.meanSquaredError(logits(), multiply(logits(), 2), { reductoin: 'sum' } as never)),
  ).toBe("ValueError: losses.meanSquaredError: unknown option 'reductoin'. Did you mean 'reduction'?");
});
