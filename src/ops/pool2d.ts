import indexWgsl from '../../shaders/pooling/maxIndex.wgsl';
import placeWgsl from '../../shaders/pooling/place.wgsl';
import spreadWgsl from '../../shaders/pooling/spread.wgsl';
import sumWgsl from '../../shaders/pooling/sum.wgsl';
import takeWgsl from '../../shaders/pooling/take.wgsl';
import { checkNames, formatShape, ShapeError, ValueError } from '../errors.js';
import { lowering } from '../graph/lowering.js';
import type { Attributes, KernelOp } from '../graph/op.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import { asTensor } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { divide } from './arithmetic.js';
import { ones } from './create.js';
import { linearGrid } from './elements.js';
import { checkDtype } from './elementwise.js';
import { type Pair, pairOf, windowAlong } from './window.js';

export interface Pool2dOptions {
  /** Pixels of a window: one number, or `[down, across]`. */
  readonly window: Pair;
  /** From one window to the next. Default: the window, so that none overlap. */
  readonly stride?: Pair;
  /** Pixels around the image, at most half a window. Default 0. */
  readonly padding?: Pair;
}

export interface AveragePool2dOptions extends Pool2dOptions {
  /** Whether padding counts as zeros (true, default, as in PyTorch) or not at all. */
  readonly countPadding?: boolean;
}

const OPTIONS = ['window', 'stride', 'padding'];

interface Windows extends Attributes {
  readonly window: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
}

/** What every pooling kernel is told: the images, the windows over them, and the result it makes. */
function shared(node: Tensor, images: Shape, windows: Shape) {
  const { window, stride, padding } = node.attributes as Windows;
  const [, height = 0, width = 0, channels = 0] = images;
  const [, lines = 0, columns = 0] = windows;
  const { workgroups, gridWidth, overrides } = linearGrid(node.size);
  const sizes = { height, width, lines, columns, channels, elements: node.size, gridWidth };
  const pairs = {
    ...{ 'window.0': window[0] ?? 1, 'window.1': window[1] ?? 1 },
    ...{ 'stride.0': stride[0] ?? 1, 'stride.1': stride[1] ?? 1 },
    ...{ 'padding.0': padding[0] ?? 0, 'padding.1': padding[1] ?? 0 },
  };
  return { uniforms: { ...sizes, ...pairs }, overrides, workgroups };
}

/** Pixels or windows of all images, by channels. */
const byChannel = (tensor: Tensor) => ({ tensor, extents: [sizeOf(tensor.shape.slice(0, -1)), tensor.shape[3] ?? 1] });

/** Has no derivative: it is where something is. */
const indexOp: KernelOp = {
  name: 'maxPoolIndex',
  kind: 'kernel',
  access: ['hook'],
  lower: ({ node, inputs }) => {
    const [x] = inputs as [Tensor];
    return lowering({
      ...shared(node, x.shape, node.shape),
      kernel: indexWgsl,
      loads: { load_source: byChannel(x) },
      stores: { store_result: byChannel(node) },
    });
  },
};

/** Linear in its images, and the next op's transpose. */
const takeOp: KernelOp = {
  name: 'poolTake',
  kind: 'kernel',
  access: ['hook', 'hook'],
  epilogue: true,
  vjp: ({ cotangent, inputs: [x, index], attributes }) => [
    new Tensor(placeOp, [cotangent, index as Tensor], (x as Tensor).shape, 'f32', attributes),
    undefined,
  ],
  lower: ({ node, inputs }) => {
    const [x, index] = inputs as [Tensor, Tensor];
    return lowering({
      ...shared(node, x.shape, node.shape),
      kernel: takeWgsl,
      loads: { load_source: byChannel(x), load_index: byChannel(index) },
      stores: { store_result: byChannel(node) },
    });
  },
};

const placeOp: KernelOp = {
  name: 'poolPlace',
  kind: 'kernel',
  access: ['hook', 'hook'],
  epilogue: true,
  vjp: ({ cotangent, inputs: [values, index], attributes }) => [
    new Tensor(takeOp, [cotangent, index as Tensor], (values as Tensor).shape, 'f32', attributes),
    undefined,
  ],
  lower: ({ node, inputs }) => {
    const [values, index] = inputs as [Tensor, Tensor];
    return lowering({
      ...shared(node, node.shape, values.shape),
      kernel: placeWgsl,
      loads: { load_source: byChannel(values), load_index: byChannel(index) },
      stores: { store_result: byChannel(node) },
    });
  },
};

/** Linear, and the next op's transpose. */
const sumOp: KernelOp = {
  name: 'poolSum',
  kind: 'kernel',
  access: ['hook'],
  epilogue: true,
  vjp: ({ cotangent, inputs: [x], attributes }) => [
    new Tensor(spreadOp, [cotangent], (x as Tensor).shape, 'f32', attributes),
  ],
  lower: ({ node, inputs }) => {
    const [x] = inputs as [Tensor];
    return lowering({
      ...shared(node, x.shape, node.shape),
      kernel: sumWgsl,
      loads: { load_source: byChannel(x) },
      stores: { store_result: byChannel(node) },
      flops: node.size * ((node.attributes as Windows).window.reduce((a, b) => a * b, 1) - 1),
    });
  },
};

const spreadOp: KernelOp = {
  name: 'poolSpread',
  kind: 'kernel',
  access: ['hook'],
  epilogue: true,
  vjp: ({ cotangent, inputs: [values], attributes }) => [
    new Tensor(sumOp, [cotangent], (values as Tensor).shape, 'f32', attributes),
  ],
  lower: ({ node, inputs }) => {
    const [values] = inputs as [Tensor];
    return lowering({
      ...shared(node, node.shape, values.shape),
      kernel: spreadWgsl,
      loads: { load_source: byChannel(values) },
      stores: { store_result: byChannel(node) },
    });
  },
};

/** The images, checked, with the shape and the attributes of the windows over them. */
function windowsOver(op: string, given: TensorLike, options: Pool2dOptions) {
  const x = asTensor(op, given);
  checkDtype(op, x.dtype, ['f32']);
  if (x.rank !== 4) {
    throw new ShapeError(op, `x is ${formatShape(x.shape)}; it must be [images, height, width, channels].`);
  }
  if (x.shape[1] === 0 || x.shape[2] === 0) {
    throw new ShapeError(op, `x is ${formatShape(x.shape)}: its images have no pixels.`);
  }
  const window = pairOf(op, 'window', options.window, 1);
  const stride = pairOf(op, 'stride', options.stride ?? window, 1);
  const padding = pairOf(op, 'padding', options.padding ?? 0, 0);
  const lengths = [0, 1].map((axis) => {
    const [size = 1, around = 0] = [window[axis], padding[axis]];
    if (2 * around > size) {
      throw new ValueError(op, `padding is ${formatShape(padding)}, more than half the window ${formatShape(window)}.`);
    }
    return windowAlong(op, x.shape, axis + 1, { reach: size - 1, stride: stride[axis] ?? 1, padding: around });
  });
  const attributes: Windows = { window, stride, padding };
  return { x, attributes, shape: [x.shape[0] ?? 0, ...lengths, x.shape[3] ?? 0], area: window[0] * window[1] };
}

/**
 * The maximum of each window of images `[images, height, width, channels]`. Of equal ones the first (line by line) gets
 * the whole gradient, as in PyTorch; a NaN is the maximum of its windows. Padding never is.
 * @throws ShapeError when the window is larger than the padded image, or the images have no pixels.
 */
export function maxPool2d(given: TensorLike, options: Pool2dOptions): Tensor {
  checkNames('maxPool2d', options, OPTIONS);
  const { x, attributes, shape } = windowsOver('maxPool2d', given, options);
  const index = new Tensor(indexOp, [x], shape, 'i32', attributes);
  return new Tensor(takeOp, [x, index], shape, 'f32', attributes);
}

/**
 * The average of each window of images `[images, height, width, channels]`.
 * @throws ShapeError when the window is larger than the padded image, or the images have no pixels.
 */
export function averagePool2d(given: TensorLike, options: AveragePool2dOptions): Tensor {
  checkNames('averagePool2d', options, [...OPTIONS, 'countPadding']);
  const { x, attributes, shape, area } = windowsOver('averagePool2d', given, options);
  const sums = new Tensor(sumOp, [x], shape, 'f32', attributes);
  if (options.countPadding !== false || options.padding === undefined) return divide(sums, area);
  const [, height = 0, width = 0] = x.shape;
  const [, lines = 0, columns = 0] = shape;
  const counts = new Tensor(sumOp, [ones([1, height, width, 1])], [1, lines, columns, 1], 'f32', attributes);
  return divide(sums, counts);
}
