import quadWgsl from '../../shaders/convolution/quad.wgsl';
import registerWgsl from '../../shaders/convolution/register.wgsl';
import tapsWgsl from '../../shaders/convolution/taps.wgsl';
import { checkNames, formatShape, ShapeError, ValueError } from '../errors.js';
import { type Lowering, type LoweringContext, lowering } from '../graph/lowering.js';
import type { Attributes, KernelOp } from '../graph/op.js';
import type { Shape } from '../graph/shape.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { conv2dVariants, partsOf } from './conv2dVariants.js';
import { checkDtype, operands } from './elementwise.js';
import { sumParts } from './sumParts.js';
import { type Pair, pairOf, windowAlong } from './window.js';

export interface Conv2dOptions {
  /** Pixels from one window to the next: one number, or `[down, across]`. Default 1. */
  readonly stride?: Pair;
  /**
   * Zeros around the image, on each side. `'same'`: as many as keep the size (an odd one goes below, and to the right);
   * it wants a stride of 1. Default 0.
   */
  readonly padding?: Pair | 'same';
  /** Pixels from one tap of the window to the next. Default 1. */
  readonly dilation?: Pair;
  /** Channels in so many groups, each convolved with its own weights. Default 1. */
  readonly groups?: number;
}

/** The three ops are bilinear in two of these, and make the third. */
interface Shapes {
  readonly image: Shape;
  readonly weight: Shape;
  readonly result: Shape;
}

/** What a convolution's node says of it, and its gradients' nodes. */
interface Window extends Attributes {
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

const windowOf = ({ attributes }: Tensor): Window => attributes as Window;

const convOp: KernelOp = {
  name: 'conv2d',
  kind: 'kernel',
  access: ['contiguous', 'contiguous'],
  epilogue: true,
  vjp: ({ cotangent, inputs: [x, weight], needs, output }) => [
    needs[0] === true ? gradientByInput(cotangent, weight as Tensor, (x as Tensor).shape, windowOf(output)) : undefined,
    needs[1] === true
      ? gradientByWeight(x as Tensor, cotangent, (weight as Tensor).shape, windowOf(output))
      : undefined,
  ],
  lower: (context) => {
    const [x, weight] = context.inputs as [Tensor, Tensor];
    return lowerPixels(context, { image: x.shape, weight: weight.shape, result: context.node.shape }, false);
  },
};

const inputOp: KernelOp = {
  name: 'conv2dInput',
  kind: 'kernel',
  access: ['contiguous', 'contiguous'],
  epilogue: true,
  // The derivative by the image, along a direction of images, is that direction's convolution.
  vjp: ({ cotangent, inputs: [slope, weight], needs, output }) => [
    needs[0] === true ? convolution(cotangent, weight as Tensor, (slope as Tensor).shape, windowOf(output)) : undefined,
    needs[1] === true
      ? gradientByWeight(cotangent, slope as Tensor, (weight as Tensor).shape, windowOf(output))
      : undefined,
  ],
  lower: (context) => {
    const [slope, weight] = context.inputs as [Tensor, Tensor];
    return lowerPixels(context, { image: context.node.shape, weight: weight.shape, result: slope.shape }, true);
  },
};

const weightOp: KernelOp = {
  name: 'conv2dWeight',
  kind: 'kernel',
  access: ['contiguous', 'contiguous'],
  epilogue: true,
  vjp: ({ cotangent, inputs: [x, slope], needs, output }) => [
    needs[0] === true ? gradientByInput(slope as Tensor, cotangent, (x as Tensor).shape, windowOf(output)) : undefined,
    needs[1] === true ? convolution(x as Tensor, cotangent, (slope as Tensor).shape, windowOf(output)) : undefined,
  ],
  lower: lowerTaps,
};

function convolution(x: Tensor, weight: Tensor, shape: Shape, window: Window): Tensor {
  return new Tensor(convOp, [x, weight], shape, 'f32', window);
}

function gradientByInput(slope: Tensor, weight: Tensor, shape: Shape, window: Window): Tensor {
  return new Tensor(inputOp, [slope, weight], shape, 'f32', window);
}

function gradientByWeight(x: Tensor, slope: Tensor, shape: Shape, window: Window): Tensor {
  return new Tensor(weightOp, [x, slope], shape, 'f32', window);
}

/** Forward, or backward to the input: what is read is `result` then, and what is made the image. */
function lowerPixels({ node, inputs, device, choose }: LoweringContext, shapes: Shapes, backward: boolean): Lowering {
  const [a, b] = inputs as [Tensor, Tensor];
  const { stride, padding, dilation, groups } = windowOf(node);
  const [images = 0, height = 0, width = 0, channels = 0] = node.shape;
  const [, aHeight = 0, aWidth = 0, aChannels = 0] = a.shape;
  const [tapsDown = 1, tapsAcross = 1, depth = 1, outputs = 1] = shapes.weight;
  const [down = 1, across = 1] = stride;
  const columns = channels / groups;
  const run = aChannels / groups;
  const phases = backward ? down * across : 1;
  const rows = backward ? images * Math.ceil(height / down) * Math.ceil(width / across) : images * height * width;
  const inner = tapsDown * tapsAcross * run;
  const products = { rows, columns, inner, batches: groups * phases };
  const { kernel, ...choice } = choose(conv2dVariants(device, node.op.name, products));
  const signs = backward ? { offset: 1, dilation: -1 } : { offset: -1, dilation: 1 };
  return lowering({
    kernel: { quad: quadWgsl, register: registerWgsl }[kernel],
    ...choice,
    reads: { a, b },
    stores: { store_result: { tensor: node, extents: [images * height * width, channels, 1] } },
    uniforms: {
      ...{ images, aHeight, aWidth, aChannels, height, width, channels, columns, depth: run },
      ...{ taps: tapsDown * tapsAcross, kernelWidth: tapsAcross, parts: 1, imagesPerPart: images },
      ...{ run, aStep: 1, advance: 0, limit: 1 },
      bStep: backward ? 1 : outputs,
      bColumn: backward ? outputs : 1,
      bTap: depth * outputs,
      bGroup: outputs / groups,
      ...vectors('stride', backward ? [1, 1] : stride),
      ...vectors('dilation', dilation, signs.dilation),
      ...vectors('offset', padding, signs.offset),
      ...vectors('phases', backward ? stride : [1, 1]),
    },
    flops: 2 * images * (shapes.result[1] ?? 0) * (shapes.result[2] ?? 0) * tapsDown * tapsAcross * depth * outputs,
  });
}

function lowerTaps({ node, inputs, device, choose }: LoweringContext): Lowering | readonly Lowering[] {
  const [a, b] = inputs as [Tensor, Tensor];
  const { stride, padding, dilation, groups } = windowOf(node);
  const [tapsDown = 1, tapsAcross = 1, depth = 1, channels = 1] = node.shape;
  const [images = 0, aHeight = 0, aWidth = 0, aChannels = 0] = a.shape;
  const [, height = 0, width = 0] = b.shape;
  const taps = tapsDown * tapsAcross;
  const rows = taps * depth;
  const columns = channels / groups;
  const { parts, imagesPerPart } = partsOf(device, { rows, columns, groups, images, pixels: height * width });
  const inner = imagesPerPart * height * width;
  const { kernel, ...choice } = choose(
    conv2dVariants(device, node.op.name, { rows, columns, inner, batches: groups * parts }),
  );
  const elements = rows * channels;
  const scratch = { key: 'parts', bytes: 4 * elements * parts };
  const products = lowering({
    kernel: { quad: quadWgsl, register: registerWgsl }[kernel],
    ...choice,
    appended: tapsWgsl,
    reads: { a, b },
    ...(parts === 1
      ? { stores: { store_result: { tensor: node, extents: [rows, channels, 1] } } }
      : { scratch: { result: scratch } }),
    uniforms: {
      ...{ images, aHeight, aWidth, aChannels, height, width, channels, columns, depth },
      ...{ taps, kernelWidth: tapsAcross, parts, imagesPerPart },
      run: width,
      aStep: (stride[1] ?? 1) * aChannels,
      advance: stride[1] ?? 1,
      limit: aWidth,
      bStep: channels,
      bColumn: 1,
      bTap: 0,
      bGroup: columns,
      ...vectors('stride', stride),
      ...vectors('dilation', dilation),
      ...vectors('offset', padding, -1),
      ...vectors('phases', [1, 1]),
    },
    flops: 2 * images * height * width * elements,
  });
  if (parts === 1) return products;
  return [products, sumParts(node, parts, scratch, 'by element')];
}

type VectorField = 'stride' | 'dilation' | 'offset' | 'phases';

function vectors<Name extends VectorField>(name: Name, [down = 0, across = 0]: readonly number[], sign = 1) {
  return { [`${name}.0`]: sign * down, [`${name}.1`]: sign * across } as Record<`${Name}.${0 | 1}`, number>;
}

/**
 * The convolution of images with a window of weights (the window is not flipped, as everywhere in deep learning).
 *
 * Channels come last: images are `[images, height, width, channels]`, the weight `[down, across, inputs / groups,
 * outputs]`, as in TensorFlow and JAX. PyTorch's images come by `permute(x, [0, 2, 3, 1])`, its weights by
 * `permute(w, [2, 3, 1, 0])`. The height of the result is
 * `floor((height + 2 padding - dilation (down - 1) - 1) / stride) + 1`, as in PyTorch.
 *
 * A bias and an activation after it run in its store. Sums run in f32, in a fixed order. Padding counts as zeros: an
 * infinite weight gives NaN there.
 *
 * @throws ShapeError when channels do not match, or the window is larger than the padded image.
 */
export function conv2d(x: TensorLike, weight: TensorLike, options: Conv2dOptions = {}): Tensor {
  const [image, taps] = operands('conv2d', ['f32'], x, weight) as [Tensor, Tensor];
  checkDtype('conv2d', image.dtype, ['f32']);
  checkNames('conv2d', options, ['stride', 'padding', 'dilation', 'groups']);
  const groups = options.groups ?? 1;
  checkChannels(image.shape, taps.shape, groups);
  const stride = pairOf('conv2d', 'stride', options.stride ?? 1, 1);
  const dilation = pairOf('conv2d', 'dilation', options.dilation ?? 1, 1);
  const same = options.padding === 'same';
  if (same && (stride[0] > 1 || stride[1] > 1)) {
    throw new ValueError('conv2d', `padding is 'same' with a stride of ${formatShape(stride)}.`, {
      mend: 'give the padding as a number: (size of the window - 1) / 2 halves an even size at stride 2.',
    });
  }
  const given = options.padding === undefined || options.padding === 'same' ? 0 : options.padding;
  const around = pairOf('conv2d', 'padding', given, 0);
  const axes = [0, 1].map((axis) => {
    const size = taps.shape[axis] ?? 1;
    const reach = (dilation[axis] ?? 1) * (size - 1);
    if (same) return { low: Math.floor(reach / 2), length: image.shape[axis + 1] ?? 0 };
    const padding = around[axis] ?? 0;
    const length = windowAlong('conv2d', image.shape, axis + 1, { reach, stride: stride[axis] ?? 1, padding });
    return { low: padding, length };
  });
  const [vertical, horizontal] = axes as [(typeof axes)[number], (typeof axes)[number]];
  const shape = [image.shape[0] ?? 0, vertical.length, horizontal.length, taps.shape[3] ?? 0];
  return convolution(image, taps, shape, { stride, padding: [vertical.low, horizontal.low], dilation, groups });
}

function checkChannels(image: Shape, weight: Shape, groups: number): void {
  if (image.length !== 4 || weight.length !== 4) {
    throw new ShapeError(
      'conv2d',
      `x is ${formatShape(image)}, weight is ${formatShape(weight)}; both need four axes.`,
      {
        mend: 'x is [images, height, width, channels], weight [down, across, inputs / groups, outputs].',
      },
    );
  }
  const [down = 0, across = 0, depth = 0, outputs = 0] = weight;
  const inputs = image[3] ?? 0;
  if (!Number.isInteger(groups) || groups < 1 || inputs % groups !== 0 || outputs % groups !== 0) {
    throw new ValueError(
      'conv2d',
      `groups is ${groups}; it must be an integer that divides the ${inputs} channels of x and the ${outputs} outputs.`,
    );
  }
  if (down < 1 || across < 1) {
    throw new ShapeError('conv2d', `weight is ${formatShape(weight)}; its window has no taps.`);
  }
  if (depth * groups === inputs) return;
  const each = groups === 1 ? '' : `, ${inputs / groups} in each of ${groups} groups`;
  throw new ShapeError(
    'conv2d',
    `x is ${formatShape(image)}, weight is ${formatShape(weight)}: x has ${inputs} channels${each}, the weight takes ${depth}.`,
    { mend: 'x is [images, height, width, channels], weight [down, across, inputs / groups, outputs].' },
  );
}
