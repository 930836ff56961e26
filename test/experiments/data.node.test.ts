import { describe, expect, test } from 'vitest';
import { drawDistribution } from '../../experiments/data/distribution.js';
import { firstOf } from '../../experiments/data/firstOf.js';
import { withLabelNoise } from '../../experiments/data/labelNoise.js';
import { pairsOf } from '../../experiments/data/pairs.js';
import { makeParts } from '../../experiments/tauAccuracy.js';

const [HEIGHT, WIDTH] = [3, 2];
const PIXELS = HEIGHT * WIDTH;

/** Digits whose every pixel tells which digit it is, where in the image, and which label it has. */
function tellingDigits(from: number, count: number) {
  const images = Float32Array.from({ length: count * PIXELS }, (_, i) => from * PIXELS + i);
  return { images, labels: Uint32Array.from({ length: count }, (_, i) => (7 * (from + i) + 3) % 10) };
}

const labelOf = (digit: number) => (7 * digit + 3) % 10;

/** The digits that each half of each pair shows, which must be whole images with the pair's label. */
function halvesOf({ images, labels }: { images: Float32Array; labels: Uint32Array }): [number, number][] {
  return Array.from(labels, (label, pair) => {
    const halves = [0, 1].map((half) => {
      const pixels = Array.from({ length: PIXELS }, (_, i) => {
        const [row, column] = [Math.floor(i / WIDTH), i % WIDTH];
        return images[pair * 2 * PIXELS + row * 2 * WIDTH + half * WIDTH + column] ?? Number.NaN;
      });
      const digit = Math.floor((pixels[0] ?? Number.NaN) / PIXELS);
      expect(pixels).toEqual(Array.from({ length: PIXELS }, (_, i) => digit * PIXELS + i));
      return digit;
    }) as [number, number];
    expect(label).toBe(10 * labelOf(halves[0]) + labelOf(halves[1]));
    return halves;
  });
}

describe('pairs of digits', () => {
  const digits = tellingDigits(0, 33);

  test('left and right are whole digits, the label is both of theirs', () => {
    const halves = halvesOf(pairsOf(digits, { count: 257, seed: 3, width: WIDTH }));
    expect(halves).toHaveLength(257);
    for (const digit of halves.flat()) expect(digit).toBeLessThan(33);
  });

  test('the same seed gives the same pairs, another one others', () => {
    const of = (seed: number) => pairsOf(digits, { count: 20, seed, width: WIDTH });
    expect(of(5)).toEqual(of(5));
    expect(of(6).labels).not.toEqual(of(5).labels);
  });

  test('every class comes', () => {
    const { labels } = pairsOf(digits, { count: 5000, seed: 1, width: WIDTH });
    expect(new Set(labels).size).toBe(100);
  });
});

test('the parts of the 100-class task share no digit, nor do those of the 10-class task', () => {
  const dataset = {
    train: tellingDigits(0, 80),
    test: tellingDigits(80, 20),
    classes: 10,
    height: HEIGHT,
    width: WIDTH,
    classNames: Array.from('0123456789'),
  };
  const sizes = { classes: 10, hidden: 1, epochs: 1, train: 60, validation: 20, test: 20 };
  const tasks = { digits: sizes, pairs: { ...sizes, classes: 100, train: 500, validation: 100, test: 100 } };
  const pairs = makeParts(dataset, 'pairs', { tasks, dataSeed: 4 });
  const singles = makeParts(dataset, 'digits', { tasks, dataSeed: 4 });
  const shown = (['train', 'validation', 'test'] as const).map((part) => {
    const single = Array.from(
      { length: singles[part].labels.length },
      (_, i) => (singles[part].images[i * PIXELS] ?? 0) / PIXELS,
    );
    const halves = halvesOf(pairs[part]).flat();
    // Pairs are made of the very digits of that part.
    expect(halves.filter((digit) => !single.includes(digit))).toEqual([]);
    return single;
  });
  expect(shown.map(({ length }) => length)).toEqual([60, 20, 20]);
  expect(new Set(shown.flat()).size).toBe(100);
  for (const digit of shown[2] ?? []) expect(digit).toBeGreaterThanOrEqual(80);
});

describe('label noise', () => {
  const count = 20_000;
  const labels = Uint32Array.from({ length: count }, (_, i) => i % 10);
  const noisy = (rate: number, seed = 7) => withLabelNoise(labels, { rate, classes: 10, seed });
  /** Five standard deviations of a binomial count: passed once in two million draws. */
  const allowed = (trials: number, chance: number) => 5 * Math.sqrt(trials * chance * (1 - chance));

  test.each([0.2, 0.4, 0.6])('a part of %d is wrong, evenly among the other classes', (rate) => {
    const after = noisy(rate);
    const moves = Array.from({ length: 10 }, (_, move) =>
      after.reduce((sum, label, i) => sum + Number((label - (labels[i] ?? 0) + 10) % 10 === move), 0),
    );
    const [kept = 0, ...others] = moves;
    expect(Math.abs(kept - count * (1 - rate))).toBeLessThan(allowed(count, rate));
    for (const one of others) expect(Math.abs(one - (count * rate) / 9)).toBeLessThan(allowed(count, rate / 9));
  });

  test('none at 0, all at 1; classes stay classes', () => {
    expect(noisy(0)).toEqual(labels);
    const all = noisy(1);
    expect(all.filter((label, i) => label === labels[i])).toHaveLength(0);
    expect(Math.max(...all)).toBe(9);
  });

  test('the same seed gives the same labels, another one others; the labels given are not touched', () => {
    const before = labels.slice();
    expect(noisy(0.3)).toEqual(noisy(0.3));
    expect(noisy(0.3, 8)).not.toEqual(noisy(0.3));
    expect(labels).toEqual(before);
  });

  test('a higher rate keeps the wrong labels of a lower one', () => {
    const [low, high] = [noisy(0.2), noisy(0.4)];
    low.forEach((label, i) => {
      if (label !== labels[i]) expect(high[i]).toBe(label);
    });
  });
});

test('a distribution sums to one, and is the same for the same seed', () => {
  const sizes = { inputs: 33, classes: 7, features: 3, sharpness: 1.5 };
  const { inputs, conditionals, features } = drawDistribution(sizes, 5);
  const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);
  // As many roundings of 2^-53 as there are terms.
  expect(Math.abs(sum(inputs) - 1)).toBeLessThan(33 * 2 ** -53);
  for (const row of conditionals) expect(Math.abs(sum(row) - 1)).toBeLessThan(8 * 2 ** -53);
  expect([conditionals.length, conditionals[0]?.length, features.length]).toEqual([33, 7, 99]);
  expect(drawDistribution(sizes, 5)).toEqual({ inputs, conditionals, features });
  expect(drawDistribution(sizes, 6).inputs).not.toEqual(inputs);
});

test('the first examples, and an error when there are fewer', () => {
  const digits = tellingDigits(0, 5);
  expect(firstOf(digits, 2)).toEqual({ images: digits.images.slice(0, 2 * PIXELS), labels: digits.labels.slice(0, 2) });
  expect(() => firstOf(digits, 6)).toThrow('the settings ask for 6 examples, but there are 5.');
});
