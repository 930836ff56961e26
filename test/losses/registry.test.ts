import { describe, expect, test } from 'vitest';
import { vjp } from '../../src/autograd/grad.js';
import type { LossDeclaration } from '../../src/custom/defineLoss.js';
import type { LossParameter } from '../../src/custom/lossArguments.js';
import { grad, losses, multiply, Parameter, sum, type Tensor, tensor } from '../../src/index.js';
import { directionalDerivative } from '../reference/differences.js';
import { evaluate } from '../reference/evaluate.js';
import { useEngine } from '../support/engine.js';
import { random } from '../support/random.js';

useEngine();

type AnyLoss = ((logits: Tensor, labels: Int32Array, options: object) => Tensor) & {
  readonly declaration: LossDeclaration<Record<string, LossParameter>>;
};

/** Every row loss of the index, whoever added it. */
const declared = Object.entries(losses).flatMap(([name, loss]) =>
  'declaration' in loss ? [{ name, loss: loss as unknown as AnyLoss }] : [],
);

/** The default, the bounds, and something between and beyond. */
function valuesOf({ default: fallback, min = fallback - 1, max = fallback + 1 }: LossParameter): number[] {
  return [...new Set([fallback, min, max, (min + fallback) / 2, 0.5 * (fallback + max) + 0.25 * (max - fallback)])];
}

test('the index holds row losses', () => {
  expect(declared.map(({ name }) => name)).toContain('compSum');
});

describe.each(declared)('$name', ({ name, loss }) => {
  const { parameters = {}, definition, source } = loss.declaration;

  test('names its source and has a definition', () => {
    expect(source.length).toBeGreaterThan(10);
    expect(definition, 'built-in losses have second derivatives').toBeTypeOf('function');
  });

  const settings = Object.entries(parameters).flatMap(([key, parameter]) =>
    valuesOf(parameter).map((value) => ({ [key]: value })),
  );
  test.each(settings.length === 0 ? [{}] : settings)(
    'its WGSL is its definition, value and gradient: %o',
    async (given) => {
      for (const [rows, classes] of [
        [5, 2],
        [33, 10],
        [3, 65],
      ] as const) {
        const draw = random(rows * classes);
        // Multiples of 1/8, the label's plus 0.06: no margin is near a multiple of 1/8, where a loss may have a kink
        // that central differences (steps below 0.02) would see.
        const data = draw.floats(rows * classes, ({ normal }) => Math.round(12 * normal()) / 8);
        const labels = Int32Array.from({ length: rows }, () => draw.below(classes));
        labels.forEach((label, i) => {
          data[i * classes + label] = (data[i * classes + label] ?? 0) + 0.06;
        });
        const logits = new Parameter(tensor(data, { shape: [rows, classes] }));
        const weights = draw.floats(rows, ({ normal }) => normal());
        const cotangents = tensor(weights);
        const values = loss(logits, labels, { reduction: 'none', ...given });
        const [gradient] = grad(sum(multiply(values, cotangents)), [logits]) as [Tensor];
        const full = Object.fromEntries(
          Object.entries(parameters).map(([key, { default: fallback }]) => [
            key,
            tensor((given as Record<string, number>)[key] ?? fallback),
          ]),
        );
        // The same formula in float64, by an interpreter that knows nothing of the kernels; its gradient is held
        // against central differences of its value.
        const z = tensor(data, { shape: [rows, classes] });
        const formula = (definition as NonNullable<typeof definition>)(z, tensor(labels), full as never);
        const wanted = evaluate(formula);
        const slope = evaluate(vjp(formula, z, cotangents));
        const direction = draw.floats(rows * classes, ({ normal }) => normal());
        const along = directionalDerivative([formula], [weights], z, direction, new Map());
        const inner = Array.from(slope.data).reduce((total, x, i) => total + x * (direction[i] ?? 0), 0);
        expect(Math.abs(inner - along)).toBeLessThan(1e-6 * (1 + Math.abs(along)));
        const label = `${name} ${JSON.stringify(given)} ${rows}x${classes}`;
        const [value, got] = await Promise.all([values.data(), gradient.data()]);
        const scale = Math.max(...Array.from(slope.data, Math.abs));
        value.forEach((x, i) => {
          // Some dozens of roundings of 6e-8 on each way; weights like e^c multiply c's own by c (below 10 here).
          const limit = 2e-5 * Math.abs(wanted.data[i] ?? 0) + 1e-7;
          expect(Math.abs(x - (wanted.data[i] ?? Number.NaN)), `${label} row ${i}`).toBeLessThanOrEqual(limit);
        });
        got.forEach((x, i) => {
          expect(Math.abs(x - (slope.data[i] ?? Number.NaN)), `${label} gradient ${i}`).toBeLessThanOrEqual(
            2e-5 * scale + 1e-7,
          );
        });
      }
    },
  );
});
