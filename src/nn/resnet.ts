import { checkCounts, ValueError } from '../errors.js';
import type { Generator } from '../ops/random.js';
import { batchNorm } from './batchNorm.js';
import { conv2d } from './conv2d.js';
import { kaimingNormal } from './initialise.js';
import { dropout as dropoutLayer, relu } from './layers.js';
import { linear } from './linear.js';
import type { Module } from './module.js';
import { globalAveragePool } from './pooling.js';
import { residual } from './residual.js';
import { sequential } from './sequential.js';

export interface BlockOptions {
  /** Of its first convolution; 2 halves the image. Default 1. */
  readonly stride?: number;
  /** Where the draws come from. Default: the default generator (`random.seed`). */
  readonly generator?: Generator;
}

/** A convolution before a normalization, which has the bias. */
function convolution(inputs: number, outputs: number, window: number, { stride = 1, generator }: BlockOptions): Module {
  return conv2d(inputs, outputs, window, {
    stride,
    padding: (window - 1) / 2,
    bias: false,
    initialise: kaimingNormal,
    ...(generator === undefined ? {} : { generator }),
  });
}

/** He et al. 2015, the basic block: two 3 x 3 convolutions, each normalized; relu between them and after the sum. */
export function basicBlock(inputs: number, outputs: number, options: BlockOptions = {}): Module {
  const body = sequential(
    convolution(inputs, outputs, 3, options),
    batchNorm(outputs),
    relu(),
    convolution(outputs, outputs, 3, { ...options, stride: 1 }),
    batchNorm(outputs),
  );
  const changes = inputs !== outputs || (options.stride ?? 1) !== 1;
  const shortcut = changes ? sequential(convolution(inputs, outputs, 1, options), batchNorm(outputs)) : undefined;
  return sequential(residual(body, shortcut), relu());
}

export interface WideBlockOptions extends BlockOptions {
  /** Dropped between the two convolutions. Default 0. */
  readonly dropout?: number;
}

/**
 * Zagoruyko and Komodakis 2016, the block of wide residual nets: normalization and relu before each of two 3 x 3
 * convolutions. A shortcut that changes the shape starts from the first relu, as theirs.
 */
export function wideBlock(inputs: number, outputs: number, options: WideBlockOptions = {}): Module {
  const { dropout = 0, generator } = options;
  const dropped = dropout === 0 ? [] : [dropoutLayer(dropout, generator === undefined ? {} : { generator })];
  const activation = [batchNorm(inputs), relu()];
  const convolutions = [
    convolution(inputs, outputs, 3, options),
    batchNorm(outputs),
    relu(),
    ...dropped,
    convolution(outputs, outputs, 3, { ...options, stride: 1 }),
  ];
  if (inputs === outputs && (options.stride ?? 1) === 1) return residual(sequential(...activation, ...convolutions));
  return sequential(...activation, residual(sequential(...convolutions), convolution(inputs, outputs, 1, options)));
}

export interface ResnetOptions {
  /** Channels of the images. */
  readonly inputs: number;
  readonly classes: number;
  /** Channels of each stage; each after the first halves the image. Default [16, 32, 64]. */
  readonly widths?: readonly number[];
  /** Blocks of each stage. Default 1: with three stages 8 layers, `6 blocks + 2`. */
  readonly blocks?: number;
  /** `'basic'` (default): normalization after each convolution; `'wide'`: before it. */
  readonly block?: 'basic' | 'wide';
  /** Of wide blocks. Default 0. */
  readonly dropout?: number;
  readonly generator?: Generator;
}

/**
 * A residual net for small images `[images, height, width, inputs]`, to logits `[images, classes]`: a 3 x 3 convolution,
 * stages of residual blocks, the average over the image, a linear layer. He et al. 2015, section 4.2.
 * With `block: 'wide'` and widths `[16 k, 32 k, 64 k]` it is WRN-(6 blocks + 4)-k, but for a first convolution as wide
 * as the first stage.
 *
 * @example nn.resnet({ inputs: 1, classes: 10, widths: [16, 32] })
 */
export function resnet(options: ResnetOptions): Module {
  const { inputs, classes, widths = [16, 32, 64], blocks = 1, block = 'basic', dropout = 0, generator } = options;
  checkCounts('nn.resnet', {
    inputs,
    classes,
    blocks,
    ...Object.fromEntries(widths.map((w, i) => [`widths[${i}]`, w])),
  });
  if (widths.length === 0) throw new ValueError('nn.resnet', 'widths is empty; it needs one size for each stage.');
  if (block !== 'basic' && block !== 'wide') {
    throw new ValueError('nn.resnet', `block is '${String(block)}'; it must be 'basic' or 'wide'.`);
  }
  const drawing = generator === undefined ? {} : { generator };
  const [first = 0] = widths;
  const last = widths.at(-1) ?? 0;
  const activation = () => [batchNorm(block === 'basic' ? first : last), relu()];
  const stages = widths.map((width, stage) =>
    sequential(
      ...Array.from({ length: blocks }, (_, i) => {
        const before = i > 0 ? width : (widths[stage - 1] ?? first);
        const placed = { stride: stage > 0 && i === 0 ? 2 : 1, ...drawing };
        return block === 'basic' ? basicBlock(before, width, placed) : wideBlock(before, width, { ...placed, dropout });
      }),
    ),
  );
  return sequential(
    convolution(inputs, first, 3, drawing),
    ...(block === 'basic' ? activation() : []),
    ...stages,
    ...(block === 'wide' ? activation() : []),
    globalAveragePool(),
    linear(last, classes, drawing),
  );
}
