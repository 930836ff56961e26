import type { Device } from '../device/device.js';
import { OutOfMemoryError } from '../errors.js';
import { ALIGNMENT, aligned } from './alignment.js';
import type { Engine } from './engine.js';
import type { Owner } from './heap.js';
import type { BufferRange } from './lowering.js';
import type { Storage } from './storage.js';

/** Each tensor begins a new block: as far apart as bindings must be. */
export const BLOCK_FLOATS = ALIGNMENT / 4;

/** Tensors of f32 side by side in one buffer, or in several where a binding may not hold them all. */
export class Arena {
  /** Where each tensor lies, in the order given. */
  readonly places: readonly Place[];
  /** Which segment each lies in. */
  readonly segmentOf: readonly number[];
  readonly segments: readonly Segment[];
  readonly #engine: Engine;

  /** @param sizes elements of each tensor. Its memory is made, and zeroed, once a plan or a copy needs it. */
  constructor(engine: Engine, sizes: readonly number[], owner: Owner, label: string) {
    this.#engine = engine;
    const limit = engine.device.limits.maxStorageBufferBindingSize;
    const places: { segment: number; offset: number; bytes: number }[] = [];
    const totals: number[] = [0];
    for (const size of sizes) {
      const bytes = aligned(Math.max(1, 4 * size));
      if (bytes > limit) {
        throw new OutOfMemoryError(
          label,
          `a tensor of ${4 * size} bytes exceeds maxStorageBufferBindingSize (${limit}).`,
          {
            mend: 'split the parameter, or init without limits: default.',
          },
        );
      }
      if ((totals.at(-1) ?? 0) + bytes > limit) totals.push(0);
      const segment = totals.length - 1;
      places.push({ segment, offset: totals[segment] ?? 0, bytes: 4 * size });
      totals[segment] = (totals[segment] ?? 0) + bytes;
    }
    this.segments = totals.map((bytes) => new Segment(engine, Math.max(ALIGNMENT, bytes), owner, label));
    this.segmentOf = places.map(({ segment }) => segment);
    this.places = places.map(
      ({ segment, offset, bytes }) => new Place(this.segments[segment] as Segment, offset, bytes),
    );
  }

  /** Fills a tensor with zeros; where no memory was made yet it is as good as zero. */
  clear(index: number): void {
    const place = this.places[index];
    const segment = this.segments[this.segmentOf[index] ?? 0];
    if (place !== undefined && place.bytes > 0 && segment?.isMade === true) this.#engine.heap.clear(place);
  }

  free(): void {
    for (const segment of this.segments) segment.free();
  }
}

/** A buffer of an arena, made at the first look at it: of gradients that kernels take in nothing is ever stored. */
class Segment implements BufferRange {
  readonly offset = 0;
  readonly bytes: number;
  readonly label: string;
  readonly device: Device;
  readonly #make: () => Storage;
  #storage: Storage | undefined;
  #freed = false;

  constructor(engine: Engine, bytes: number, owner: Owner, label: string) {
    this.bytes = bytes;
    this.label = label;
    this.device = engine.device;
    this.#make = () => {
      const { heap } = engine;
      const storage = heap.allocate(bytes, owner, label);
      heap.clear(storage);
      heap.hold(this, [storage]);
      return storage;
    };
  }

  get isMade(): boolean {
    return this.#storage !== undefined;
  }

  get buffer(): GPUBuffer {
    if (this.#freed) throw new Error(`the arena '${this.label}' was freed`);
    this.#storage ??= this.#make();
    return this.#storage.buffer;
  }

  free(): void {
    this.#storage?.free();
    this.#freed = true;
  }
}

/** A tensor's part of a segment: it keeps the whole, though whoever made the arena is gone. */
class Place implements Storage {
  readonly offset: number;
  readonly bytes: number;
  readonly freed = false;
  readonly #segment: Segment;

  constructor(segment: Segment, offset: number, bytes: number) {
    this.#segment = segment;
    this.offset = offset;
    this.bytes = bytes;
  }

  get buffer(): GPUBuffer {
    return this.#segment.buffer;
  }

  get owner(): Device {
    return this.#segment.device;
  }

  get arena(): string {
    return this.#segment.label;
  }

  free(): void {
    // A tensor cannot free its part.
  }
}
