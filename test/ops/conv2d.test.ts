import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { compile } from '../../src/index.js';
import { relu } from '../../src/ops/activation.js';
import { add } from '../../src/ops/arithmetic.js';
import { type Conv2dOptions, conv2d } from '../../src/ops/conv2d.js';
import { matmul } from '../../src/ops/matmul.js';
import { permute, reshape } from '../../src/ops/shaping.js';
import { tanh } from '../../src/ops/trigonometric.js';
import { checkOp } from '../support/checkOp.js';
import { complaint } from '../support/complaint.js';
import { drawTensor } from '../support/drawTensor.js';
import { useEngine, useVariantsOf } from '../support/engine.js';
import { quads } from '../support/quads.js';
import { seedOf } from '../support/random.js';

const normal = (shape: readonly number[], seed: number) => drawTensor(shape, seed, (r) => r.normal());
/** Integers: each product and sum is exact in f32, so a wrong or missing term shows wherever it is. */
const whole = (shape: readonly number[], seed: number) => drawTensor(shape, seed, (r) => r.integer(-5, 5));

type Shapes = readonly [image: readonly number[], weight: readonly number[], options?: Conv2dOptions];

/** Sizes off every tile, windows that leave the image on some side, and all options, alone and together. */
const small: readonly Shapes[] = [
  [
    [1, 1, 1, 1],
    [1, 1, 1, 1],
  ],
  [
    [2, 5, 4, 3],
    [3, 3, 3, 5],
  ],
  [[2, 5, 4, 3], [3, 3, 3, 5], { padding: 1 }],
  [[1, 6, 7, 2], [3, 2, 2, 4], { stride: 2, padding: 1 }],
  [[2, 7, 5, 1], [2, 3, 1, 2], { stride: [2, 3], padding: [0, 1] }],
  [[1, 8, 7, 2], [3, 2, 2, 3], { dilation: [2, 3], padding: [2, 0] }],
  [[1, 9, 9, 2], [3, 3, 2, 2], { stride: 3, dilation: 2, padding: 2 }],
  [[2, 4, 5, 6], [3, 3, 2, 9], { groups: 3, padding: 'same' }],
  [[1, 5, 4, 5], [3, 3, 1, 5], { groups: 5, stride: 2, padding: 1 }],
  [[1, 5, 4, 3], [2, 2, 1, 6], { groups: 3 }],
  [[2, 4, 4, 3], [4, 2, 3, 2], { padding: 'same' }],
  [[1, 2, 2, 2], [3, 3, 2, 2], { padding: 4, stride: 2 }],
  // A stride beyond the window: pixels that nothing reads.
  [[1, 7, 7, 2], [1, 1, 2, 3], { stride: 3 }],
];
const titled = (list: readonly Shapes[]) =>
  list.map(([image, weight, options = {}]) => {
    const label = `[${image}] by [${weight}] ${JSON.stringify(options)}`;
    return { image, weight, options, label, seed: seedOf(label) };
  });

function checkWhole({ image, weight, options, seed }: ReturnType<typeof titled>[number], derivatives: 0 | 1 | 2) {
  return checkOp({
    name: `conv2d ${JSON.stringify(options)}`,
    inputs: [whole(image, seed), whole(weight, seed + 1)],
    apply: (x, w) => conv2d(x, w, options),
    seed,
    integers: true,
    derivatives,
    differences: false,
  });
}

/** Beyond one tile in rows, columns, steps and segments. */
const large = titled([
  [[2, 9, 11, 17], [3, 3, 17, 19], { padding: 1 }],
  [
    [1, 13, 8, 33],
    [1, 1, 33, 34],
  ],
  [[3, 8, 9, 6], [5, 5, 6, 13], { stride: 2, padding: 2 }],
  [[2, 7, 9, 12], [3, 3, 6, 10], { groups: 2, dilation: 2, padding: 2 }],
  [[9, 33, 31, 2], [2, 2, 2, 3], { stride: [1, 2] }],
]);

const kernels = {
  quad: quads ? '(quad' : '(register',
  gpu: '(register',
  plain: '(register',
  second: 'tuned)',
  last: 'tuned)',
} as const;

describe.each(['quad', 'gpu', 'plain', 'second', 'last'] as const)('the kernels of an adapter, %s', (kind) => {
  if (kind === 'quad') useEngine();
  else useVariantsOf(kind);

  test('are its own', () => {
    const run = compile((x: Tensor, w: Tensor) => conv2d(x, w));
    const given = { data: new Float32Array(16), shape: [1, 4, 4, 1] };
    const text = run.explain(given, { data: new Float32Array(9), shape: [3, 3, 1, 1] });
    expect(text).toContain(kernels[kind]);
    run.dispose();
  });

  test.each(titled(small))('whole numbers, $label', (given) => checkWhole(given, 2));
  test.each(large)('whole numbers beyond a tile, $label', (given) => checkWhole(given, 1));

  test('a weight gradient of several parts, the last one short, is the sum of them', () =>
    checkWhole(titled([[[17, 12, 11, 1], [3, 3, 1, 2], { padding: 1 }]])[0] as ReturnType<typeof titled>[number], 1));
});

describe('everywhere', () => {
  useEngine();

  test.each(titled(small))('gradients against differences, $label', ({ image, weight, options, seed }) =>
    checkOp({
      name: 'conv2d',
      inputs: [normal(image, seed), normal(weight, seed + 1)],
      apply: (x, w) => conv2d(x, w, options),
      seed,
      derivatives: 2,
    }),
  );

  test.each(
    titled([
      [[0, 5, 4, 3], [3, 3, 3, 5], { padding: 1 }],
      [
        [2, 5, 4, 0],
        [3, 3, 0, 5],
      ],
      [
        [2, 5, 4, 3],
        [3, 3, 3, 0],
      ],
    ]),
  )('of nothing, $label', (given) => checkWhole(given, 1));

  test('bias and activation run in its store, a computed image before it', async () => {
    const apply = (x: Tensor, w: Tensor, b: Tensor) => tanh(add(conv2d(tanh(x), w, { padding: 1 }), b));
    await checkOp({
      name: 'tanh(conv2d(tanh(x), w) + b)',
      inputs: [normal([2, 5, 6, 3], 1), normal([3, 3, 3, 7], 2), normal([7], 3)],
      apply,
      derivatives: 2,
    });
    const step = compile((x: Tensor, w: Tensor, b: Tensor) => relu(add(conv2d(x, w), b)));
    const text = step.explain(
      { data: new Float32Array(75), shape: [1, 5, 5, 3] },
      { data: new Float32Array(108), shape: [3, 3, 3, 4] },
      new Float32Array(4),
    );
    expect(text).toContain('conv2d+add+relu');
    expect(text.match(quads ? /\(quad/g : /\(register/g)).toHaveLength(1);
    step.dispose();
  });

  test('images and weights in PyTorch order come by permute', async () => {
    const [x, w] = [whole([2, 3, 5, 4], 1), whole([6, 3, 3, 2], 2)];
    await checkOp({
      name: 'conv2d of permuted operands',
      inputs: [x, w],
      apply: (image, taps) => permute(conv2d(permute(image, [0, 2, 3, 1]), permute(taps, [2, 3, 1, 0])), [0, 3, 1, 2]),
      integers: true,
      differences: false,
      shape: [2, 6, 3, 3],
    });
  });

  test('a window of one pixel is a matrix product', async () => {
    const [x, w] = [normal([2, 3, 5, 7], 1), normal([1, 1, 7, 4], 2)];
    const flat = matmul(reshape(x, [30, 7]), reshape(w, [7, 4]));
    expect(await conv2d(x, w).data()).toEqual(await flat.data());
  });

  test('NaN and infinity reach the windows that see them, and no others', async () => {
    const data = new Float32Array(2 * 5 * 6 * 2).fill(1);
    data[(1 * 6 + 4) * 2 + 1] = Number.NaN;
    data[60 + (4 * 6 + 0) * 2] = Number.POSITIVE_INFINITY;
    const x = tensor(data, { shape: [2, 5, 6, 2] });
    for (const options of [{}, { padding: 1 }, { stride: 2, padding: 1 }, { dilation: 2, padding: 2 }]) {
      const result = conv2d(x, whole([3, 3, 2, 3], 5), options);
      await checkOp({ name: 'conv2d', inputs: [x], apply: () => result, derivatives: 0 });
      const slope = (given: Tensor) => conv2d(given, whole([3, 3, 2, 3], 5), options);
      await checkOp({ name: 'conv2d of NaN', inputs: [x], apply: slope, integers: true, differences: false });
    }
    await checkOp({
      name: 'conv2d by NaN',
      inputs: [whole([1, 4, 4, 2], 1), tensor(Float32Array.of(1, Number.NaN, 2, 3), { shape: [1, 1, 2, 2] })],
      apply: (image, w) => conv2d(image, w),
      integers: true,
      differences: false,
    });
  });

  test('an image may have more pixels than one dispatch has workgroups for tiles', async () => {
    // 65535 workgroups of 32 rows hold 2,097,120 of these 2,102,500 pixels.
    const data = Float32Array.from({ length: 1450 * 1450 }, (_, i) => i % 1021);
    const x = tensor(data, { shape: [1, 1450, 1450, 1] });
    const w = tensor([3], { shape: [1, 1, 1, 1] });
    const tripled = await conv2d(x, w).data();
    expect(tripled.findIndex((value, i) => value !== 3 * (data[i] ?? 0))).toBe(-1);
  });

  test('an option that it does not know is refused', async () => {
    const apply = () => conv2d(whole([1, 4, 4, 1], 1), whole([2, 2, 1, 1], 2), { strides: 2 } as never);
    expect(await complaint(apply)).toBe("ValueError: conv2d: unknown option 'strides'. Did you mean 'stride'?");
  });

  test('two runs give the same bits', async () => {
    const [x, w] = [normal([3, 17, 19, 9], 5), normal([3, 3, 9, 11], 6)];
    expect(await conv2d(x, w, { padding: 1 }).data()).toEqual(await conv2d(x, w, { padding: 1 }).data());
  });
});
