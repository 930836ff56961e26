import { expect, test } from 'vitest';
import { compile, explain, matmul, type Tensor, tensor, toF16, transpose } from '../../src/index.js';
import { chooseStatic } from '../../src/kernels/variants.js';
import { hasQuads } from '../../src/ops/matmul/quadTiles.js';
import { slice } from '../../src/ops/shaping.js';
import { cases } from '../support/cases.js';
import { drawTensor } from '../support/drawTensor.js';
import { useOwnEngine } from '../support/engine.js';
import { forceVariant, questionsAsked, valuesBy } from '../support/forceVariant.js';
import { seedOf } from '../support/random.js';
import { checkColumnSums } from './columnSums.js';

const engine = useOwnEngine();
const VECTOR = 'vector';
// All kernels promise one chain of fma over inner, ascending.
const PLAIN = 'register 16x8';

const normal = (shape: readonly number[], seed: number) => drawTensor(shape, seed, (r) => r.normal());

test.each(
  cases({
    sizes: [
      [1, 1],
      [3, 15],
      [4, 16],
      [7, 17],
      [33, 64],
      [257, 301],
    ] as const,
    side: ['row', 'column'],
    layout: ['nn', 'nt', 'tn', 'tt'],
    dtype: ['f32', 'f16'],
  }),
)('the bits of other kernels: $label', async ({ sizes: [inner, outputs], side, layout, dtype, label }) => {
  const [rows, columns] = side === 'row' ? [1, outputs] : [outputs, 1];
  const [aTurned, bTurned] = [layout[0] === 't', layout[1] === 't'];
  const seed = seedOf(label);
  const a = normal(aTurned ? [inner, rows] : [rows, inner], seed);
  const b = normal(bTurned ? [columns, inner] : [inner, columns], seed + 1);
  const stored = (x: Tensor) => (dtype === 'f16' ? toF16(x) : x);
  const apply = (x: Tensor, y: Tensor) =>
    matmul(aTurned ? transpose(stored(x)) : stored(x), bTurned ? transpose(stored(y)) : stored(y));
  const plain = await valuesBy(engine(), PLAIN, apply, a, b);
  expect(plain.every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
  expect(await valuesBy(engine(), VECTOR, apply, a, b)).toEqual(plain);
});

test('in batches, one operand broadcast, of slices', async () => {
  const [a, b] = [normal([3, 20, 9], 3), normal([10, 1], 4)];
  const apply = (x: Tensor, y: Tensor) => matmul(slice(x, [0, 3], [1, 19], [2, 9]), slice(y, [1, 8]));
  expect(await valuesBy(engine(), VECTOR, apply, a, b)).toEqual(await valuesBy(engine(), PLAIN, apply, a, b));
});

test.each([
  ['a row on the left', 1, 70],
  ['a column on the right', 70, 1],
  ['both', 1, 1],
] as const)('column sums beside it: %s', (_, inputs, outputs) => {
  forceVariant(engine(), VECTOR);
  return checkColumnSums(37, inputs, outputs, 60 + outputs);
});

test('NaN and infinity stay in their row', async () => {
  const data = new Float32Array(20 * 5).fill(1);
  data[18 * 5 + 2] = Number.NaN;
  data[3 * 5 + 4] = Number.POSITIVE_INFINITY;
  const ones = tensor(new Float32Array(5).fill(1), { shape: [5, 1] });
  const found = await valuesBy(engine(), VECTOR, matmul, tensor(data, { shape: [20, 5] }), ones);
  const wanted = new Float32Array(20).fill(5);
  wanted[18] = Number.NaN;
  wanted[3] = Number.POSITIVE_INFINITY;
  expect(found).toEqual(wanted);
});

test('not offered for two matrices', async () => {
  await expect(valuesBy(engine(), VECTOR, matmul, normal([2, 3], 1), normal([3, 2], 2))).rejects.toThrow(
    `no variant ${VECTOR}`,
  );
});

test('it is what a vector gets on this adapter, but few results', () => {
  engine().tuner.choose = chooseStatic;
  const step = compile((a: Tensor, b: Tensor) => matmul(a, b));
  const isVector = (rows: number) =>
    step
      .explain(
        { data: new Float32Array(rows * 100), shape: [rows, 100] },
        { data: new Float32Array(100), shape: [100, 1] },
      )
      .includes('matmul (vector');
  const { software } = engine().device.facts;
  expect(isVector(500)).toBe(software);
  // Where quads run, few results go by a tile of theirs.
  expect(isVector(4)).toBe(software && !hasQuads(engine().device));
});

test('a choice for vectors is none for narrow matrices, which are of another class', () => {
  const asked = questionsAsked(engine(), () => {
    for (const columns of [1, 2]) explain(matmul, normal([500, 100], 1), normal([100, columns], 2));
  });
  expect(new Set(asked.map(({ shapeClass }) => shapeClass)).size).toBe(2);
});
