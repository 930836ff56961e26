import { expect, test } from 'vitest';
import { theory } from '../../src/index.js';
import { complaint } from '../support/complaint.js';

/** What the types forbid, and JavaScript does not. */
const wrong = <T>(value: unknown) => value as T;

const p = [0.5, 0.5];
const z = [0, 1];
const known = { inputs: [0.5, 0.5], conditionals: [p, p] };
const tau = 1;

const table: [run: () => unknown, text: string][] = [
  [
    () => theory.conditionalRisk([0.5, 0.4], z, { tau }),
    'ValueError: theory.conditionalRisk: probabilities sum to 0.9; they must sum to 1, within 0.000001.\n  Mend: divide them by their sum.',
  ],
  [
    () => theory.conditionalRegret([], [], { tau }),
    'ValueError: theory.conditionalRegret: probabilities sum to 0; they must sum to 1, within 0.000001.\n  Mend: divide them by their sum.',
  ],
  [
    () => theory.bestConditionalRisk([1.5, -0.5], { tau }),
    'ValueError: theory.bestConditionalRisk: probabilities[0] is 1.5; it must be in [0, 1].',
  ],
  [
    () => theory.bestScores([Number.NaN, 1], { tau }),
    'ValueError: theory.bestScores: probabilities[0] is NaN; it must be in [0, 1].',
  ],
  [
    () => theory.conditionalZeroOneRisk(p, [0, Number.NaN]),
    'ValueError: theory.conditionalZeroOneRisk: scores[1] is NaN; it must be a finite number or -Infinity.',
  ],
  [
    () => theory.conditionalZeroOneRegret(p, [0, Number.POSITIVE_INFINITY]),
    'ValueError: theory.conditionalZeroOneRegret: scores[1] is Infinity; it must be a finite number or -Infinity.',
  ],
  [
    () => theory.conditionalZeroOneRisk(p, z, wrong({ ties: 'last' })),
    "ValueError: theory.conditionalZeroOneRisk: ties is 'last'; it must be 'first' or 'worst'.",
  ],
  [
    () => theory.conditionalRisk(p, [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY], { tau }),
    'ValueError: theory.conditionalRisk: scores are all -Infinity; one class at least must be possible.',
  ],
  [
    () => theory.conditionalRisk(p, [0, 1, 2], { tau }),
    'ShapeError: theory.conditionalRisk: scores are for 3 classes, probabilities for 2.',
  ],
  [
    () => theory.conditionalRisk(p, z, { tau: -0.5 }),
    'ValueError: theory.conditionalRisk: tau is -0.5; it must be a finite number, at least 0.',
  ],
  [
    () => theory.conditionalRisk(p, z, { tau: Number.NaN }),
    'ValueError: theory.conditionalRisk: tau is NaN; it must be a finite number, at least 0.',
  ],
  [
    () => theory.conditionalRisk(p, z, wrong({})),
    'ValueError: theory.conditionalRisk: tau is undefined; it must be a finite number, at least 0.',
  ],
  [
    () => theory.conditionalRisk(p, z, wrong({ tua: 1 })),
    "ValueError: theory.conditionalRisk: unknown option 'tua'. Did you mean 'tau'?",
  ],
  [
    () => theory.transform(1.5, { tau, classes: 2 }),
    'ValueError: theory.transform: beta is 1.5; it must be in [0, 1]: a difference of probabilities.',
  ],
  [
    () => theory.transform(0.5, wrong({ tau })),
    'ValueError: theory.transform: classes is undefined; it must be a positive integer.',
  ],
  [
    () => theory.inverseTransform(-1, { tau, classes: 2 }),
    'ValueError: theory.inverseTransform: t is -1; a regret is at least 0.',
  ],
  [
    () => theory.explicitInverse(Number.NaN, { tau, classes: 2 }),
    'ValueError: theory.explicitInverse: t is NaN; a regret is at least 0.',
  ],
  [
    () => theory.bound({ inputs: [0.5, 0.6], conditionals: [p, p] }, [z, z], { tau }),
    'ValueError: theory.bound: inputs sum to 1.1; they must sum to 1, within 0.000001.\n  Mend: divide them by their sum.',
  ],
  [
    () => theory.bound({ inputs: [0.5, 0.5], conditionals: [p, [0.5, 0.25, 0.25]] }, [z, z], { tau }),
    'ShapeError: theory.bound: conditionals[1] has 3 classes, conditionals[0] has 2; rows must be equally long.',
  ],
  [
    () => theory.bound({ inputs: [0.5, 0.5], conditionals: [p, [0.5, 0.25]] }, [z, z], { tau }),
    'ValueError: theory.bound: conditionals[1] sum to 0.75; they must sum to 1, within 0.000001.\n  Mend: divide them by their sum.',
  ],
  [
    () => theory.bound(known, [z], { tau }),
    'ShapeError: theory.bound: scores are for 1 inputs, but inputs holds 2 probabilities.',
  ],
  [
    () => theory.bound(known, [[0], [1]], { tau }),
    'ShapeError: theory.bound: scores[0] are for 1 classes, probabilities for 2.',
  ],
  [
    () => theory.bound(known, { data: new Float32Array(4), shape: [4] }, { tau }),
    'ShapeError: theory.bound: scores are [4] with 4 numbers; they must be [inputs, classes], full.',
  ],
  [
    () => theory.bound(known, { data: new Float32Array(3), shape: [2, 2] }, { tau }),
    'ShapeError: theory.bound: scores are [2, 2] with 3 numbers; they must be [inputs, classes], full.',
  ],
  [
    () => theory.bound(known, [z, z], wrong({ tau, hypotheses: { finite: [[z, z]] } })),
    "ValueError: theory.bound: unknown hypotheses 'finite'. known are: measurable, complete",
  ],
  [
    () => theory.minimizabilityGap(known, wrong('all'), { tau }),
    "ValueError: theory.minimizabilityGap: unknown hypotheses 'all'. known are: measurable, finite, complete",
  ],
  [
    () => theory.minimizabilityGap(known, { finite: [] }, { tau }),
    'ValueError: theory.minimizabilityGap: hypotheses.finite is empty; it must hold one model at least.',
  ],
  [
    () => theory.zeroOneMinimizabilityGap(known, { complete: [[z, z], [z]] }),
    'ShapeError: theory.zeroOneMinimizabilityGap: hypotheses.complete[1] are for 1 inputs, but inputs holds 2 probabilities.',
  ],
  [
    () => theory.minimizabilityGapBound(known, -1, { tau }),
    'ValueError: theory.minimizabilityGapBound: bestSumExponentialRisk is -1; a risk is at least 0.',
  ],
];

test.each(table.map(([run, text]) => ({ run, text, title: text.split('\n')[0] })))('$title', async ({ run, text }) => {
  expect(await complaint(run)).toBe(text);
});

test('just inside the limits nothing is wrong', () => {
  expect(theory.conditionalRisk([0.5, 0.5 + 9e-7], z, { tau: 0 })).toBeGreaterThan(0);
  expect(theory.transform(1, { tau: 0, classes: 1 })).toBe(1);
  expect(theory.inverseTransform(0, { tau: 1.5, classes: 2 })).toBe(0);
  expect(theory.minimizabilityGapBound(known, Number.POSITIVE_INFINITY, { tau: 1 })).toBe(Number.POSITIVE_INFINITY);
});
