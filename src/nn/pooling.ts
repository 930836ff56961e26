import { ShapeError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import {
  type AveragePool2dOptions,
  averagePool2d as averagePool,
  maxPool2d as maxPool,
  type Pool2dOptions,
} from '../ops/pool2d.js';
import { mean } from '../ops/reduce.js';
import { squeeze } from '../ops/shaping.js';
import type { Pair } from '../ops/window.js';
import { type Module, module } from './module.js';

/** The maximum of each window of images `[images, height, width, channels]`. */
export function maxPool2d(window: Pair, options: Omit<Pool2dOptions, 'window'> = {}): Module {
  return module({ description: `maxPool2d(${window})`, forward: (x) => maxPool(x, { ...options, window }) });
}

/** The average of each window of images `[images, height, width, channels]`. */
export function averagePool2d(window: Pair, options: Omit<AveragePool2dOptions, 'window'> = {}): Module {
  return module({ description: `averagePool2d(${window})`, forward: (x) => averagePool(x, { ...options, window }) });
}

/** The average of each channel over an image's pixels: `[images, height, width, channels]` to `[images, channels]`. */
export function globalAveragePool(): Module {
  return module({
    description: 'globalAveragePool',
    forward: (x) => mean(imagesOf('nn.globalAveragePool', x), { axes: [1, 2] }),
  });
}

/** The maximum of each channel over an image's pixels; of equal ones the first has the gradient. */
export function globalMaxPool(): Module {
  return module({
    description: 'globalMaxPool',
    forward: (x) => {
      const [, height = 1, width = 1] = imagesOf('nn.globalMaxPool', x).shape;
      return squeeze(maxPool(x, { window: [height, width] }), [1, 2]);
    },
  });
}

function imagesOf(layer: string, x: Tensor): Tensor {
  if (x.rank === 4 && x.shape[1] !== 0 && x.shape[2] !== 0) return x;
  throw new ShapeError(
    layer,
    `x is [${x.shape.join(', ')}]; it must be [images, height, width, channels], with pixels.`,
  );
}
