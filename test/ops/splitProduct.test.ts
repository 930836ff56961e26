import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/graph/source.js';
import { add, compile, explain, optim, Parameter, relu, sum, type Tensor } from '../../src/index.js';
import { matmul } from '../../src/ops/matmul.js';
import { transpose } from '../../src/ops/shaping.js';
import { checkOp } from '../support/checkOp.js';
import { drawTensor } from '../support/drawTensor.js';
import { useOwnEngine, useVariantsOf } from '../support/engine.js';
import { forceVariant, questionsAsked, valuesBy } from '../support/forceVariant.js';
import { quads } from '../support/quads.js';

const INNER = 16_384;

/** Integers whose products sum exactly: one lost term shows. */
const whole = (shape: readonly number[], seed: number) => drawTensor(shape, seed, (r) => r.integer(-5, 5));

const engine = useOwnEngine();

/** A tile where quads run, else the one of every adapter. */
const tile = (name: string) => (quads ? name : 'register 16x8');

/** What is asked of the tuner when `apply` is planned: the class, and the variants' names. */
function questionOf(apply: (...inputs: Tensor[]) => unknown, ...inputs: Tensor[]) {
  const asked = questionsAsked(engine(), () => explain(apply, ...inputs));
  const question = asked.find(({ shapeClass }) => shapeClass.startsWith('matmul'));
  return { shapeClass: question?.shapeClass ?? '', names: (question?.variants ?? []).map(({ variant }) => variant) };
}

const partsIn = (names: readonly string[]) => new Set(names.flatMap((name) => /in \d+ parts/.exec(name) ?? []));

// 7 * 2341, 3 * 5501: the first of the welcome numbers that divides.
test.each([
  [1, INNER, 1, 'in 8 parts', ''],
  [16, INNER, 16, 'in 8 parts', ' by fours'],
  // Parts of 2049 terms, which do not go by fours, of a whole that does.
  [16, 8 * 2049, 16, 'in 8 parts', ''],
  [3, 16_387, 5, 'in 7 parts', ''],
  [3, 16_503, 5, 'in 3 parts', ''],
])('[%i, %i] by %i columns may go %s, in a class of its own', (rows, inner, columns, parts, ways) => {
  const { shapeClass, names } = questionOf(matmul, whole([rows, inner], 1), whole([inner, columns], 2));
  expect(shapeClass).toMatch(new RegExp(` ${parts}${ways}$`));
  expect(partsIn(names)).toEqual(new Set([parts]));
  // They round otherwise than one chain, so that nobody gets them unasked.
  expect(names[0]).not.toContain('parts');
});

test.each([
  ['more results than a tile', 17, INNER, 16],
  ['a short inner', 4, 4095, 4],
  ['a prime inner', 4, 16_411, 4],
])('not offered for %s', (_, rows, inner, columns) => {
  const { shapeClass, names } = questionOf(matmul, whole([rows, inner], 1), whole([inner, columns], 2));
  expect([shapeClass.includes('parts'), partsIn(names).size, names.length > 0]).toEqual([false, 0, true]);
});

test('nor beside the sums of its columns, which go through all of inner', () => {
  const both = (x?: Tensor, g?: Tensor) => [matmul(transpose(x as Tensor), g as Tensor), sum(g as Tensor, { axes: 0 })];
  const { shapeClass, names } = questionOf(both, whole([INNER, 4], 1), whole([INNER, 4], 2));
  expect([shapeClass.includes('parts'), partsIn(names).size, names.length > 0]).toEqual([false, 0, true]);
});

test.each([0, 1, 2, 3])('is right: layout %i, with an epilogue', async (layout) => {
  forceVariant(engine(), `${tile('quad 8x12')} in 8 parts`);
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
  const offBy = async (variant: string) => {
    const [value = Number.NaN] = await valuesBy(engine(), variant, matmul, a, b);
    return Math.abs(value - exact);
  };
  expect(await offBy(`${tile('quad 4x8')} in 8 parts`)).toBeLessThan((await offBy(tile('quad 4x8'))) / 2);
});

test('takes in the update of a weight', async () => {
  forceVariant(engine(), `${tile('quad 4x8')} in 8 parts`);
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

test.each([
  [`${tile('packed 16x16')} in 8 parts`, INNER],
  [`${tile('quad 16x16')} in 8 parts`, INNER],
  ['register 16x8 in 8 parts', INNER],
  // Parts of 2049 terms, which do not go by fours, of a whole that does.
  [`${tile('quad 16x8')} in 8 parts`, 8 * 2049],
] as const)('%s of %i terms is right', async (variant, inner) => {
  forceVariant(engine(), variant);
  const [a, b] = [whole([16, inner], 1), whole([inner, 16], 2)];
  await checkOp({ name: variant, inputs: [a, b], apply: matmul, integers: true, derivatives: 0 });
});

describe('on another kind of adapter', () => {
  const gpu = useVariantsOf('gpu');

  test('it is right too', async () => {
    const [a, b] = [whole([70, INNER], 1), whole([INNER, 3], 2)];
    expect(explain(matmul, a, b)).not.toContain('parts');
    forceVariant(gpu(), 'blocked 32x32 in 8 parts');
    await checkOp({ name: 'blocked in parts', inputs: [a, b], apply: matmul, integers: true, derivatives: 0 });
  });
});
