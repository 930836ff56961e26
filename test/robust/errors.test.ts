import { describe, expect, test } from 'vitest';
import { attacks, mean, nn, optim, robust, tensor } from '../../src/index.js';
import { complaint } from '../support/complaint.js';
import { useEngine } from '../support/engine.js';

useEngine();

describe('options are refused', () => {
  const number = (name: string, value: unknown, such: string) =>
    `ValueError: attacks.pgd: ${name} is ${value}; it must be a finite number of at least 0.\n  Mend: give ${name} as a number, such as ${such}.`;
  test.each<[object, string]>([
    [{ epsilon: -0.1 }, number('epsilon', -0.1, '8 / 255')],
    [{ epsilon: Number.NaN }, number('epsilon', 'NaN', '8 / 255')],
    [{ epsilon: Number.POSITIVE_INFINITY }, number('epsilon', 'Infinity', '8 / 255')],
    [{}, number('epsilon', 'undefined', '8 / 255')],
    [{ epsilon: 0.1, stepSize: -1 }, number('stepSize', -1, '0.01')],
    [
      { epsilon: 0.1, steps: 0 },
      'ValueError: attacks.pgd: steps is 0; it must be an integer of at least 1.\n  Mend: give steps as a whole number, such as 10.',
    ],
    [
      { epsilon: 0.1, steps: 2.5 },
      'ValueError: attacks.pgd: steps is 2.5; it must be an integer of at least 1.\n  Mend: give steps as a whole number, such as 10.',
    ],
    [
      { epsilon: 0.1, restarts: 0 },
      'ValueError: attacks.pgd: restarts is 0; it must be an integer of at least 1.\n  Mend: give restarts as a whole number, such as 10.',
    ],
    [{ epsilon: 0.1, norm: 'l3' }, "ValueError: attacks.pgd: unknown norm 'l3'. Did you mean 'l2'?"],
    [
      { epsilon: 0.1, objective: 'crossentrop' },
      "ValueError: attacks.pgd: unknown objective 'crossentrop'. Did you mean 'crossEntropy'?",
    ],
    [
      { epsilon: 0.1, objective: 3 },
      'ValueError: attacks.pgd: the objective is 3, not a function.\n  Mend: name one (crossEntropy, logitMargin, probabilityMargin), or give (logits, target) => rows.',
    ],
    [{ epsilon: 0.1, schedule: 'cosin' }, "ValueError: attacks.pgd: unknown schedule 'cosin'. Did you mean 'cosine'?"],
    [
      { epsilon: 0.1, randomStart: 'uniforn' },
      "ValueError: attacks.pgd: unknown randomStart 'uniforn'. Did you mean 'uniform'?",
    ],
    [{ epsilon: 0.1, keep: 'lest' }, "ValueError: attacks.pgd: unknown keep 'lest'. Did you mean 'last'?"],
    [{ epsilon: 0.1, step: 3 }, "ValueError: attacks.pgd: unknown option 'step'. Did you mean 'steps'?"],
    [
      { epsilon: 0.1, bounds: [1, 0] },
      'ValueError: attacks.pgd: bounds are [1,0]; they must be [low, high], low below high.\n  Mend: give the range of the inputs, or null for none.',
    ],
    [
      { epsilon: 0.1, restarts: 2, randomStart: 'none' },
      "ValueError: attacks.pgd: restarts is 2, but all would begin at the inputs.\n  Mend: give randomStart: 'uniform', or leave restarts out.",
    ],
  ])('%o', async (options, text) => {
    expect(await complaint(() => attacks.pgd(options as attacks.PgdOptions))).toBe(text);
  });

  test('each under its own name', async () => {
    const negative = (op: string) => `ValueError: ${op}: epsilon is -1; it must be a finite number of at least 0.\n`;
    const options = { epsilon: -1 };
    expect(await complaint(() => attacks.fgsm(options))).toContain(negative('attacks.fgsm'));
    expect(await complaint(() => attacks.randomSearch(options))).toContain(negative('attacks.randomSearch'));
    expect(await complaint(() => attacks.noise(options))).toContain(negative('attacks.noise'));
    expect(await complaint(() => robust.ensemble(options))).toContain(negative('robust.ensemble'));
    for (const window of [0, -1, 1.5, Number.NaN]) {
      expect(await complaint(() => attacks.randomSearch({ epsilon: 0.1, window }))).toBe(
        `ValueError: attacks.randomSearch: window is ${window}; it must be above 0, and at most 1.`,
      );
    }
    expect(await complaint(() => attacks.fgsm({ epsilon: 0.1, steps: 3 } as attacks.FgsmOptions))).toBe(
      "ValueError: attacks.fgsm: unknown option 'steps'. known are: epsilon, norm, bounds, stepSize, randomStart, objective, generator",
    );
  });

  test('of recipes and steps', async () => {
    expect(await complaint(() => robust.trades({ beta: -1 }))).toBe(
      'ValueError: robust.trades: beta is -1; it must be at least 0.',
    );
    expect(await complaint(() => robust.advCompSum({ rho: 0 }))).toBe(
      'ValueError: robust.advCompSum: rho is 0; it must be at least 0.000001.',
    );
    expect(await complaint(() => robust.advCompSum({ nu: -2 }))).toBe(
      'ValueError: robust.advCompSum: nu is -2; it must be at least 0.',
    );
    expect(await complaint(() => robust.advCompSum({ tau: -2 }))).toBe(
      'ValueError: robust.advCompSum: tau is -2; it must be at least 0.',
    );
    const model = nn.linear(2, 2);
    const optimizer = optim.sgd(model.parameters(), { learningRate: 0.1 });
    const recipe = robust.trades;
    expect(
      await complaint(() => robust.trainingStep({ model, optimizer, recipe: recipe as never, attack: { epsilon: 1 } })),
    ).toBe(
      'ValueError: robust.trainingStep: the recipe is none.\n  Mend: give robust.trades({ beta: 6 }), say: called, not the function.',
    );
    expect(
      await complaint(() =>
        robust.trainingStep({ model, optimizer, recipe: robust.standard, attack: { epsilon: 1, steps: -1 } }),
      ),
    ).toBe(
      'ValueError: robust.trainingStep: steps is -1; it must be an integer of at least 1.\n  Mend: give steps as a whole number, such as 10.',
    );
    for (const option of [{ objective: 'logitMargin' }, { randomStart: 'none' }, { restarts: 2 }, { keep: 'best' }]) {
      const attack = { epsilon: 1, ...option };
      expect(await complaint(() => robust.trainingStep({ model, optimizer, recipe: recipe(), attack }))).toBe(
        `ValueError: robust.trainingStep: unknown option '${Object.keys(option)[0]}'. known are: epsilon, norm, bounds, steps, stepSize, schedule, earlyStop, generator`,
      );
    }
    const step = robust.trainingStep({ model, optimizer, recipe: robust.advCompSum(), attack: { epsilon: 1 } });
    expect(await complaint(() => step(tensor([[0, 1]]), tensor([[0.5, 0.5]])))).toBe(
      'ValueError: robust.advCompSum: the targets are soft; margins need a label for each row.\n  Mend: give labels [n], or train by robust.trades.',
    );
    const data = { images: new Float32Array(4), labels: new Uint32Array(2) };
    expect(await complaint(() => robust.evaluate(model, data, { attacks: {} }))).toBe(
      'ValueError: robust.evaluate: there are no attacks.\n  Mend: give { attacks: robust.ensemble({ epsilon: 8 / 255 }) }.',
    );
    expect(await complaint(() => robust.sanityChecks(model, data, {} as robust.SanityOptions))).toBe(
      'ValueError: robust.sanityChecks: there is no attack.\n  Mend: give { attack }.',
    );
  });
});

test('a label that is no class is refused by its row, not counted as turned', async () => {
  const model = nn.linear(2, 3);
  const attack = attacks.noise({ epsilon: 0.1 });
  const data = { images: new Float32Array(14), labels: Uint32Array.of(0, 1, 2, 0, 1, 3, 2) };
  const text = (op: string, row: number) =>
    `ValueError: ${op}: the label of row ${row} is not one of the 3 classes.\n  Mend: labels go from 0 to 2; leave other rows out.`;
  for (const batchSize of [2, 256]) {
    expect(await complaint(() => robust.evaluate(model, data, { attacks: { attack }, batchSize }))).toBe(
      text('robust.evaluate', 5),
    );
  }
  const negative = { images: data.images, labels: Int32Array.of(0, -1, 2, 0, 1, 2, 2) };
  // Nothing ran, so cross-entropy has nothing to complain of at a later read.
  expect(await complaint(() => robust.sanityChecks(model, negative, { attack: attacks.pgd({ epsilon: 0.1 }) }))).toBe(
    text('robust.sanityChecks', 1),
  );
  const sound = { images: data.images, labels: new Uint32Array(7) };
  expect((await robust.evaluate(model, sound, { attacks: { attack } })).examples).toBe(7);
});

test('what does not fit is refused by name and shape', async () => {
  const model = nn.linear(2, 3);
  const attack = attacks.pgd({ epsilon: 0.1, steps: 2 });
  const x = tensor([[0.5, 0.5]]);
  expect(await complaint(() => attack(model, tensor([0.5, 0.5]), [0, 1]))).toBe(
    'ShapeError: attacks.pgd: the inputs are [2]; they must be [examples, ...item].\n  Mend: give a batch: reshape one example to [1, ...item].',
  );
  expect(await complaint(() => attack(model, Int32Array.of(1), [0]))).toBe(
    'DtypeError: attacks.pgd: the inputs are i32; they must be f32.\n  Mend: cast them: toF32(inputs).',
  );
  expect(await complaint(() => attack(model, x, [0, 1]))).toBe(
    'ShapeError: attacks.pgd: the inputs are [1, 2], the labels [2]; labels must be [1].\n  Mend: give one label for each example.',
  );
  expect(await complaint(() => attack(model, x, tensor([0])))).toBe(
    'DtypeError: attacks.pgd: the labels are f32; they must be i32 or u32.\n  Mend: cast them: toI32(labels).',
  );
  expect(await complaint(() => attack((z) => mean(z), x, [0]))).toBe(
    'ShapeError: attacks.pgd: the model gives [] for inputs [1, 2]; it must give [1, classes].',
  );
  expect(await complaint(() => attack(model, x, tensor([[0.5, 0.5]])))).toBe(
    'ShapeError: attacks.pgd: the model gives [1, 3] for inputs [1, 2]; it must give [1, 2].',
  );
  expect(await complaint(() => attack('model' as never, x, [0]))).toBe(
    'ValueError: attacks.pgd: the model is model, not a module or a function.\n  Mend: give the model first: attack(model, inputs, labels).',
  );
  const pooled = attacks.pgd({ epsilon: 0.1, objective: (z) => mean(z) });
  expect(await complaint(() => pooled(model, x, [0]))).toBe(
    "ShapeError: attacks.pgd: the objective is []; it must be [1].\n  Mend: give the value of each row: { reduction: 'none' }.",
  );
});
