import { ValueError } from '../errors.js';
import type { HostArray } from '../graph/hostArray.js';
import { type Dataset, type Field, type ResolvedField, resolveFields } from './fields.js';
import { emptyLike, gather } from './gather.js';
import { checkUnsigned, permutation, SPLIT_STREAM } from './permutation.js';

export interface SplitOptions {
  /** Examples that go to `test`; at least 1 and fewer than there are. */
  readonly testCount: number;
  /** An integer in [0, 2^32). Default 0. */
  readonly seed?: number;
  /** Number of examples, where the fields do not say it (see `Dataset`). */
  readonly count?: number;
}

/** Fields of the kinds that were given: bare stays bare, `{ data, shape }` stays so. */
export type SplitPart<Fields> = { readonly [Name in keyof Fields]: Fields[Name] };

/**
 * Deals a dataset's examples at random into a training and a test part, each in random order, copying them.
 * The same seed and number of examples give the same parts on every machine.
 *
 * @param dataset see `Dataset`
 * @throws ValueError when `testCount` leaves either part empty; ShapeError or DtypeError when fields do not fit.
 * @example const { train, test } = splitDataset({ images, labels }, { testCount: 2000, seed: 0 });
 */
export function splitDataset<Fields extends Dataset<Fields>>(
  dataset: Fields,
  { testCount, seed = 0, count }: SplitOptions,
): { train: SplitPart<Fields>; test: SplitPart<Fields> } {
  const resolved = resolveFields('splitDataset', dataset, count);
  checkUnsigned('splitDataset', 'seed', seed);
  if (!Number.isInteger(testCount) || testCount < 1 || testCount >= resolved.count) {
    throw new ValueError(
      'splitDataset',
      `testCount is ${testCount}; of ${resolved.count} examples it must be an integer in [1, ${resolved.count}).`,
    );
  }
  const order = permutation(resolved.count, { seed, stream: SPLIT_STREAM, epoch: 0 });
  const trainCount = resolved.count - testCount;
  const part = (from: number, to: number): SplitPart<Fields> => {
    const fields = resolved.fields.map((field) => [field.name, take(field, order, from, to)] as const);
    // The record has the dataset's own names and kinds, which Object.fromEntries cannot say.
    return Object.fromEntries(fields) as SplitPart<Fields>;
  };
  return { train: part(0, trainCount), test: part(trainCount, resolved.count) };
}

function take(field: ResolvedField, order: Uint32Array, from: number, to: number): Field {
  const data = emptyLike(field.data, (to - from) * field.itemSize);
  gather(field.data, field.itemSize, order, from, to, data);
  const shaped: HostArray = { data, shape: [to - from, ...field.item] };
  return field.bare ? data : shaped;
}
