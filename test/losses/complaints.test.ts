import { describe, expect, test, vi } from 'vitest';
import { add, compile, grad, losses, multiply, Parameter, scalar, sum, type Tensor, tensor } from '../../src/index.js';
import { complaint } from '../support/complaint.js';
import { useOwnEngine, useVariantsOf } from '../support/engine.js';
import { compSum } from './reference.js';

const LABEL = (row: number, op = 'crossEntropy') =>
  `ValueError: losses.${op}: the label of row ${row} is not one of the 3 classes.\n` +
  '  Mend: labels go from 0 to 2; ignoreIndex names one to leave out.';
const SUM = (row: number) =>
  `ValueError: losses.crossEntropy: the soft targets of row ${row} are not weights that sum to one.\n` +
  "  Mend: pass targets: 'normalise' to divide them by their sum, or 'accept' to take them as they are.";

const z = [
  [1, 2, 0.5],
  [0.1, -1, 3],
  [2, 2, -1],
  [0, 0, 0],
];

describe.each([
  ['a thread a row', useOwnEngine],
  ['lanes of a GPU', () => useVariantsOf('gpu')],
] as const)('what is wrong with the data, %s', (_, use) => {
  const engine = use();

  test.each([
    [3, 'too large'],
    [-1, 'negative'],
    [2 ** 31 - 1, 'huge'],
  ])('label %i, %s, is an error of the next read, with the first such row; then all is well', async (label) => {
    const values = losses.crossEntropy(tensor(z), [0, 2, label, label], { reduction: 'none' });
    expect(await complaint(() => values.data())).toBe(LABEL(2));
    expect(await values.data()).toHaveLength(4);
    const smoothed = losses.crossEntropy(tensor(z), [0, label, 2, label], { labelSmoothing: 0.1 });
    expect(await complaint(() => smoothed.item())).toBe(LABEL(1));
    const right = losses.crossEntropy(tensor(z), [0, 2, 1, 0], { reduction: 'sum' });
    const wanted = [0, 2, 1, 0].reduce((all, y, i) => all + compSum(z[i] ?? [], y, 1).value, 0);
    expect(await right.item()).toBeCloseTo(wanted, 5);
  });

  test('an ignored label is none of the kind', async () => {
    for (const labelSmoothing of [0, 0.1]) {
      const options = { ignoreIndex: -100, labelSmoothing };
      expect(await losses.crossEntropy(tensor(z), [0, -100, 2, -100], options).item()).toBeGreaterThan(0);
      const wrong = losses.crossEntropy(tensor(z), [0, -100, 2, -99], options);
      expect(await complaint(() => wrong.item())).toBe(LABEL(3));
    }
  });

  test('a compiled step reads nothing back; whoever waits for it or reads anything hears of it once', async () => {
    const logits = new Parameter(z);
    const step = compile((labels) => {
      const loss = losses.meanAbsoluteError(logits, labels as Tensor);
      logits.assign(multiply(0.1, grad(loss, [logits])[0] as Tensor));
      return loss;
    });
    step(new Int32Array([0, 1, 2, 0]));
    await step.ready();
    const stage = vi.spyOn(engine().device.readback, 'stage');
    step(new Int32Array([0, 7, 2, -4]));
    for (let i = 0; i < 5; i++) step(new Int32Array([0, 1, 2, 0]));
    expect(stage).not.toHaveBeenCalled();
    stage.mockRestore();
    expect(await complaint(() => step.ready())).toBe(LABEL(1, 'meanAbsoluteError'));
    await step.ready();
    logits.assign(tensor(z));
    const loss = step(new Int32Array([0, 1, 2, 3]));
    expect(await complaint(() => logits.data())).toBe(LABEL(3, 'meanAbsoluteError'));
    expect(await loss.item()).toBeNaN();
    step.dispose();
  });

  test('rows of soft targets that do not sum to one, from both sides of the limit', async () => {
    const q = [
      [0.5, 0.25, 0.25],
      [0, 1, 0],
      [0, 0, 1],
      [1, 0, 0],
    ];
    const withLast = (extra: number) => [...q.slice(0, 3), [1 + extra, 0, 0]];
    const loss = (rows: number[][], options = {}) => losses.crossEntropy(tensor(z), rows, options);
    for (const near of [9e-4, -9e-4]) expect(await loss(withLast(near)).item()).toBeGreaterThan(0);
    for (const far of [1.1e-3, -1.1e-3, Number.NaN])
      expect(await complaint(() => loss(withLast(far)).item())).toBe(SUM(3));
    expect(await complaint(() => loss([[-0.5, 1.5, 0], ...q.slice(1)]).item())).toBe(SUM(0));
    // Class weights are no part of the sum, and smoothing keeps it.
    expect(await loss(q, { classWeights: [1, 2, 3], labelSmoothing: 0.2 }).item()).toBeGreaterThan(0);
    expect(await loss(withLast(1), { targets: 'accept' }).item()).toBeGreaterThan(0);
    expect(await loss(withLast(1), { targets: 'normalise' }).item()).toBeCloseTo(await loss(q).item(), 6);
    expect(await complaint(() => loss(withLast(-1), { targets: 'normalise' }).item())).toBe(
      'ValueError: losses.crossEntropy: the soft targets of row 3 hold NaN or negative numbers, or sum to zero.\n' +
        '  Mend: look at where they are made.',
    );
  });

  test('a parameter that leaves its range in a tensor or a scalar', async () => {
    let at = 0;
    const loss = (tau: Tensor) => losses.compSum(tensor(z), [0, 1, 2, 0], { tau });
    const step = compile(() => loss(scalar(() => at)));
    const wrong =
      'ValueError: losses.compSum: tau was out of range on the GPU; it must be at least 0.\n' +
      '  Mend: clamp the tensor or the scalar that gives tau.';
    expect(await step().item()).toBeGreaterThan(0);
    for (at of [-1e-6, Number.NaN]) expect(await complaint(() => step().item())).toBe(wrong);
    at = 3;
    expect(await step().item()).toBeGreaterThan(0);
    expect(await complaint(() => loss(tensor(-0.5)).item())).toBe(wrong);
    step.dispose();
  });

  test('NaN in logits is an error where it is asked for, and NaN elsewhere', async () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      for (const labelSmoothing of [0, 0.1]) {
        const logits = tensor([z[0] ?? [], [0, value, 1]]);
        expect(await losses.crossEntropy(logits, [0, 1], { labelSmoothing }).item()).toBeNaN();
        const checked = losses.crossEntropy(logits, [0, 1], { labelSmoothing, check: 'all' });
        expect(await complaint(() => checked.item())).toBe(
          'ValueError: losses.crossEntropy: row 1 of the logits holds NaN or Infinity.\n' +
            '  Mend: init({ anomaly: true }) names the op that made the first one.',
        );
      }
    }
    // Of what is ignored nothing is said.
    const ignoring = { ignoreIndex: 1, check: 'all', reduction: 'sum' } as const;
    expect(await losses.crossEntropy(tensor([[Number.NaN, 0]]), [1], ignoring).item()).toBe(0);
  });

  test('nobody complains where nobody is asked to', async () => {
    const values = losses.crossEntropy(tensor(z), [0, 3, 1, 0], { reduction: 'none', check: 'none' });
    expect((await values.data())[1]).toBeNaN();
    expect(await complaint(() => losses.crossEntropy(tensor(z), [0, 1, 2, 0], { check: 'labels' as 'all' }))).toBe(
      "ValueError: losses.crossEntropy: check is 'labels'; it must be 'targets', 'all' or 'none'.",
    );
    expect(
      await complaint(() => losses.crossEntropy(tensor(z), [0, 1, 2, 0], { targets: 'normalize' as 'error' })),
    ).toBe("ValueError: losses.crossEntropy: targets is 'normalize'; it must be 'error', 'normalise' or 'accept'.");
  });

  test('logits computed in the kernel leave room for its complaints among its buffers', async () => {
    const parts = Array.from({ length: 6 }, (_, i) => new Parameter(z.map((row) => row.map((x) => x * (i + 1)))));
    const step = compile(() =>
      sum(
        losses.crossEntropy(
          parts.slice(1).reduce<Tensor>((all, part) => add(all, part), parts[0] as Tensor),
          [0, 1, 2, 0],
        ),
      ),
    );
    const wanted = [0, 1, 2, 0].map(
      (y, i) =>
        compSum(
          (z[i] ?? []).map((x) => 21 * x),
          y,
          1,
        ).value,
    );
    expect(await step().item()).toBeCloseTo(wanted.reduce((a, b) => a + b) / 4, 3);
    step.dispose();
  });
});

describe('tuning', () => {
  useOwnEngine({ tune: 'now' });
  test('says nothing of the random data that it times on', async () => {
    const logits = new Parameter(Array.from({ length: 80 }, (_, i) => [i % 3, 1, 2]));
    const labels = Int32Array.from({ length: 80 }, (_, i) => i % 3);
    const step = compile(() => {
      const tau = tensor(1.5);
      const soft = losses.compSum(logits, labels, { tau, labelSmoothing: 0.1 });
      const hard = losses.compSum(logits, labels, { tau });
      const loss = add(soft, hard);
      return [loss, grad(loss, [logits])[0] as Tensor];
    });
    const warn = vi.spyOn(console, 'warn');
    // Whatever else the machine does: a budget that runs out is a warning as well.
    await step.prepare({ tune: 'now', tuningBudgetMs: 60_000 });
    // Nor does tuning take variants of the loss for wrong on it.
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
    expect(step.explain()).toContain('soft rows');
    const [loss] = step() as [Tensor];
    expect(await loss.item()).toBeGreaterThan(0);
    step.dispose();
  });
});
