import type { Attributes } from '../../src/graph/op.js';
import { productError } from './matmul.js';
import { boundedSum } from './reduce.js';
import { at, empty, type Value } from './value.js';

type Shape = readonly number[];

/**
 * A convolution is a sum of products image * weight = result. Each of its ops sums two of the three into the third:
 * this walks over all products, the definition of all three.
 */
function eachProduct(
  [image, weight, result]: readonly [Shape, Shape, Shape],
  { stride, padding, dilation, groups }: Attributes,
  visit: (image: number, weight: number, result: number) => void,
): void {
  const [images, height, width, inputs] = image as [number, number, number, number];
  const [down, across, depth, outputs] = weight as [number, number, number, number];
  const [, lines, columns] = result as [number, number, number, number];
  const [[sy, sx], [py, px], [dy, dx]] = [stride, padding, dilation] as unknown as [number, number][] as [
    [number, number],
    [number, number],
    [number, number],
  ];
  const share = outputs / (groups as number);
  for (let n = 0; n < images; n++) {
    for (let i = 0; i < lines; i++) {
      for (let j = 0; j < columns; j++) {
        for (let u = 0; u < down; u++) {
          for (let v = 0; v < across; v++) {
            const y = i * sy - py + u * dy;
            const x = j * sx - px + v * dx;
            if (y < 0 || y >= height || x < 0 || x >= width) continue;
            for (let o = 0; o < outputs; o++) {
              for (let c = 0; c < depth; c++) {
                const channel = Math.floor(o / share) * depth + c;
                visit(
                  ((n * height + y) * width + x) * inputs + channel,
                  ((u * across + v) * depth + c) * outputs + o,
                  ((n * lines + i) * columns + j) * outputs + o,
                );
              }
            }
          }
        }
      }
    }
  }
}

/** `conv2d`, `conv2dInput` or `conv2dWeight` of its two operands. */
export function convolved(name: string, a: Value, b: Value, shape: Shape, attributes: Attributes): Value {
  const of = empty(shape, 'f32');
  const terms: [number, number][][] = Array.from(of.data, () => []);
  const collect = (to: number, left: number, right: number) => terms[to]?.push([left, right]);
  if (name === 'conv2d') eachProduct([a.shape, b.shape, shape], attributes, (x, w, y) => collect(y, x, w));
  if (name === 'conv2dInput') eachProduct([shape, b.shape, a.shape], attributes, (x, w, y) => collect(x, y, w));
  if (name === 'conv2dWeight') eachProduct([a.shape, shape, b.shape], attributes, (x, w, y) => collect(w, x, y));
  terms.forEach((list, index) => {
    const term = (k: number) => list[k] as [number, number];
    const [value, error] = boundedSum(
      list.length,
      (k) => at(a.data, term(k)[0]) * at(b.data, term(k)[1]),
      (k) => productError(a, term(k)[0], b, term(k)[1]),
      1,
    );
    of.data[index] = value;
    of.error[index] = error;
  });
  return of;
}
