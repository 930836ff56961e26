import { uniform } from '../../bench/random.js';
import type { LabelledImages } from '../../src/index.js';

const DIGITS = 10;

/**
 * Pairs of digits side by side, for a task of a hundred classes: images `[count * height * 2 width]`, labels
 * `10 left + right`. Both halves are drawn from `digits` alone, each independently and uniformly, so a pair may come
 * twice; the same seed gives the same pairs.
 *
 * @param width columns of one digit's image, in pixels.
 */
export function pairsOf(
  digits: LabelledImages,
  { count, seed, width }: { readonly count: number; readonly seed: number; readonly width: number },
): LabelledImages {
  const draw = uniform(seed);
  const examples = digits.labels.length;
  const pixels = digits.images.length / examples;
  const images = new Float32Array(count * 2 * pixels);
  const labels = new Uint32Array(count);
  for (let pair = 0; pair < count; pair++) {
    for (const half of [0, 1]) {
      const digit = Math.floor(draw() * examples);
      labels[pair] = (labels[pair] ?? 0) * DIGITS + (digits.labels[digit] ?? 0);
      for (let row = 0; row < pixels / width; row++) {
        const from = digit * pixels + row * width;
        images.set(digits.images.subarray(from, from + width), 2 * (pair * pixels + row * width) + half * width);
      }
    }
  }
  return { images, labels };
}
