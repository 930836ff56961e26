import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { grad, sum } from '../../src/index.js';
import { multiply } from '../../src/ops/arithmetic.js';
import { averagePool2d, maxPool2d, type Pool2dOptions } from '../../src/ops/pool2d.js';
import { permute } from '../../src/ops/shaping.js';
import { tanh } from '../../src/ops/trigonometric.js';
import { checkOp } from '../support/checkOp.js';
import { complaint } from '../support/complaint.js';
import { useEngine } from '../support/engine.js';
import { random, seedOf } from '../support/random.js';

useEngine();

/** Whole numbers, no two alike within a window: differences then never cross from one maximum to another. */
function images(shape: readonly number[], seed: number): Tensor {
  const [count = 0, height = 0, width = 0, channels = 0] = shape;
  const draw = random(seed);
  const data = new Float32Array(count * height * width * channels);
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < channels; c++) {
      const values = Array.from({ length: 49 }, (_, i) => ({ i, order: draw.unit() })).sort(
        (a, b) => a.order - b.order,
      );
      for (let pixel = 0; pixel < height * width; pixel++) {
        const [y, x] = [Math.floor(pixel / width), pixel % width];
        data[(n * height * width + pixel) * channels + c] = (values[(y % 7) * 7 + (x % 7)]?.i ?? 0) - 24;
      }
    }
  }
  return tensor(data, { shape });
}

const windows: readonly (readonly [readonly number[], Pool2dOptions])[] = [
  [[1, 1, 1, 1], { window: 1 }],
  [[2, 4, 6, 3], { window: 2 }],
  [[2, 5, 7, 3], { window: 2 }],
  [[1, 5, 6, 2], { window: 3, stride: 2, padding: 1 }],
  [[1, 7, 5, 1], { window: [2, 3], stride: [3, 1], padding: [1, 0] }],
  [[2, 4, 5, 2], { window: 3, stride: 1, padding: 1 }],
  // Pixels that no window holds.
  [[1, 8, 8, 2], { window: 2, stride: 3 }],
  // One window for all of an image.
  [[3, 5, 4, 2], { window: [5, 4] }],
  [[9, 13, 11, 5], { window: 3, stride: 2 }],
  [[0, 4, 4, 3], { window: 2 }],
  [[2, 4, 4, 0], { window: 2 }],
];
const titled = windows.map(([shape, options]) => ({ shape, options, label: `[${shape}] ${JSON.stringify(options)}` }));

describe.each([
  { name: 'maxPool2d', pool: maxPool2d },
  { name: 'averagePool2d', pool: averagePool2d },
  {
    name: 'averagePool2d without padding',
    pool: (x: Tensor, options: Pool2dOptions) => averagePool2d(x, { ...options, countPadding: false }),
  },
])('$name', ({ name, pool }) => {
  test.each(titled)('$label', ({ shape, options, label }) =>
    checkOp({
      name,
      inputs: [images(shape, seedOf(label))],
      apply: (x) => pool(x, options),
      seed: seedOf(label),
      derivatives: 2,
    }),
  );

  test('of a computed, permuted image, with an epilogue', () =>
    checkOp({
      name,
      inputs: [images([2, 5, 6, 3], 4)],
      apply: (x) => tanh(pool(multiply(permute(x, [0, 2, 1, 3]), 2 ** -5), { window: 2, stride: 1 })),
      derivatives: 2,
    }));

  test('of NaN and infinities', () => {
    const data = Float32Array.from({ length: 36 }, (_, i) => (i * 7) % 11);
    data[8] = Number.NaN;
    data[21] = Number.POSITIVE_INFINITY;
    data[33] = Number.NEGATIVE_INFINITY;
    return checkOp({
      name,
      inputs: [tensor(data, { shape: [1, 6, 6, 1] })],
      apply: (x) => pool(x, { window: 3, stride: 1, padding: 1 }),
      integers: true,
      differences: false,
    });
  });
});

test('maxPool2d: padding is never the maximum, nor an image of -infinity anything else', async () => {
  const low = tensor(new Float32Array(9).fill(-5), { shape: [1, 3, 3, 1] });
  expect([...(await maxPool2d(low, { window: 3, stride: 1, padding: 1 }).data())]).toEqual(Array(9).fill(-5));
  const least = tensor(new Float32Array(4).fill(Number.NEGATIVE_INFINITY), { shape: [1, 2, 2, 1] });
  expect(await maxPool2d(least, { window: 2 }).item()).toBe(Number.NEGATIVE_INFINITY);
});

test('maxPool2d: of equals the first has the whole gradient, of NaN the first', async () => {
  const slopes = async (values: readonly number[]) => {
    const x = tensor(Float32Array.from(values), { shape: [1, 2, 3, 1] });
    const [gradient] = grad(sum(maxPool2d(x, { window: [2, 3] })), [x]) as [Tensor];
    return [...(await gradient.data())];
  };
  expect(await slopes([1, 3, 3, 3, 2, 3])).toEqual([0, 1, 0, 0, 0, 0]);
  expect(await slopes([-1, -1, -1, -1, -1, -1])).toEqual([1, 0, 0, 0, 0, 0]);
  expect(await slopes([1, Number.NaN, 9, Number.NaN, 2, 3])).toEqual([0, 1, 0, 0, 0, 0]);
});

test.each([
  ['maxPool2d', maxPool2d],
  ['averagePool2d', averagePool2d],
] as const)(
  '%s: images without pixels have no maximum and no average; unknown options are refused',
  async (name, pool) => {
    const none = tensor([], { shape: [1, 0, 4, 1] });
    expect(await complaint(() => pool(none, { window: 2, padding: 1 }))).toBe(
      `ShapeError: ${name}: x is [1, 0, 4, 1]: its images have no pixels.`,
    );
    expect(await complaint(() => pool(images([1, 4, 4, 1], 1), { window: 2, strid: 1 } as never))).toBe(
      `ValueError: ${name}: unknown option 'strid'. Did you mean 'stride'?`,
    );
  },
);

test('averagePool2d: padding counts as zeros, or not', async () => {
  const x = tensor(new Float32Array(4).fill(8), { shape: [1, 2, 2, 1] });
  const options = { window: 2, stride: 2, padding: 1 };
  expect([...(await averagePool2d(x, options).data())]).toEqual([2, 2, 2, 2]);
  expect([...(await averagePool2d(x, { ...options, countPadding: false }).data())]).toEqual([8, 8, 8, 8]);
});
