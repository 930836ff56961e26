import { conv2d, vjp, zeros } from '../../src/index.js';
import type { Case } from '../case.js';
import { type Computation, computation, sizeOf } from '../computation.js';
import type { JaxArray, JaxJs } from '../peers/jaxJs.js';
import { someOf } from '../random.js';

const [IMAGES, SIZE, INPUTS, OUTPUTS] = [32, 28, 16, 32];
const IMAGE = [IMAGES, SIZE, SIZE, INPUTS] as const;
const WEIGHT = [3, 3, INPUTS, OUTPUTS] as const;
const RESULT = [IMAGES, SIZE, SIZE, OUTPUTS] as const;
const PIXELS = IMAGES * SIZE * SIZE;
/** Elements of each result that are computed in float64; the engines are compared with each other in all. */
const REFERENCE_ELEMENTS = 64;

type Values = Float32Array<ArrayBuffer>;
type Terms = (index: number, visit: (left: number, right: number) => void) => void;

/** Each product of the sum that is one element of the result: which element of either operand. */
function sums(shape: readonly number[], terms: Terms): Computation['reference'] {
  return ([left = new Float32Array(), right = new Float32Array()]: readonly Values[]) => {
    const at = someOf(sizeOf(shape), REFERENCE_ELEMENTS);
    const values = at.map((index) => {
      let sum = 0;
      terms(index, (i, j) => {
        sum += (left[i] ?? 0) * (right[j] ?? 0);
      });
      return sum;
    });
    return { values, at };
  };
}

/** The pixel that lies `tap` away from another, the middle tap being 4; undefined beyond the image. */
function neighbour(pixel: number, tap: number): number | undefined {
  const down = (Math.floor(pixel / SIZE) % SIZE) + Math.floor(tap / 3) - 1;
  const across = (pixel % SIZE) + (tap % 3) - 1;
  if (down < 0 || down >= SIZE || across < 0 || across >= SIZE) return undefined;
  return (Math.floor(pixel / SIZE / SIZE) * SIZE + down) * SIZE + across;
}

/** Four times what rounding `terms` sums of about terms / 4 in all comes to. */
const tolerance = (terms: number) => ({
  largest: terms ** 1.5 * 2 ** -24,
  why: '4 sqrt(k) 2^-24 times the sum of |a b|, about k / 4',
});

const FLOPS = 2 * PIXELS * 9 * INPUTS * OUTPUTS;

/** jax-js knows channels first alone: it reads and writes by transposes, which its compiler makes views. */
const jaxConvolve = ({ lax }: JaxJs, x: JaxArray, weight: JaxArray) =>
  lax
    .convGeneralDilated(x.transpose([0, 3, 1, 2]), weight.transpose([3, 2, 0, 1]), [1, 1], 'SAME')
    .transpose([0, 2, 3, 1]);

/** 3 x 3 on [32, 28, 28, 16 -> 32], padded to keep the size: forward, and its gradient by either operand. */
export const convolutionCases: readonly Case[] = [
  computation({
    name: 'conv2d/forward',
    operands: [
      { shape: IMAGE, bound: 1 },
      { shape: WEIGHT, bound: 1 },
    ],
    flops: FLOPS,
    reference: sums(RESULT, (index, visit) => {
      const [pixel, output] = [Math.floor(index / OUTPUTS), index % OUTPUTS];
      for (let tap = 0; tap < 9; tap++) {
        const source = neighbour(pixel, tap);
        if (source === undefined) continue;
        for (let c = 0; c < INPUTS; c++) visit(source * INPUTS + c, (tap * INPUTS + c) * OUTPUTS + output);
      }
    }),
    tolerance: tolerance(9 * INPUTS),
    ours: (x, weight) => conv2d(x, weight, { padding: 'same' }),
    jaxJs: jaxConvolve,
    tfjs: (tf, x, weight) => tf.conv2d(x, weight, 1, 'same'),
  }),
  computation({
    name: 'conv2d/by-input',
    operands: [
      { shape: RESULT, bound: 1 },
      { shape: WEIGHT, bound: 1 },
    ],
    flops: FLOPS,
    reference: sums(IMAGE, (index, visit) => {
      const [pixel, input] = [Math.floor(index / INPUTS), index % INPUTS];
      for (let tap = 0; tap < 9; tap++) {
        const from = neighbour(pixel, 8 - tap);
        if (from === undefined) continue;
        for (let o = 0; o < OUTPUTS; o++) visit(from * OUTPUTS + o, (tap * INPUTS + input) * OUTPUTS + o);
      }
    }),
    tolerance: tolerance(9 * OUTPUTS),
    ours: (slope, weight) => {
      const x = zeros(IMAGE);
      return vjp(conv2d(x, weight, { padding: 'same' }), x, slope);
    },
    jaxJs: (jax, slope, weight) => {
      const body = jax.grad((x: JaxArray, s: JaxArray, w: JaxArray) => jaxConvolve(jax, x, w).mul(s).sum());
      return body(jax.numpy.zeros(IMAGE), slope, weight);
    },
    tfjs: (tf, slope, weight) => tf.conv2dTranspose(slope, weight, IMAGE, 1, 'same'),
  }),
  computation({
    name: 'conv2d/by-weight',
    operands: [
      { shape: IMAGE, bound: 1 },
      { shape: RESULT, bound: 1 },
    ],
    flops: FLOPS,
    reference: sums(WEIGHT, (index, visit) => {
      const [tap, input] = [Math.floor(index / OUTPUTS / INPUTS), Math.floor(index / OUTPUTS) % INPUTS];
      for (let pixel = 0; pixel < PIXELS; pixel++) {
        const source = neighbour(pixel, tap);
        if (source !== undefined) visit(source * INPUTS + input, pixel * OUTPUTS + (index % OUTPUTS));
      }
    }),
    tolerance: tolerance(PIXELS),
    ours: (x, slope) => {
      const weight = zeros(WEIGHT);
      return vjp(conv2d(x, weight, { padding: 'same' }), weight, slope);
    },
    jaxJs: (jax, x, slope) => {
      const body = jax.grad((w: JaxArray, s: JaxArray, image: JaxArray) => jaxConvolve(jax, image, w).mul(s).sum());
      return body(jax.numpy.zeros(WEIGHT), slope, x);
    },
    tfjs: (tf, x, dy) =>
      tf
        .engine()
        .runKernel(
          'Conv2DBackpropFilter',
          { x, dy },
          { strides: 1, pad: 'same', dataFormat: 'NHWC', filterShape: WEIGHT },
        ),
  }),
];
