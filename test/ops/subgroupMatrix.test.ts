import { beforeEach, describe, expect, test } from 'vitest';
import { Device, SUBGROUP_MATRIX } from '../../src/device/device.js';
import { add, matmul, relu, type Tensor, toF16, transpose } from '../../src/index.js';
import type { Element } from '../../src/ops/matmul/shape.js';
import { subgroupMatrices } from '../../src/ops/matmul/subgroupMatrices.js';
import { slice } from '../../src/ops/shaping.js';
import { cases } from '../support/cases.js';
import { checkOp } from '../support/checkOp.js';
import { drawTensor } from '../support/drawTensor.js';
import { useOwnEngine } from '../support/engine.js';
import { forceVariant, valuesBy } from '../support/forceVariant.js';
import { seedOf } from '../support/random.js';
import { checkColumnSums, columnSumSizes } from './columnSums.js';
import { checkManyBatches, checkNonFinite } from './productLaws.js';

// Few adapters have the feature, and of browsers Chrome alone, with a flag: see "A second adapter" in CONTRIBUTING.md.
const device = await Device.open();
const EXTENTS = { rows: 64, columns: 64, inner: 64, batches: 1, aTransposed: false, bTransposed: false, byFours: true };
const offered = (['f16', 'f32'] as const).flatMap((element) =>
  subgroupMatrices(device, { ...EXTENTS, aElement: element, bElement: element }).map(({ variant }) => ({
    element,
    variant,
  })),
);
device.destroy();

describe('what is offered, by what the adapter says of itself', () => {
  /** Of arithmetic alone: nothing runs. */
  const offers = (
    matrices: readonly (readonly [number, number, number, string, string?])[],
    { lanes = [32, 32], bytes = 32_768, elements = ['f16', 'f16'], features = [SUBGROUP_MATRIX] } = {},
  ) =>
    subgroupMatrices(
      {
        features: new Set(features),
        facts: {
          ...device.facts,
          subgroupMinSize: lanes[0] as number,
          subgroupMaxSize: lanes[1] as number,
          subgroupMatrices: matrices.map(([M, N, K, componentType, resultComponentType = 'f32']) => ({
            M,
            N,
            K,
            componentType,
            resultComponentType,
          })),
        },
        limits: { maxComputeWorkgroupStorageSize: bytes, maxComputeInvocationsPerWorkgroup: 256 } as GPUSupportedLimits,
      },
      { ...EXTENTS, rows: 300, columns: 200, aElement: elements[0] as Element, bElement: elements[1] as Element },
    );

  test('f16 of two f16, every size; else f32, which widens', () => {
    const both = offers([
      [8, 8, 8, 'f32'],
      [16, 16, 16, 'f16'],
      [16, 8, 32, 'f16'],
      [16, 16, 16, 'f16', 'f16'],
      [16, 16, 32, 'u8', 'u32'],
    ]);
    expect(both.map(({ variant }) => variant)).toEqual(['subgroup matrix 16x16x16', 'subgroup matrix 16x8x32']);
    expect(both[1]?.replace).toMatchObject({
      M: 'const M = 16u;',
      N: 'const N = 8u;',
      K: 'const K = 32u;',
      Component: 'alias Component = f16;',
      LeftElement: 'alias LeftElement = f16;',
    });
    // Blocks of 8 M rows and 4 N columns; four subgroups.
    expect(both[1]?.workgroups).toEqual([7, 3, 1]);
    expect(both[1]?.overrides.WORKGROUP_SIZE).toBe(128);
    for (const elements of [
      ['f32', 'f16'],
      ['f16', 'f32'],
      ['f32', 'f32'],
      ['f16', 'f16'],
    ]) {
      const [only, ...more] = offers([[8, 8, 8, 'f32']], { elements });
      expect(more).toEqual([]);
      expect(only?.replace).toMatchObject({
        Component: 'alias Component = f32;',
        LeftElement: `alias LeftElement = ${elements[0]};`,
        RightElement: `alias RightElement = ${elements[1]};`,
      });
    }
  });

  test('none that does not fit', () => {
    expect(offers([[8, 8, 8, 'f32']], { features: [] })).toEqual([]);
    expect(offers([[8, 8, 8, 'f16']], { elements: ['f32', 'f16'] })).toEqual([]);
    expect(offers([[8, 8, 8, 'f16']], { lanes: [16, 32] })).toEqual([]);
    // More invocations than a workgroup may have; fewer than columns to sum.
    expect(offers([[8, 8, 8, 'f16']], { lanes: [128, 128] })).toEqual([]);
    expect(offers([[8, 16, 16, 'f16']], { lanes: [8, 8] })).toEqual([]);
    // Operands 2 K (8 M + 4 N) of two bytes, and four matrices of sums.
    const bytes = 2 * 2 * 16 * (8 * 16 + 4 * 16) + 4 * 4 * 16 * 16;
    expect(offers([[16, 16, 16, 'f16']], { bytes })).toHaveLength(1);
    expect(offers([[16, 16, 16, 'f16']], { bytes: bytes - 1 })).toEqual([]);
  });

  test('this adapter is offered what it lists', () => {
    const { features, facts } = device;
    const usable = facts.subgroupMatrices.some(
      (one) => one.componentType === 'f16' && one.resultComponentType === 'f32',
    );
    const alike = facts.subgroupMinSize === facts.subgroupMaxSize;
    expect(offered.some(({ element }) => element === 'f16')).toBe(features.has(SUBGROUP_MATRIX) && usable && alike);
  });
});

test('a device without the feature is offered none', async () => {
  const plain = await Device.open({ withoutFeatures: [SUBGROUP_MATRIX] });
  expect(subgroupMatrices(plain, { ...EXTENTS, aElement: 'f16', bElement: 'f16' })).toEqual([]);
  plain.destroy();
});

describe.skipIf(offered.length === 0).each(offered)('$variant of $element', ({ element, variant }) => {
  const engine = useOwnEngine();
  beforeEach(() => forceVariant(engine(), variant));
  const stored = (x: Tensor) => (element === 'f16' ? toF16(x) : x);
  /** Integers, which f16 holds: products and their sums are exact in any order. */
  const whole = (shape: readonly number[], seed: number) => drawTensor(shape, seed, (r) => r.integer(-7, 7));

  const sizes = [
    [1, 1, 1],
    [64, 16, 32],
    [65, 17, 33],
    [3, 7, 257],
    [257, 33, 5],
    [130, 40, 70],
  ] as const;
  test.each(cases({ size: sizes, layout: ['nn', 'nt', 'tn', 'tt'] }))(
    'every term once, $label',
    async ({ size: [rows, inner, columns], layout, label }) => {
      const seed = seedOf(label);
      const [aTurned, bTurned] = [layout[0] === 't', layout[1] === 't'];
      await checkOp({
        name: `matmul ${layout}`,
        inputs: [
          whole(aTurned ? [inner, rows] : [rows, inner], seed),
          whole(bTurned ? [columns, inner] : [inner, columns], seed + 1),
        ],
        apply: (a, b) => matmul(aTurned ? transpose(stored(a)) : stored(a), bTurned ? transpose(stored(b)) : stored(b)),
        derivatives: 0,
        shape: [rows, columns],
      });
    },
  );

  test.each(columnSumSizes)('column sums beside it: batch %i, %i by %i', (batch, inputs, outputs) =>
    checkColumnSums(batch, inputs, outputs, 40 + batch, stored),
  );

  test('sums as well as a chain does', () =>
    checkOp({
      name: 'matmul',
      inputs: [drawTensor([70, 300], 1, (r) => r.normal()), drawTensor([300, 40], 2, (r) => r.normal())],
      apply: (a, b) => matmul(stored(a), stored(b)),
      derivatives: 0,
    }));

  test('in batches, of slices, with an epilogue', () =>
    checkOp({
      name: 'relu(a b + c)',
      inputs: [whole([3, 1, 20, 19], 3), whole([2, 19, 33], 4), whole([33], 5)],
      apply: (a, b, c) => relu(add(matmul(slice(stored(a), [0, 3], [0, 1], [1, 18]), stored(b)), c)),
      derivatives: 0,
      shape: [3, 2, 17, 33],
    }));

  test('NaN and infinity stay in their row and column', () => checkNonFinite(engine(), variant, stored));

  test('more batches than a dispatch has workgroups in a dimension', () => checkManyBatches(engine(), variant, stored));

  test('two runs give the same bits', async () => {
    const apply = (a: Tensor, b: Tensor) => matmul(stored(a), stored(b));
    const [a, b] = [drawTensor([129, 257], 6, (r) => r.normal()), drawTensor([257, 65], 7, (r) => r.normal())];
    const once = await valuesBy(engine(), variant, apply, a, b);
    expect(once.every(Number.isFinite)).toBe(true);
    expect(await valuesBy(engine(), variant, apply, a, b)).toEqual(once);
  });
});
