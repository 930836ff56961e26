import { ValueError } from '../errors.js';
import type { TypedArray } from '../graph/dtype.js';
import type { HostArray } from '../graph/hostArray.js';
import { type Dataset, type FieldData, type ResolvedField, resolveFields } from './fields.js';
import { emptyLike, gather } from './gather.js';
import { nextTurn } from './nextTurn.js';
import { checkUnsigned, permutation, SHUFFLE_STREAM } from './permutation.js';

/** One batch: the dataset's fields, each `{ data, shape: [examples of the batch, ...item] }`. */
export type Batch<Fields> = { readonly [Name in keyof Fields]: HostArray<FieldData<Fields[Name]>> };

/** Where a sequence of batches stands: the batch that comes next. */
export interface Position {
  readonly epoch: number;
  /** Index of the next batch within its epoch, counted in batches. */
  readonly index: number;
}

export interface BatchOptions {
  /** Examples a batch. */
  readonly size: number;
  /** Seed of the order, an integer in [0, 2^32). Default 0. */
  readonly seed?: number;
  /** Whether each epoch has its own random order; else the dataset's order. Default true. */
  readonly shuffle?: boolean;
  /** Whether to leave out a last batch of fewer than `size` examples. Default false. */
  readonly dropLast?: boolean;
  /** The first epoch. Default 0. */
  readonly epoch?: number;
  /** The first batch's index within its epoch, as `position.index` told it. Default 0. */
  readonly start?: number;
  /** Number of examples, where the fields do not say it (see `Dataset`). */
  readonly count?: number;
  /** Awaited before each batch: how an engine holds back a loop that runs ahead of the GPU. */
  readonly pace?: (() => Promise<void> | undefined) | undefined;
}

export interface Batches<Fields> extends AsyncIterable<Batch<Fields>> {
  /** The batch that comes next; give its `epoch` and `index` as `epoch` and `start` to resume there. */
  readonly position: Position;
  /** Batches an epoch. */
  readonly length: number;
}

/** Staging slots. The GPU's queue copies an input when a step writes it, so this is about what a caller may hold. */
const SLOTS = 3;

/**
 * A dataset in batches, in a seeded random order that is the same on every machine.
 *
 * Each `for await` loop runs from `position` to the end of that epoch: the next loop over the same object gets the
 * next epoch, in a new order, and a loop after a `break` goes on with the following batch. A run resumed with
 * `{ epoch, start }` of an earlier `position`, and the same dataset, size, seed and other options, sees exactly the
 * batches that would have followed.
 *
 * Batches lie in three staging slots that are used in turn: a batch stays valid until two more have been asked for,
 * and is overwritten by the third. Copy what you hold for longer.
 *
 * Every batch comes in a later turn of the event loop, so that the GPU can report and the page stays alive.
 *
 * @param dataset typed arrays by name, bare or as `{ data, shape: [examples, ...item] }`; see `Dataset` for how the
 *   number of examples follows. A bare field with k > 1 numbers an example comes as `[b, k]`, else as `[b]`.
 * @throws ShapeError or DtypeError when fields do not fit; ValueError for an option out of range. All at the call.
 * @example
 * for await (const { images, labels } of batches(digits, { size: 128, seed: 0 })) step(images, labels);
 */
export function batches<Fields extends Dataset<Fields>>(dataset: Fields, options: BatchOptions): Batches<Fields> {
  return new BatchSequence<Fields>(dataset, options);
}

class BatchSequence<Fields extends Dataset<Fields>> implements Batches<Fields> {
  readonly length: number;
  readonly #options: BatchOptions;
  readonly #count: number;
  readonly #slots: readonly Slot[];
  readonly #order: Uint32Array;
  /** Epoch whose order is in `#order`. */
  #orderedEpoch: number | undefined;
  #epoch: number;
  #index: number;
  #made = 0;

  constructor(dataset: Fields, options: BatchOptions) {
    const { size, seed = 0, epoch = 0, start = 0, dropLast = false, count } = options;
    const resolved = resolveFields('batches', dataset, count);
    if (!Number.isInteger(size) || size < 1) {
      throw new ValueError('batches', `size is ${size}; it must be a positive integer, the examples a batch.`);
    }
    checkUnsigned('batches', 'seed', seed);
    checkUnsigned('batches', 'epoch', epoch);
    this.length = dropLast ? Math.floor(resolved.count / size) : Math.ceil(resolved.count / size);
    if (this.length === 0) {
      throw new ValueError(
        'batches',
        `size is ${size}, but there are ${resolved.count} examples and dropLast is set.`,
        {
          mend: `make size at most ${resolved.count}, or leave dropLast out.`,
        },
      );
    }
    if (!Number.isInteger(start) || start < 0 || start >= this.length) {
      throw new ValueError(
        'batches',
        `start is ${start}; an epoch has ${this.length} batches, so it must be in [0, ${this.length}).`,
        {
          mend: 'give the epoch and index of an earlier position; after an epoch it is { epoch: epoch + 1, index: 0 }.',
        },
      );
    }
    this.#options = options;
    this.#count = resolved.count;
    this.#slots = Array.from({ length: SLOTS }, () => makeSlot(resolved.fields, Math.min(size, resolved.count)));
    this.#order = new Uint32Array(resolved.count);
    this.#epoch = epoch;
    this.#index = start;
  }

  get position(): Position {
    return { epoch: this.#epoch, index: this.#index };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch<Fields>, void, undefined> {
    const epoch = this.#epoch;
    while (true) {
      await this.#options.pace?.();
      await nextTurn();
      // Another loop over this object may have taken the rest of the epoch meanwhile.
      if (this.#epoch !== epoch) return;
      yield this.#next();
      if (this.#epoch !== epoch) return;
    }
  }

  #next(): Batch<Fields> {
    this.#arrange();
    const { size } = this.#options;
    const from = this.#index * size;
    const to = Math.min(from + size, this.#count);
    const slot = this.#slots[this.#made++ % SLOTS] ?? [];
    for (const { field, staging } of slot) gather(field.data, field.itemSize, this.#order, from, to, staging.data);
    this.#index += 1;
    if (this.#index === this.length) {
      this.#index = 0;
      this.#epoch += 1;
    }
    const parts = slot.map(({ field, staging }) => [field.name, shorten(field, staging, to - from)] as const);
    // The record has the dataset's own names, and each value the field's own type: what Batch says, which
    // Object.fromEntries cannot.
    return Object.fromEntries(parts) as Batch<Fields>;
  }

  #arrange(): void {
    if (this.#orderedEpoch === this.#epoch) return;
    const { shuffle = true, seed = 0 } = this.#options;
    if (shuffle) {
      permutation(this.#count, { seed, stream: SHUFFLE_STREAM, epoch: this.#epoch }, this.#order);
    } else {
      for (let i = 0; i < this.#count; i++) this.#order[i] = i;
    }
    this.#orderedEpoch = this.#epoch;
  }
}

interface Staged {
  readonly field: ResolvedField;
  readonly staging: HostArray;
}
type Slot = readonly Staged[];

function makeSlot(fields: readonly ResolvedField[], size: number): Slot {
  return fields.map((field) => ({
    field,
    staging: { data: emptyLike(field.data, size * field.itemSize), shape: [size, ...field.item] },
  }));
}

function shorten(field: ResolvedField, staging: HostArray, examples: number): HostArray<TypedArray> {
  if (staging.shape[0] === examples) return staging;
  return { data: staging.data.subarray(0, examples * field.itemSize), shape: [examples, ...field.item] };
}
