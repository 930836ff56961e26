import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { decodeDataset, encodeDataset } from '../../src/data/imageDataset.js';
import { loadDataset } from '../../src/node/datasets.js';
import { gzip, idxFile } from '../data/idxFile.js';
import { complaint } from '../support/complaint.js';

const root = await mkdtemp(join(tmpdir(), 'cotangent-datasets-'));
afterAll(() => rm(root, { recursive: true }));

const mend =
  '\n  Mend: fetch the four IDX files; on Debian: apt-get install dataset-fashion-mnist, then /usr/share/datasets/fashion-mnist.';

type Files = Record<string, Uint8Array>;

/** Three training and two test images of 2 x 2, ten classes. */
function files(): Files {
  return {
    'train-images-idx3-ubyte': idxFile(8, [3, 2, 2], [0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8]),
    'train-labels-idx1-ubyte': idxFile(8, [3], [0, 9, 4]),
    't10k-images-idx3-ubyte': idxFile(8, [2, 2, 2], [8, 7, 6, 5, 4, 3, 2, 1]),
    't10k-labels-idx1-ubyte': idxFile(8, [2], [5, 3]),
  };
}

async function directory(name: string, content: Files): Promise<string> {
  const path = join(root, name);
  await mkdir(path);
  for (const [file, bytes] of Object.entries(content)) await writeFile(join(path, file), bytes);
  return path;
}

describe('loadDataset of a directory', () => {
  test('four plain files', async () => {
    const loaded = await loadDataset(await directory('plain', files()));
    expect(loaded).toEqual({
      train: {
        images: Float32Array.from([0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8], (byte) => byte / 255),
        labels: Uint32Array.of(0, 9, 4),
      },
      test: { images: Float32Array.from([8, 7, 6, 5, 4, 3, 2, 1], (byte) => byte / 255), labels: Uint32Array.of(5, 3) },
      classes: 10,
      height: 2,
      width: 2,
      classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    });
    expect(decodeDataset(encodeDataset(loaded))).toEqual(loaded);
  });

  test('gzipped, and dotted names, give the same', async () => {
    const plain = await loadDataset(join(root, 'plain'));
    const gzipped: Files = {};
    const dotted: Files = {};
    for (const [name, bytes] of Object.entries(files())) {
      gzipped[`${name}.gz`] = await gzip(new Uint8Array(bytes));
      dotted[name.replace('-idx', '.idx')] = bytes;
    }
    expect(await loadDataset(await directory('gzipped', gzipped))).toEqual(plain);
    expect(await loadDataset(await directory('dotted', dotted))).toEqual(plain);
  });

  test('class names: Fashion-MNIST by its directory, or as given', async () => {
    const path = await directory('fashion-mnist', files());
    expect((await loadDataset(path)).classNames[9]).toBe('Ankle boot');
    const classNames = [...'abcdefghij'];
    expect((await loadDataset(path, { classNames })).classNames).toEqual(classNames);
    expect(await complaint(() => loadDataset(path, { classNames: ['a'] }))).toBe(
      `ValueError: loadDataset: classNames has 1 names, but ${path} has 10 classes.\n  Mend: give a name for each class.`,
    );
  });
});

describe('loadDataset complains', () => {
  const changed = (change: Files): Files => ({ ...files(), ...change });

  test('no directory', async () => {
    const path = join(root, 'nowhere');
    expect(await complaint(() => loadDataset(path))).toBe(
      `ValueError: loadDataset: ${path} is neither 'mnist' nor a directory that can be read.${mend}`,
    );
  });

  test('the call site is the caller’s', async () => {
    await expect(loadDataset(join(root, 'nowhere'))).rejects.toThrow(/\n {2}at datasets\.node\.test\.ts:\d+:\d+\n/);
  });

  test('an empty directory, and one file missing', async () => {
    const empty = await directory('empty', {});
    expect(await complaint(() => loadDataset(empty))).toBe(
      `ValueError: loadDataset: ${empty}: train-images-idx3-ubyte is missing (with .gz or without); the directory is empty.${mend}`,
    );
    const { 't10k-labels-idx1-ubyte': _, ...three } = files();
    const path = await directory('three', three);
    expect(await complaint(() => loadDataset(path))).toBe(
      `ValueError: loadDataset: ${path}: t10k-labels-idx1-ubyte is missing (with .gz or without); found: t10k-images-idx3-ubyte, train-images-idx3-ubyte, train-labels-idx1-ubyte.${mend}`,
    );
  });

  test('a file that is cut short', async () => {
    const whole = files()['train-images-idx3-ubyte'] ?? new Uint8Array();
    const path = await directory('short', changed({ 'train-images-idx3-ubyte': whole.subarray(0, 20) }));
    expect(await complaint(() => loadDataset(path))).toBe(
      `ValueError: readIdx: ${join(path, 'train-images-idx3-ubyte')}: the file ends at byte 20; u8 [3, 2, 2] takes bytes 16 to 28.\n  Mend: fetch the file again, and compare its size with the original.`,
    );
  });

  test('files that do not belong together', async () => {
    const labels = await directory('labels', changed({ 't10k-labels-idx1-ubyte': idxFile(8, [3], [1, 2, 3]) }));
    expect(await complaint(() => loadDataset(labels))).toBe(
      'ValueError: loadDataset: the test part has 2 images but 3 labels.\n  Mend: put t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte of one dataset into the directory.',
    );
    const sizes = await directory('sizes', changed({ 't10k-images-idx3-ubyte': idxFile(8, [2, 1, 2], [1, 2, 3, 4]) }));
    expect(await complaint(() => loadDataset(sizes))).toBe(
      `ValueError: loadDataset: ${sizes}: training images are 2 x 2, test images 1 x 2.\n  Mend: put the four files of one dataset into the directory.`,
    );
    const swapped = await directory('swapped', changed({ 'train-images-idx3-ubyte': idxFile(8, [3], [1, 2, 3]) }));
    expect(await complaint(() => loadDataset(swapped))).toBe(
      `ValueError: loadDataset: ${join(swapped, 'train-images-idx3-ubyte')} has 1 dimensions; it must be bytes (type 0x08) with 3.${mend}`,
    );
  });
});

test("loadDataset('mnist') is the package's 10,000 digits, dealt the same way each time", async () => {
  const { train, test: held, ...rest } = await loadDataset('mnist');
  expect(rest).toEqual({ classes: 10, height: 28, width: 28, classNames: [...'0123456789'] });
  expect([train.labels.length, held.labels.length]).toEqual([8000, 2000]);
  expect([train.images.length, held.images.length]).toEqual([8000 * 784, 2000 * 784]);
  // Every digit is some tenth of the package; a fair deal leaves 200 of each in the test part, give or take
  // four standard deviations of 13.
  for (let digit = 0; digit < 10; digit++) {
    expect(Math.abs(held.labels.filter((label) => label === digit).length - 200)).toBeLessThan(52);
  }
  // Every grey value is a byte's, so the whole goes to a page as bytes.
  const encoded = encodeDataset({ train, test: held, ...rest });
  expect(encoded.length).toBeLessThan(10_000 * 785 + 1000);
  const again = await loadDataset('mnist');
  expect(again.test.labels).toEqual(held.labels);
});
