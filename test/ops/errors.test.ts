import { describe, expect, test } from 'vitest';
import { customGradient } from '../../src/autograd/customGradient.js';
import { grad, hvp, vjp } from '../../src/autograd/grad.js';
import { CotangentError } from '../../src/errors.js';
import { compile } from '../../src/graph/compile.js';
import { Parameter } from '../../src/graph/parameter.js';
import { constant, scalar, tensor } from '../../src/graph/source.js';
import { relu } from '../../src/ops/activation.js';
import { add, divide, maximum, multiply, negative, pow, square } from '../../src/ops/arithmetic.js';
import { broadcastTo } from '../../src/ops/broadcast.js';
import { toF32, toI32, toU32 } from '../../src/ops/casts.js';
import { equal, less } from '../../src/ops/comparison.js';
import { concatenate, stack } from '../../src/ops/concatenate.js';
import { conv2d } from '../../src/ops/conv2d.js';
import { arange, full, oneHot } from '../../src/ops/create.js';
import { cumulativeSum } from '../../src/ops/cumulative.js';
import { exp } from '../../src/ops/exponential.js';
import { gather, scatterAdd, takeByLabel } from '../../src/ops/gather.js';
import { and, where } from '../../src/ops/logical.js';
import { matmul } from '../../src/ops/matmul.js';
import { moments } from '../../src/ops/moments.js';
import { batchNorm, layerNorm } from '../../src/ops/normalize.js';
import { pad } from '../../src/ops/pad.js';
import { averagePool2d, maxPool2d } from '../../src/ops/pool2d.js';
import { Generator } from '../../src/ops/random.js';
import { argmax, max, mean, sum } from '../../src/ops/reduce.js';
import { expandDims, flatten, flip, permute, reshape, slice, squeeze, transpose } from '../../src/ops/shaping.js';
import { logSoftmax, softmax } from '../../src/ops/softmax.js';
import { complaint } from '../support/complaint.js';
import { useEngine } from '../support/engine.js';

useEngine();

const x = () =>
  tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
const integers = () => tensor(Int32Array.of(1, 2, 3));
const bools = () => tensor([true, false, true]);
const label = (dtype: 'i32' | 'u32' = 'i32') =>
  dtype === 'i32' ? tensor(Int32Array.of(0, 1)) : tensor(Uint32Array.of(0, 1));
const wrong = (value: unknown) => value as never;

type Row = readonly [run: () => unknown, text: string];

const tensors: readonly Row[] = [
  [
    () => tensor(new Float32Array(6), { shape: [2, 4] }),
    'ShapeError: tensor: shape [2, 4] has 8 elements, the data 6.',
  ],
  [
    () => tensor([[1, 2], [3]]),
    'ShapeError: tensor: nested arrays are ragged: one of length 1 beside one of 2 at depth 1.',
  ],
  [
    () => tensor(wrong([1, [2]])),
    'ShapeError: tensor: nested arrays are ragged: numbers and arrays side by side at depth 0.',
  ],
  [
    () => tensor([1, 2], { shape: [-2, -1] }),
    'ShapeError: tensor: shape is [-2,-1]; sizes must be integers of at least 0.',
  ],
  [
    () => tensor(wrong(['a'])),
    "DtypeError: tensor: an element is the string 'a'; elements must be numbers or booleans.",
  ],
  [
    () => tensor(wrong(null)),
    'DtypeError: tensor: data is null.\n  Mend: give a number, (nested) arrays of numbers, or a Float32Array, Int32Array or Uint32Array.',
  ],
  [
    () => tensor(wrong(new Float64Array(2))),
    'DtypeError: tensor: data is a Float64Array\n  Mend: give a Float32Array, Int32Array, Uint32Array, or (nested) arrays of numbers.',
  ],
  [
    () => scalar(wrong(3)),
    'ValueError: scalar: it takes a function that returns a number, not a number.\n  Mend: write scalar(() => value).',
  ],
  [
    () => maximum(integers(), Number.NaN),
    'DtypeError: maximum: the number NaN is no i32, the dtype of the tensor beside it.\n  Mend: cast the tensor first: toF32(x).',
  ],
  [
    () => equal(integers(), Number.NaN),
    'DtypeError: equal: the number NaN is no i32, the dtype of the tensor beside it.\n  Mend: cast the tensor first: toF32(x).',
  ],
  [
    () => and(bools(), 2),
    'DtypeError: and: the number 2 is no bool, the dtype of the tensor beside it.\n  Mend: cast the tensor first: toF32(x).',
  ],
  [
    () => pad(integers(), { low: [1], value: 1.5 }),
    'DtypeError: pad: the number 1.5 is no i32.\n  Mend: give an integer from -2^31 to 2^31 - 1.',
  ],
  [
    () => full([1], 1.5, { dtype: 'i32' }),
    'DtypeError: full: the number 1.5 is no i32.\n  Mend: give an integer from -2^31 to 2^31 - 1.',
  ],
  [
    () => full([1], -1, { dtype: 'u32' }),
    'DtypeError: full: the number -1 is no u32.\n  Mend: give an integer from 0 to 2^32 - 1.',
  ],
  [
    () => constant(2 ** 31, 'i32'),
    'DtypeError: constant: the number 2147483648 is no i32.\n  Mend: give an integer from -2^31 to 2^31 - 1.',
  ],
  [() => scalar(() => 2, 'bool').data(), 'DtypeError: scalar: the number 2 is no bool.\n  Mend: give 0 or 1.'],
  [
    () =>
      multiply(
        toU32(x()),
        scalar(() => -1, 'u32'),
      ).data(),
    'DtypeError: scalar: the number -1 is no u32.\n  Mend: give an integer from 0 to 2^32 - 1.',
  ],
  [
    () => x().item(),
    'ValueError: item: the tensor has 6 elements, shape [2, 3]; item reads exactly one.\n  Mend: use data() for all of them.',
  ],
  [
    () => new Parameter([1, 2]).assign(tensor([1])),
    'ShapeError: assign: the parameter is [2], the value [1].\n  Mend: reshape or expand the value first.',
  ],
  [
    () => new Parameter([1, 2]).assign(label()),
    'DtypeError: assign: the parameter is f32, the value i32.\n  Mend: cast it: toF32(value).',
  ],
];

const elementwise: readonly Row[] = [
  [
    () => add(x(), tensor([1, 2])),
    'ShapeError: add: shapes do not broadcast: [2, 3] and [2] (3 against 2 at axis -1).\n  Mend: make the axes equal, or one of them 1 (reshape), counting from the last.',
  ],
  [
    () => multiply(tensor([[1], [2]]), tensor([[1], [2], [3]])),
    'ShapeError: multiply: shapes do not broadcast: [2, 1] and [3, 1] (2 against 3 at axis -2).\n  Mend: make the axes equal, or one of them 1 (reshape), counting from the last.',
  ],
  [
    () => add(x(), integers()),
    'DtypeError: add: dtypes differ: f32 and i32.\n  Mend: cast one: toF32(x), toI32(x) or toU32(x).',
  ],
  [() => exp(integers()), 'DtypeError: exp: dtype is i32; it takes f32.\n  Mend: cast it: toF32(x).'],
  [() => pad(x(), [[1, 1]] as never), "ValueError: pad: unknown option '0'. known are: low, high, interior, value"],
  [
    () => new Generator(0).normal([2], { dtype: 'f16' } as never),
    "ValueError: random.normal: unknown option 'dtype'. known are: mean, standardDeviation",
  ],
  [() => relu(bools()), 'DtypeError: relu: dtype is bool; it takes f32.\n  Mend: cast it: toF32(x).'],
  [() => divide(integers(), 2), 'DtypeError: divide: dtype is i32; it takes f32.\n  Mend: cast it: toF32(x).'],
  [
    () => negative(tensor(Uint32Array.of(1))),
    'DtypeError: negative: dtype is u32; it takes f32, i32.\n  Mend: cast it: toF32(x).',
  ],
  [
    () => less(bools(), bools()),
    'DtypeError: less: dtype is bool; it takes f32, i32, u32.\n  Mend: cast it: toF32(x).',
  ],
  [() => and(x(), x()), 'DtypeError: and: dtype is f32; it takes bool.\n  Mend: cast it to bool.'],
  [() => add(x(), wrong('1')), "DtypeError: add: an operand is the string '1'.\n  Mend: give a Tensor or a number."],
  [() => pow(x(), wrong(undefined)), 'DtypeError: pow: an operand is undefined.\n  Mend: give a Tensor or a number.'],
  [
    () => where(x(), 1, 0),
    'DtypeError: where: the condition is f32, not bool.\n  Mend: compare first: where(greater(x, 0), a, b).',
  ],
  [
    () => where(bools(), tensor([1, 2, 3]), integers()),
    'DtypeError: where: dtypes differ: f32 and i32.\n  Mend: cast one: toF32(x), toI32(x) or toU32(x).',
  ],
  [
    () => broadcastTo(x(), [2, 4]),
    'ShapeError: broadcastTo: [2, 3] does not stretch to [2, 4].\n  Mend: only axes of size 1 stretch, counted from the last.',
  ],
  [
    () => broadcastTo(x(), [3]),
    'ShapeError: broadcastTo: [2, 3] does not stretch to [3].\n  Mend: only axes of size 1 stretch, counted from the last.',
  ],
];

const shaping: readonly Row[] = [
  [() => reshape(x(), [4, 2]), 'ShapeError: reshape: [2, 3] has 6 elements and does not fit [4, 2].'],
  [() => reshape(x(), [-1, -1]), 'ShapeError: reshape: [2, 3] has 6 elements and does not fit [-1, -1].'],
  [() => reshape(x(), [4, -1]), 'ShapeError: reshape: [2, 3] has 6 elements and does not fit [4, -1].'],
  [() => squeeze(x(), 0), 'ShapeError: squeeze: axis 0 of [2, 3] is 2, not 1.'],
  [() => expandDims(x(), 4), 'ShapeError: expandDims: axis is 4; it must be in [-3, 3).'],
  [() => flatten(x(), 2), 'ShapeError: flatten: axis is 2; it must be in [-2, 2).'],
  [() => permute(x(), [0, 0]), 'ShapeError: permute: order is [0, 0]; it must name each axis of [2, 3] once.'],
  [() => permute(x(), [0]), 'ShapeError: permute: order is [0]; it must name each axis of [2, 3] once.'],
  [() => transpose(tensor([1])), 'ShapeError: transpose: the tensor is [1]; it needs two axes.'],
  [() => slice(x(), 2), 'ShapeError: slice: index 2 is out of range for axis 0 of [2, 3].'],
  [() => slice(x(), 0, 0, 0), 'ShapeError: slice: 3 ranges for a tensor [2, 3].'],
  [() => slice(x(), [0, 2, 0]), 'ValueError: slice: the step of axis 0 is 0; it must be an integer other than 0.'],
  [() => flip(x(), [1, 1]), 'ShapeError: flip: axis 1 is named twice.'],
];

const kernels: readonly Row[] = [
  [
    () => matmul(x(), x()),
    'ShapeError: matmul: inner sizes differ: a is [2, 3], b is [2, 3] (3 against 2).\n  Mend: multiply by the transpose: matmul(a, transpose(b)).',
  ],
  [() => matmul(x(), tensor([1, 2])), 'ShapeError: matmul: inner sizes differ: a is [2, 3], b is [2] (3 against 2).'],
  [
    () => matmul(x(), tensor(2)),
    'ShapeError: matmul: a is [2, 3], b is []; neither may be 0-d.\n  Mend: use multiply for a product with a number.',
  ],
  [
    () => matmul(full([2, 4, 3], 0), full([3, 3, 5], 0)),
    'ShapeError: matmul: shapes do not broadcast: [2] and [3] (2 against 3 at axis -1).\n  Mend: make the axes equal, or one of them 1 (reshape), counting from the last.',
  ],
  [
    () => matmul(integers(), integers()),
    'DtypeError: matmul: dtype is i32; it takes f32, f16.\n  Mend: cast it: toF32(x).',
  ],
  [() => sum(x(), { axes: 2 }), 'ShapeError: sum: axis is 2; it must be in [-2, 2).'],
  [() => sum(tensor(1), { axes: 0 }), 'ShapeError: sum: axis is 0; a 0-d tensor has no axes.'],
  [() => max(x(), { axes: [0, -2] }), 'ShapeError: max: axis 0 is named twice.'],
  [() => sum(bools()), 'DtypeError: sum: dtype is bool; it takes f32, i32, u32, f16.\n  Mend: cast it: toF32(x).'],
  [() => mean(integers()), 'DtypeError: mean: dtype is i32; it takes f32, f16.\n  Mend: cast it: toF32(x).'],
  [() => argmax(tensor([], { shape: [0] })), 'ShapeError: argmax: the axis has no elements.'],
  [() => softmax(integers()), 'DtypeError: softmax: dtype is i32; it takes f32.\n  Mend: cast it: toF32(x).'],
  [() => logSoftmax(x(), { axes: 5 }), 'ShapeError: logSoftmax: axis is 5; it must be in [-2, 2).'],
  [
    () => cumulativeSum(bools()),
    'DtypeError: cumulativeSum: dtype is bool; it takes f32, i32, u32.\n  Mend: cast it: toF32(x).',
  ],
  [() => concatenate([]), 'ValueError: concatenate: there is nothing to concatenate.'],
  [
    () => concatenate([x(), tensor([[1]])]),
    'ShapeError: concatenate: tensor 1 is [1, 1], the first [2, 3]; they may differ along axis 0 alone.',
  ],
  [() => stack([]), 'ValueError: stack: there is nothing to stack.'],
  [() => stack([x(), tensor([1])]), 'ShapeError: stack: tensor 1 is [1], the first [2, 3].'],
  [() => pad(x(), { low: [1] }), 'ShapeError: pad: low is [1]; it needs one integer for each axis of [2, 3].'],
  [() => pad(x(), { high: [-3, 0] }), 'ShapeError: pad: [2, 3] would become [-1, 3].'],
  [() => pad(x(), { interior: [0, -1] }), 'ShapeError: pad: interior is [0, -1]; it cannot be negative.'],
  [
    () => pad(full([1, 1, 1, 1, 1, 1, 1, 1, 1], 0), { low: [1, 0, 0, 0, 0, 0, 0, 0, 0] }),
    'ShapeError: pad: the tensor has 9 axes; at most 8 can be padded.',
  ],
  [
    () => gather(x(), tensor([0])),
    'DtypeError: gather: indices are f32; they must be i32 or u32.\n  Mend: cast them: toI32(indices).',
  ],
  [
    () => scatterAdd(x(), integers(), 4),
    'ShapeError: scatterAdd: indices are [3]; axis 0 of the values [2, 3] must be their length.',
  ],
  [() => scatterAdd(x(), label(), -1), 'ValueError: scatterAdd: size is -1; it must be an integer of at least 0.'],
  [
    () => takeByLabel(x(), integers()),
    'ShapeError: takeByLabel: labels are [3], x is [2, 3]; labels must have its shape without the last axis.',
  ],
  [
    () => oneHot(tensor([1]), 2),
    'ValueError: oneHot: labels are f32; they must be i32 or u32.\n  Mend: cast them: toI32(labels).',
  ],
  [() => oneHot(label(), 1.5), 'ValueError: oneHot: classes is 1.5; it must be an integer of at least 0.'],
  [() => arange(0, 1, 0), 'ValueError: arange: start 0, end 1, step 0 give no finite sequence.'],
  [() => arange(0, 1, 1, { dtype: 'bool' }), 'ValueError: arange: dtype is bool; it takes f32, f16, i32, u32.'],
  [() => full([2, -1], 0), 'ShapeError: full: shape is [2,-1]; sizes must be integers of at least 0.'],
  [() => new Generator(-1), 'ValueError: random: seed is -1; it must be an integer from 0 to 2^53 - 1.'],
  [() => new Generator(0).bits([1.5]), 'ShapeError: random: shape is [1.5]; sizes must be integers of at least 0.'],
];

const image = (...shape: number[]) => full(shape, 0);
const ones = (...shape: number[]) => full(shape, 1);

const convolutions: readonly Row[] = [
  [
    () => conv2d(image(2, 5, 4), image(3, 3, 3, 5)),
    'ShapeError: conv2d: x is [2, 5, 4], weight is [3, 3, 3, 5]; both need four axes.\n  Mend: x is [images, height, width, channels], weight [down, across, inputs / groups, outputs].',
  ],
  [
    () => conv2d(image(2, 3, 5, 4), image(6, 3, 3, 3)),
    'ShapeError: conv2d: x is [2, 3, 5, 4], weight is [6, 3, 3, 3]: x has 4 channels, the weight takes 3.\n  Mend: x is [images, height, width, channels], weight [down, across, inputs / groups, outputs].',
  ],
  [
    () => conv2d(image(2, 5, 5, 4), image(3, 3, 4, 6), { groups: 2 }),
    'ShapeError: conv2d: x is [2, 5, 5, 4], weight is [3, 3, 4, 6]: x has 4 channels, 2 in each of 2 groups, the weight takes 4.\n  Mend: x is [images, height, width, channels], weight [down, across, inputs / groups, outputs].',
  ],
  [
    () => conv2d(image(2, 5, 5, 4), image(3, 3, 1, 6), { groups: 4 }),
    'ValueError: conv2d: groups is 4; it must be an integer that divides the 4 channels of x and the 6 outputs.',
  ],
  [
    () => conv2d(image(2, 5, 5, 4), image(3, 3, 4, 6), { groups: 0 }),
    'ValueError: conv2d: groups is 0; it must be an integer that divides the 4 channels of x and the 6 outputs.',
  ],
  [
    () => conv2d(image(2, 5, 5, 4), image(0, 3, 4, 6)),
    'ShapeError: conv2d: weight is [0, 3, 4, 6]; its window has no taps.',
  ],
  [
    () => conv2d(image(2, 5, 4, 1), image(3, 3, 1, 1), { dilation: 2 }),
    'ShapeError: conv2d: the window reaches over 5 pixels of axis 2, but [2, 5, 4, 1] has 4 there, padding included.\n  Mend: pad more, or let the window reach less far.',
  ],
  [
    () => conv2d(image(1, 5, 5, 1), image(3, 3, 1, 1), { stride: 0 }),
    'ValueError: conv2d: stride is 0; it must be an integer of at least 1, or two of them: [down, across].',
  ],
  [
    () => conv2d(image(1, 5, 5, 1), image(3, 3, 1, 1), { dilation: [1, 0.5] }),
    'ValueError: conv2d: dilation is [1, 0.5]; it must be an integer of at least 1, or two of them: [down, across].',
  ],
  [
    () => conv2d(image(1, 5, 5, 1), image(3, 3, 1, 1), { padding: wrong('valid') }),
    'ValueError: conv2d: padding is valid; it must be an integer of at least 0, or two of them: [down, across].',
  ],
  [
    () => conv2d(image(1, 5, 5, 1), image(3, 3, 1, 1), { padding: 'same', stride: 2 }),
    "ValueError: conv2d: padding is 'same' with a stride of [2, 2].\n  Mend: give the padding as a number: (size of the window - 1) / 2 halves an even size at stride 2.",
  ],
  [
    () => conv2d(tensor(Int32Array.of(1), { shape: [1, 1, 1, 1] }), tensor(Int32Array.of(1), { shape: [1, 1, 1, 1] })),
    'DtypeError: conv2d: dtype is i32; it takes f32.\n  Mend: cast it: toF32(x).',
  ],
];

const normalizations: readonly Row[] = [
  [() => moments(integers()), 'DtypeError: moments: dtype is i32; it takes f32.\n  Mend: cast it: toF32(x).'],
  [() => moments(x(), { axes: 2 }), 'ShapeError: moments: axis is 2; it must be in [-2, 2).'],
  [
    () => layerNorm(x(), ones(2), ones(3)),
    'ShapeError: layerNorm: weight is [2], x is [2, 3]; weight must be [3], as its normalized axes.',
  ],
  [
    () => layerNorm(x(), ones(3), ones(3, 1)),
    'ShapeError: layerNorm: bias is [3, 1], x is [2, 3]; bias must be [3], as its normalized axes.',
  ],
  [() => layerNorm(x(), ones(3), ones(3), { axes: 2 }), 'ShapeError: layerNorm: axis is 2; it must be in [-2, 2).'],
  [
    () => layerNorm(x(), ones(3), ones(3), { epsilon: -1 }),
    'ValueError: layerNorm: epsilon is -1; it must be at least 0.',
  ],
  [
    () => batchNorm(x(), ones(2), ones(3)),
    'ShapeError: batchNorm: weight is [2], x is [2, 3]; weight must be [3], as its last axis.',
  ],
  [
    () => batchNorm(x(), ones(3), ones(3), { statistics: { mean: ones(3), variance: ones(1) } }),
    'ShapeError: batchNorm: variance is [1], x is [2, 3]; variance must be [3], as its last axis.',
  ],
  [
    () => batchNorm(ones(1, 1, 3), ones(3), ones(3)),
    'ValueError: batchNorm: x is [1, 1, 3]: one value for each channel has no variance.\n  Mend: train on more than one example at once, or evaluate: model.eval().',
  ],
  [
    () => batchNorm(tensor(1), ones(1), ones(1)),
    'ShapeError: batchNorm: x is 0-d; its last axis must be the channels.',
  ],
  [
    () => batchNorm(x(), ones(3), ones(3), { epsilon: Number.NaN }),
    'ValueError: batchNorm: epsilon is NaN; it must be at least 0.',
  ],
];

const pooling: readonly Row[] = [
  [
    () => maxPool2d(x(), { window: 2 }),
    'ShapeError: maxPool2d: x is [2, 3]; it must be [images, height, width, channels].',
  ],
  [
    () => maxPool2d(image(1, 4, 2, 1), { window: 3 }),
    'ShapeError: maxPool2d: the window reaches over 3 pixels of axis 2, but [1, 4, 2, 1] has 2 there, padding included.\n  Mend: pad more, or let the window reach less far.',
  ],
  [
    () => averagePool2d(image(1, 4, 4, 1), { window: [3, 2], padding: [1, 2] }),
    'ValueError: averagePool2d: padding is [1, 2], more than half the window [3, 2].',
  ],
  [
    () => averagePool2d(image(1, 4, 4, 1), { window: 0 }),
    'ValueError: averagePool2d: window is 0; it must be an integer of at least 1, or two of them: [down, across].',
  ],
  [
    () => maxPool2d(image(1, 4, 4, 1), { window: 2, stride: [1, -1] }),
    'ValueError: maxPool2d: stride is [1, -1]; it must be an integer of at least 1, or two of them: [down, across].',
  ],
  [
    () => maxPool2d(tensor(Int32Array.of(1), { shape: [1, 1, 1, 1] }), { window: 1 }),
    'DtypeError: maxPool2d: dtype is i32; it takes f32.\n  Mend: cast it: toF32(x).',
  ],
];

const gradients: readonly Row[] = [
  [
    () => grad(x(), [x()]),
    'GradientError: grad: the root is [2, 3], not a scalar.\n  Mend: reduce it (mean, sum), or use vjp with a cotangent.',
  ],
  [
    () => grad(wrong(3), [x()]),
    'GradientError: grad: the root is not a Tensor.\n  Mend: give the loss first: grad(loss, parameters).',
  ],
  [() => grad(sum(x()), [integers()]), 'GradientError: grad: tensor 0 is i32; only f32 and f16 have gradients.'],
  [() => grad(sum(x()), wrong([3])), 'GradientError: grad: what to differentiate by holds 3, not a Tensor.'],
  [
    () => {
      const one = x();
      return grad(sum(toF32(one)), [one, new Parameter([1], { name: 'bias' })], { unused: 'error' });
    },
    "GradientError: grad: the root does not depend on tensor 1 ('bias'), [1].\n  Mend: leave it out, or pass { unused: 'zeros' }.",
  ],
  [
    () => grad(sum(x()), [tensor([1, 2])], { unused: 'error' }),
    "GradientError: grad: the root does not depend on tensor 0, [2].\n  Mend: leave it out, or pass { unused: 'zeros' }.",
  ],
  [() => vjp([x()], [x()], []), 'ValueError: vjp: 1 outputs but 0 cotangents.'],
  [() => vjp(x(), [x()], tensor([1])), 'ShapeError: vjp: output 0 is [2, 3], its cotangent [1].'],
  [() => hvp(sum(x()), [x()], []), 'ValueError: hvp: 1 tensors but 0 vectors.'],
  [() => hvp(sum(x()), [x()], [tensor([1])]), 'ShapeError: hvp: tensor 0 is [2, 3], its vector [1].'],
  [
    () => customGradient(wrong({ forward: square })),
    'ValueError: customGradient: it takes { forward, backward }, both functions.',
  ],
  [
    () => {
      const one = x();
      return grad(sum(customGradient({ forward: (a) => square(wrong(a)), backward: () => [] })(one)), [one]);
    },
    'ValueError: customGradient: backward gave 0 cotangents for 1 inputs.',
  ],
  [
    () => {
      const one = x();
      return grad(sum(customGradient({ forward: (a) => square(wrong(a)), backward: () => [tensor([1])] })(one)), [one]);
    },
    "ShapeError: customGradient: backward's cotangent 0 is [1], its input [2, 3].",
  ],
  [() => compile(wrong(3)), 'ValueError: compile: it takes a function, not number.'],
  [
    () => compile(async () => x(), { name: 'late' })(),
    'ValueError: late: the compiled function returned a promise.\n  Mend: await nothing inside it: read values outside, after the step.',
  ],
  [
    () => compile((a) => a, { name: 'step' })(wrong('x')),
    'DtypeError: step: an input is a string.\n  Mend: give Tensors, typed arrays, { data, shape } or numbers.',
  ],
  [
    () => compile((a) => a, { name: 'step' })(wrong({ data: new Float32Array(3), shape: [2] })),
    "ShapeError: step: an input's shape [2] has 2 elements, its data 3.",
  ],
];

const table = { tensors, elementwise, shaping, kernels, convolutions, normalizations, pooling, gradients };

describe.each(Object.entries(table).map(([name, rows]) => ({ name, rows })))('$name', ({ rows }) => {
  test.each(rows.map(([run, text]) => ({ run, text, title: text.split('\n')[0] })))('$title', async ({ run, text }) => {
    expect(await complaint(run)).toBe(text);
  });
});

test('an error names the line of the call, not one of the library', () => {
  const call = () => add(x(), tensor([1, 2]));
  try {
    call();
  } catch (error) {
    if (!(error instanceof CotangentError)) throw error;
    expect(error.callSite).toMatch(/^errors\.test\.ts:\d+:\d+$/);
    expect(error.message.split('\n')[1]).toBe(`  at ${error.callSite}`);
    return;
  }
  expect.fail('nothing was thrown');
});

test('a comparison of integers has no gradient to pass, and says nothing', async () => {
  const one = tensor([1, 2]);
  const [gradient] = grad(sum(multiply(one, toF32(equal(toI32(one), 1)))), [one]);
  expect([...((await gradient?.data()) ?? [])]).toEqual([1, 0]);
});
