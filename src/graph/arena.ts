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
  readonly ranges: readonly BufferRange[];
  /** Which segment each lies in. */
  readonly segmentOf: readonly number[];
  readonly segments: readonly Storage[];

  /** @param sizes elements of each tensor. Fresh memory is zeroed. */
  constructor(engine: Engine, sizes: readonly number[], owner: Owner, label: string) {
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
    this.segments = totals.map((bytes) => {
      const storage = engine.heap.allocate(Math.max(ALIGNMENT, bytes), owner, label);
      engine.heap.clear(storage);
      return storage;
    });
    this.segmentOf = places.map(({ segment }) => segment);
    this.ranges = places.map(({ segment, offset, bytes }) => ({
      buffer: (this.segments[segment] as Storage).buffer,
      offset,
      bytes,
    }));
  }

  free(): void {
    for (const segment of this.segments) segment.free();
  }
}
