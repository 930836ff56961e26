import { checkCounts, ValueError } from '../errors.js';
import { Parameter } from '../graph/parameter.js';
import { add } from '../ops/arithmetic.js';
import { type Conv2dOptions, conv2d as convolve } from '../ops/conv2d.js';
import { zeros } from '../ops/create.js';
import type { Generator } from '../ops/random.js';
import { permute } from '../ops/shaping.js';
import { type Pair, pairOf } from '../ops/window.js';
import { type Initialiser, kaimingUniform } from './initialise.js';
import { type Module, module } from './module.js';
import { checkLastAxis } from './sizes.js';

export interface Conv2dLayerOptions extends Conv2dOptions {
  /** Default true. It starts at 0. */
  readonly bias?: boolean;
  /** Default kaimingUniform. It is asked for `[inputs / groups, outputs, down, across]`. */
  readonly initialise?: Initialiser;
  /** Where the draw comes from. Default: the default generator (`random.seed`). */
  readonly generator?: Generator;
}

/**
 * The convolution of images `[images, height, width, inputs]` into `[images, height, width, outputs]`, plus a bias.
 * `weight` is `[down, across, inputs / groups, outputs]`, `bias` `[outputs]`.
 *
 * @param window its size: one number, or `[down, across]`.
 * @throws ShapeError when the last axis is not `inputs`; ValueError for groups that do not divide both.
 * @example nn.conv2d(3, 16, 3, { padding: 'same' })
 */
export function conv2d(inputs: number, outputs: number, window: Pair, options: Conv2dLayerOptions = {}): Module {
  const { bias: biased = true, initialise = kaimingUniform, generator, ...placement } = options;
  const { groups = 1 } = placement;
  checkCounts('nn.conv2d', { inputs, outputs, groups });
  if (inputs % groups !== 0 || outputs % groups !== 0) {
    throw new ValueError('nn.conv2d', `groups is ${groups}; it must divide ${inputs} inputs and ${outputs} outputs.`);
  }
  const [down, across] = pairOf('nn.conv2d', 'window', window, 1);
  const drawn = initialise([inputs / groups, outputs, down, across], generator);
  const weight = new Parameter(permute(drawn, [2, 3, 0, 1]), { name: 'weight' });
  const bias = biased ? new Parameter(zeros([outputs]), { name: 'bias' }) : undefined;
  return module({
    description: `conv2d(${inputs}, ${outputs}, ${down}x${across})`,
    parameters: bias === undefined ? { weight } : { weight, bias },
    forward: (x) => {
      checkLastAxis(
        'nn.conv2d',
        x,
        inputs,
        x.shape[1] === inputs ? 'channels come last: permute(x, [0, 2, 3, 1]).' : undefined,
      );
      const result = convolve(x, weight, placement);
      return bias === undefined ? result : add(result, bias);
    },
  });
}
