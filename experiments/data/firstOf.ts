import { type LabelledImages, ValueError } from '../../src/index.js';

/** The first `count` examples, not copied. @throws ValueError when there are fewer. */
export function firstOf({ images, labels }: LabelledImages, count: number): LabelledImages {
  if (count > labels.length) {
    throw new ValueError('experiment', `the settings ask for ${count} examples, but there are ${labels.length}.`);
  }
  return { images: images.subarray(0, (count * images.length) / labels.length), labels: labels.subarray(0, count) };
}
