import { uniform } from '../../bench/random.js';

/**
 * Symmetric label noise: each label is replaced, with probability `rate` and independently, by one of the other
 * classes, all equally likely. So `rate` is the expected part of wrong labels. The same seed gives the same labels.
 */
export function withLabelNoise(
  labels: Uint32Array,
  { rate, classes, seed }: { readonly rate: number; readonly classes: number; readonly seed: number },
): Uint32Array {
  const draw = uniform(seed);
  return labels.map((label) => {
    // Both are drawn for every label, so that a higher rate keeps the wrong labels of a lower one.
    const [whether, which] = [draw(), draw()];
    return whether < rate ? (label + 1 + Math.floor(which * (classes - 1))) % classes : label;
  });
}
