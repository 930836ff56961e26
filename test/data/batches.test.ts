import { describe, expect, expectTypeOf, test } from 'vitest';
import { type Batches, batches, type Position } from '../../src/data/batches.js';
import type { HostArray } from '../../src/graph/hostArray.js';
import { complaint } from '../support/complaint.js';
import { random, seeds } from './random.js';

/** `count` examples whose pixels tell which example they are: example i has pixels 10 i, 10 i + 1, ... */
function numbered(count: number, pixels = 3): { images: Float32Array; labels: Uint32Array } {
  return {
    images: Float32Array.from({ length: count * pixels }, (_, i) => 10 * Math.floor(i / pixels) + (i % pixels)),
    labels: Uint32Array.from({ length: count }, (_, i) => i),
  };
}

type Numbered = ReturnType<typeof numbered>;

async function labelsOf(sequence: Batches<Numbered>, most = Number.POSITIVE_INFINITY): Promise<number[][]> {
  const seen: number[][] = [];
  for await (const { labels } of sequence) {
    seen.push(Array.from(labels.data));
    if (seen.length === most) break;
  }
  return seen;
}

describe('batches', () => {
  test('the README loop: fields keep their names and types, and get a shape', async () => {
    const sequence = batches(numbered(10), { size: 4, seed: 0 });
    const sizes: number[] = [];
    for await (const { images, labels } of sequence) {
      expectTypeOf(images).toEqualTypeOf<HostArray<Float32Array>>();
      expectTypeOf(labels).toEqualTypeOf<HostArray<Uint32Array>>();
      expect(images.data).toBeInstanceOf(Float32Array);
      expect(labels.data).toBeInstanceOf(Uint32Array);
      expect(images.shape).toEqual([labels.data.length, 3]);
      expect(labels.shape).toEqual([labels.data.length]);
      const rows = Array.from(labels.data, (i) => [10 * i, 10 * i + 1, 10 * i + 2]);
      expect(Array.from(images.data)).toEqual(rows.flat());
      sizes.push(labels.data.length);
    }
    expect(sizes).toEqual([4, 4, 2]);
    expect(sequence.length).toBe(3);
  });

  test('an epoch holds each example once, and the next epoch another order', async () => {
    const sequence = batches(numbered(50), { size: 8 });
    const first = (await labelsOf(sequence)).flat();
    const second = (await labelsOf(sequence)).flat();
    const sorted = Array.from({ length: 50 }, (_, i) => i);
    expect(first.toSorted((a, b) => a - b)).toEqual(sorted);
    expect(second.toSorted((a, b) => a - b)).toEqual(sorted);
    expect(second).not.toEqual(first);
    expect(sequence.position).toEqual({ epoch: 2, index: 0 });
  });

  test('without shuffling the order is the dataset’s', async () => {
    expect(await labelsOf(batches(numbered(5), { size: 2, shuffle: false }))).toEqual([[0, 1], [2, 3], [4]]);
  });

  test('dropLast leaves out the short batch', async () => {
    const dropped = batches(numbered(5), { size: 2, shuffle: false, dropLast: true });
    expect(await labelsOf(dropped)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(dropped.length).toBe(2);
  });

  test('items of several dimensions, and long items', async () => {
    const pixels = Float32Array.from({ length: 6 * 40 }, (_, i) => i);
    const dataset = { images: { data: pixels, shape: [6, 2, 20] }, weights: new Float32Array(6).fill(1) };
    for await (const { images, weights } of batches(dataset, { size: 3, shuffle: false })) {
      expect(images.shape).toEqual([3, 2, 20]);
      expect(weights.shape).toEqual([3]);
      const first = images.data[0] ?? -1;
      expect(Array.from(images.data)).toEqual(Array.from({ length: 120 }, (_, i) => first + i));
    }
  });

  test('an item shape of [1] is kept, a given count settles what lengths do not', async () => {
    const targets = { data: new Float32Array(4), shape: [4, 1] };
    for await (const batch of batches({ targets }, { size: 4 })) expect(batch.targets.shape).toEqual([4, 1]);
    const images = new Float32Array(4 * 9);
    for await (const batch of batches({ images }, { size: 4, count: 4 })) expect(batch.images.shape).toEqual([4, 9]);
  });

  test('a size beyond the dataset gives one short batch', async () => {
    expect((await labelsOf(batches(numbered(3), { size: 100, shuffle: false })))[0]).toEqual([0, 1, 2]);
  });

  test('a batch stays valid until two more have been asked for, and the third reuses its memory', async () => {
    const iterator = batches(numbered(8), { size: 2, shuffle: false })[Symbol.asyncIterator]();
    const next = async (): Promise<HostArray<Uint32Array>> => {
      const { value } = await iterator.next();
      if (value === undefined) throw new Error('the epoch ended early');
      return value.labels;
    };
    const first = await next();
    await next();
    await next();
    expect(Array.from(first.data)).toEqual([0, 1]);
    const fourth = await next();
    expect(fourth.data).toBe(first.data);
  });

  test('the last short batch is not a view of examples left from before', async () => {
    const seen = await labelsOf(batches(numbered(7), { size: 3, shuffle: false }));
    expect(seen.at(-1)).toEqual([6]);
  });

  test.each(seeds(6))('resumes at any position with exactly the batches that follow (seed %i)', async (seed) => {
    const { below } = random(seed);
    const dataset = numbered(1 + below(60));
    const options = { size: 1 + below(9), seed: below(2 ** 32), shuffle: below(4) > 0 };
    const sequence = batches(dataset, options);
    const all: number[][] = [];
    const positions: Position[] = [sequence.position];
    for (let epoch = 0; epoch < 3; epoch++) {
      for await (const { labels } of sequence) {
        all.push(Array.from(labels.data));
        positions.push(sequence.position);
      }
    }
    const from = below(all.length);
    const position = positions[from];
    if (position === undefined) throw new Error('no position');
    const resumed = batches(dataset, { ...options, epoch: position.epoch, start: position.index });
    const rest: number[][] = [];
    while (resumed.position.epoch < 3) rest.push(...(await labelsOf(resumed)));
    expect(rest).toEqual(all.slice(from));
  });

  test('a loop after a break goes on with the following batch', async () => {
    const whole = await labelsOf(batches(numbered(20), { size: 3 }));
    const broken = batches(numbered(20), { size: 3 });
    const parts = [...(await labelsOf(broken, 2)), ...(await labelsOf(broken, 3)), ...(await labelsOf(broken))];
    expect(parts).toEqual(whole);
  });

  test('a break after an epoch’s last batch leaves the next epoch to the next loop', async () => {
    const sequence = batches(numbered(4), { size: 2 });
    expect(await labelsOf(sequence, 2)).toHaveLength(2);
    expect(sequence.position).toEqual({ epoch: 1, index: 0 });
    expect(await labelsOf(sequence)).toHaveLength(2);
  });

  test('two loops over one object share its batches', async () => {
    const sequence = batches(numbered(10), { size: 1 });
    const [left = [], right = []] = await Promise.all([labelsOf(sequence), labelsOf(sequence)]);
    expect([...left, ...right].flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, i) => i));
    expect(sequence.position).toEqual({ epoch: 1, index: 0 });
  });

  test('pace is awaited before each batch, and its failure ends the loop', async () => {
    const events: string[] = [];
    const pace = async (): Promise<void> => {
      await Promise.resolve();
      events.push('pace');
    };
    for await (const { labels } of batches(numbered(2), { size: 1, shuffle: false, pace })) {
      events.push(`batch ${labels.data[0]}`);
    }
    expect(events).toEqual(['pace', 'batch 0', 'pace', 'batch 1']);
    const failing = batches(numbered(2), { size: 1, pace: () => Promise.reject(new RangeError('lost')) });
    await expect(labelsOf(failing)).rejects.toThrow('lost');
    expect(failing.position).toEqual({ epoch: 0, index: 0 });
    expect(await labelsOf(batches(numbered(2), { size: 1, pace: () => undefined }))).toHaveLength(2);
  });

  test('other work of the event loop runs between batches', async () => {
    let turns = 0;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      turns += 1;
      port2.postMessage(null);
    };
    port2.postMessage(null);
    await labelsOf(batches(numbered(200), { size: 1 }));
    port1.close();
    expect(turns).toBeGreaterThan(10);
  });
});

describe('batches complains', () => {
  const labels = new Uint32Array(4);

  test.each<[string, () => unknown, string]>([
    [
      'no fields',
      () => batches({}, { size: 1 }),
      'ValueError: batches: the dataset has no fields.\n  Mend: give typed arrays by name: { images, labels }.',
    ],
    [
      'no examples',
      () => batches({ images: new Float32Array(8), labels: new Uint32Array(0) }, { size: 1 }),
      "ValueError: batches: the dataset has no examples (the length of 'labels', the shortest field).",
    ],
    [
      'lengths',
      () => batches({ images: new Float32Array(13), labels }, { size: 1 }),
      "ShapeError: batches: field 'images' has 13 elements, which is no multiple of 4, the number of examples (the length of 'labels', the shortest field).\n  Mend: give each field as { data, shape: [examples, ...item] }, or say count.",
    ],
    [
      'bare against shape',
      () => batches({ images: { data: new Float32Array(10), shape: [5, 2] }, labels }, { size: 1 }),
      "ShapeError: batches: field 'labels' has 4 elements, which is no multiple of 5, the number of examples (the first size of 'images').\n  Mend: give each field as { data, shape: [examples, ...item] }, or say count.",
    ],
    [
      'shape against data',
      () => batches({ images: { data: new Float32Array(10), shape: [4, 2] }, labels }, { size: 1 }),
      "ShapeError: batches: field 'images' has shape [4, 2] and 10 elements; a shape is [examples, ...item] and its product is the number of elements.",
    ],
    [
      '0-d',
      () => batches({ images: { data: new Float32Array(1), shape: [] } }, { size: 1 }),
      "ShapeError: batches: field 'images' has shape [] and 1 elements; a shape is [examples, ...item] and its product is the number of elements.",
    ],
    [
      'shapes',
      () =>
        batches(
          { images: { data: new Float32Array(8), shape: [4, 2] }, labels: { data: labels.subarray(1), shape: [3] } },
          { size: 1 },
        ),
      "ShapeError: batches: fields differ in the number of examples: 'images' has shape [4, 2], 'labels' has [3].",
    ],
    [
      'count',
      () => batches({ labels }, { size: 1, count: 0 }),
      'ValueError: batches: count is 0; it must be a positive integer, the number of examples.',
    ],
    [
      'count against shape',
      () => batches({ images: { data: new Float32Array(8), shape: [4, 2] } }, { size: 1, count: 8 }),
      "ShapeError: batches: count is 8, but field 'images' has shape [4, 2].",
    ],
    [
      'bytes',
      () => batches(JSON_LIKE.bytes, { size: 1 }),
      "DtypeError: batches: field 'images' is a Uint8Array; a field is a Float32Array, Int32Array or Uint32Array, or { data, shape } with one of them.\n  Mend: convert it first, as in Float32Array.from(bytes, (byte) => byte / 255).",
    ],
    [
      'no field',
      () => batches(JSON_LIKE.classes, { size: 1 }),
      "ValueError: batches: field 'classes' is of type number; a field is a Float32Array, Int32Array or Uint32Array, or { data, shape } with one of them.\n  Mend: give the fields alone, as in { images, labels }.",
    ],
    [
      'size',
      () => batches({ labels }, { size: 0.5 }),
      'ValueError: batches: size is 0.5; it must be a positive integer, the examples a batch.',
    ],
    [
      'seed',
      () => batches({ labels }, { size: 1, seed: -1 }),
      'ValueError: batches: seed is -1; it must be an integer in [0, 4294967296).',
    ],
    [
      'epoch',
      () => batches({ labels }, { size: 1, epoch: Number.NaN }),
      'ValueError: batches: epoch is NaN; it must be an integer in [0, 4294967296).',
    ],
    [
      'dropLast',
      () => batches({ labels }, { size: 5, dropLast: true }),
      'ValueError: batches: size is 5, but there are 4 examples and dropLast is set.\n  Mend: make size at most 4, or leave dropLast out.',
    ],
    [
      'start',
      () => batches({ labels }, { size: 2, start: 2 }),
      'ValueError: batches: start is 2; an epoch has 2 batches, so it must be in [0, 2).\n  Mend: give the epoch and index of an earlier position; after an epoch it is { epoch: epoch + 1, index: 0 }.',
    ],
  ])('%s', async (_, run, text) => {
    expect(await complaint(run)).toBe(text);
  });
});

/** What JavaScript callers may give although the types refuse it. */
const JSON_LIKE: { bytes: Record<string, never>; classes: Record<string, never> } = {
  bytes: Object.assign(Object.create(null), { images: new Uint8Array(4) }),
  classes: Object.assign(Object.create(null), { classes: 10 }),
};
