import { ValueError } from '../errors.js';
import { decodeSafetensors, encodeSafetensors, type SafetensorsTensor } from './safetensors.js';

/** Labelled images as `batches` takes them. */
export interface LabelledImages {
  /** `[examples * height * width]`, row-major, grey values in [0, 1]. */
  readonly images: Float32Array;
  /** `[examples]`, each in `[0, classes)`. */
  readonly labels: Uint32Array;
}

export interface ImageDataset {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  readonly classes: number;
  /** Rows of an image, in pixels. */
  readonly height: number;
  /** Columns of an image, in pixels. */
  readonly width: number;
  /** A name for each class. */
  readonly classNames: readonly string[];
}

const PARTS = ['train', 'test'] as const;

/**
 * Packs an image dataset into a safetensors file, for sending it to a page.
 * Images whose every pixel is a byte over 255 are written as bytes, a quarter of the size; labels as bytes when they
 * fit. Both come back bit for bit.
 */
export function encodeDataset(dataset: ImageDataset): Uint8Array<ArrayBuffer> {
  const { classes, height, width, classNames } = dataset;
  const tensors: Record<string, SafetensorsTensor> = {};
  for (const part of PARTS) {
    const { images, labels } = dataset[part];
    tensors[`${part}.images`] = packImages(images, [labels.length, height, width]);
    tensors[`${part}.labels`] = packLabels(labels);
  }
  return encodeSafetensors(tensors, { dataset: JSON.stringify({ classes, height, width, classNames }) });
}

/**
 * Reads what `encodeDataset` wrote.
 * @param options.name what errors call the file; 'dataset' by default
 * @throws ValueError for anything else.
 */
export function decodeDataset(
  bytes: Uint8Array | ArrayBuffer,
  { name = 'dataset' }: { name?: string } = {},
): ImageDataset {
  const { tensors, metadata } = decodeSafetensors(bytes, { name });
  const fail = (sentence: string): never => {
    throw new ValueError('decodeDataset', `${name}: ${sentence}`, { mend: 'write the file with encodeDataset.' });
  };
  const { classes, height, width, classNames } = readDescription(metadata.dataset, fail);
  const part = (which: (typeof PARTS)[number]): LabelledImages => {
    const images = tensors.get(`${which}.images`) ?? fail(`tensor '${which}.images' is missing.`);
    const labels = tensors.get(`${which}.labels`) ?? fail(`tensor '${which}.labels' is missing.`);
    const [examples, ...size] = images.shape;
    if (
      size.length !== 2 ||
      size[0] !== height ||
      size[1] !== width ||
      labels.shape.length !== 1 ||
      labels.shape[0] !== examples
    ) {
      fail(
        `'${which}.images' is [${images.shape.join(', ')}] and '${which}.labels' [${labels.shape.join(', ')}]; they must be [n, ${height}, ${width}] and [n].`,
      );
    }
    const unpacked = { images: unpackImages(images), labels: unpackLabels(labels) };
    const stray = unpacked.labels?.find((label) => label >= classes);
    if (stray !== undefined) fail(`'${which}.labels' has label ${stray}, but there are ${classes} classes.`);
    return {
      images: unpacked.images ?? fail(`'${which}.images' is ${images.dtype}; it must be U8 or F32.`),
      labels: unpacked.labels ?? fail(`'${which}.labels' is ${labels.dtype}; it must be U8 or U32.`),
    };
  };
  return { train: part('train'), test: part('test'), classes, height, width, classNames };
}

/** A byte's grey value in [0, 1]: `byte / 255`, rounded to f32. */
export function greyOfBytes(bytes: Uint8Array): Float32Array {
  // A loop: Float32Array.from with a function takes thirty times as long (seconds for Fashion-MNIST).
  const greys = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) greys[i] = (bytes[i] ?? 0) / 255;
  return greys;
}

function packImages(images: Float32Array, shape: readonly number[]): SafetensorsTensor {
  const bytes = new Uint8Array(images.length);
  for (let i = 0; i < images.length; i++) {
    const grey = images[i] ?? 0;
    const byte = Math.round(grey * 255);
    // Object.is tells -0 from 0, which a byte could not bring back; NaN and values out of range differ as well.
    if (!Object.is(Math.fround((byte & 255) / 255), grey)) return { dtype: 'F32', shape, data: images };
    bytes[i] = byte;
  }
  return { dtype: 'U8', shape, data: bytes };
}

function packLabels(labels: Uint32Array): SafetensorsTensor {
  const shape = [labels.length];
  const small = labels.every((label) => label < 256);
  return small ? { dtype: 'U8', shape, data: Uint8Array.from(labels) } : { dtype: 'U32', shape, data: labels };
}

function unpackImages({ dtype, data }: SafetensorsTensor): Float32Array | undefined {
  if (dtype === 'U8' && data instanceof Uint8Array) return greyOfBytes(data);
  return data instanceof Float32Array ? data : undefined;
}

function unpackLabels({ dtype, data }: SafetensorsTensor): Uint32Array | undefined {
  if (dtype === 'U8' && data instanceof Uint8Array) return Uint32Array.from(data);
  return data instanceof Uint32Array ? data : undefined;
}

type Description = Pick<ImageDataset, 'classes' | 'height' | 'width' | 'classNames'>;

function readDescription(text: string | undefined, fail: (sentence: string) => never): Description {
  if (text === undefined) return fail("metadata 'dataset' is missing.");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail("metadata 'dataset' is not JSON.");
  }
  if (!isDescription(value))
    return fail("metadata 'dataset' does not give classes, height, width and a name for each class.");
  return value;
}

function isDescription(value: unknown): value is Description {
  if (typeof value !== 'object' || value === null) return false;
  const { classes, height, width, classNames } = value as Partial<Record<keyof Description, unknown>>;
  const positive = [classes, height, width].every(
    (size) => typeof size === 'number' && Number.isInteger(size) && size > 0,
  );
  return (
    positive &&
    Array.isArray(classNames) &&
    classNames.length === classes &&
    classNames.every((name) => typeof name === 'string')
  );
}
