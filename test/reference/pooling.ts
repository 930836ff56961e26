import type { Attributes } from '../../src/graph/op.js';
import { boundedSum } from './reduce.js';
import { at, empty, sizeOf, type Value } from './value.js';

type Shape = readonly number[];

/** Every pixel of every window, padding left out: windows in order, and the pixels of each line by line. */
function eachPixel(
  images: Shape,
  windows: Shape,
  attributes: Attributes,
  visit: (pixel: number, window: number, place: number) => void,
): void {
  const [count = 0, height = 0, width = 0, channels = 0] = images;
  const [, lines = 0, columns = 0] = windows;
  const pair = (name: string) => attributes[name] as readonly [number, number];
  const [[down, across], [sy, sx], [py, px]] = [pair('window'), pair('stride'), pair('padding')];
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < lines; i++) {
      for (let j = 0; j < columns; j++) {
        for (let c = 0; c < channels; c++) {
          for (let y = Math.max(0, i * sy - py); y < Math.min(height, i * sy - py + down); y++) {
            for (let x = Math.max(0, j * sx - px); x < Math.min(width, j * sx - px + across); x++) {
              const pixel = ((n * height + y) * width + x) * channels + c;
              visit(pixel, ((n * lines + i) * columns + j) * channels + c, y * width + x);
            }
          }
        }
      }
    }
  }
}

/** Which pixel of its image is each window's maximum: the first of equals; NaN is greater than all. */
export function maxIndices(source: Value, shape: Shape, attributes: Attributes): Value {
  const result = empty(shape, 'i32');
  const best = new Array<number>(result.data.length).fill(Number.NEGATIVE_INFINITY);
  const seen = new Array<boolean>(result.data.length).fill(false);
  const slack = new Array<number>(result.data.length).fill(0);
  eachPixel(source.shape, shape, attributes, (pixel, window) => {
    slack[window] = Math.max(at(slack, window), at(source.error, pixel));
  });
  eachPixel(source.shape, shape, attributes, (pixel, window, place) => {
    const value = at(source.data, pixel);
    const leader = at(best, window);
    // Too near to tell which an f32 would take.
    const reach = 2 * at(slack, window);
    if (seen[window] && reach > 0 && Math.abs(value - leader) <= reach) result.error[window] = Number.POSITIVE_INFINITY;
    if (seen[window] && (Number.isNaN(leader) || !(value > leader || Number.isNaN(value)))) return;
    seen[window] = true;
    best[window] = value;
    result.data[window] = place;
  });
  return result;
}

/** The pixel that each window's index names. */
export function taken(source: Value, index: Value, shape: Shape): Value {
  const result = empty(shape, 'f32');
  for (let k = 0; k < result.data.length; k++) {
    const from = placeNamed(source.shape, index, shape, k);
    result.data[k] = at(source.data, from);
    result.error[k] = Math.max(at(source.error, from), at(index.error, k));
  }
  return result;
}

/** Each window's value, added to the pixel that its index names. */
export function placed(values: Value, index: Value, shape: Shape): Value {
  const terms: number[][] = Array.from({ length: sizeOf(shape) }, () => []);
  for (let k = 0; k < values.data.length; k++) terms[placeNamed(shape, index, values.shape, k)]?.push(k);
  const result = summed(values, shape, terms);
  // Where an index is open so is all it might have named: the image's whole channel is.
  for (let k = 0; k < index.error.length; k++) if (at(index.error, k) > 0) result.error.fill(Number.POSITIVE_INFINITY);
  return result;
}

function placeNamed(images: Shape, index: Value, windows: Shape, window: number): number {
  const [, height = 1, width = 1, channels = 1] = images;
  const [, lines = 1, columns = 1] = windows;
  const image = Math.floor(window / (lines * columns * channels));
  return (image * height * width + at(index.data, window)) * channels + (window % channels);
}

/** The sum of each window's pixels. */
export function windowSums(source: Value, shape: Shape, attributes: Attributes): Value {
  const terms: number[][] = Array.from({ length: sizeOf(shape) }, () => []);
  eachPixel(source.shape, shape, attributes, (pixel, window) => terms[window]?.push(pixel));
  return summed(source, shape, terms);
}

/** The sum of the windows over each pixel. */
export function windowsSpread(values: Value, shape: Shape, attributes: Attributes): Value {
  const terms: number[][] = Array.from({ length: sizeOf(shape) }, () => []);
  eachPixel(shape, values.shape, attributes, (pixel, window) => terms[pixel]?.push(window));
  return summed(values, shape, terms);
}

function summed(source: Value, shape: Shape, terms: readonly (readonly number[])[]): Value {
  const result = empty(shape, 'f32');
  terms.forEach((list, k) => {
    const [value, error] = boundedSum(
      list.length,
      (i) => at(source.data, at(list, i)),
      (i) => at(source.error, at(list, i)),
    );
    result.data[k] = value;
    result.error[k] = error;
  });
  return result;
}
