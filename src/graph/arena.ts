import { OutOfMemoryError } from '../errors.js';
import type { Engine, Owner } from './engine.js';
import type { BufferRange } from './lowering.js';
import type { Storage } from './storage.js';

/** Ranges start at multiples of so many bytes, as bindings must; one block of 64 floats. */
export const BLOCK_BYTES = 256;
export const BLOCK_FLOATS = 64;

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
      const bytes = Math.max(BLOCK_BYTES, Math.ceil((4 * size) / BLOCK_BYTES) * BLOCK_BYTES);
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
      const storage = engine.allocate(Math.max(BLOCK_BYTES, bytes), owner, label);
      engine.clear(storage);
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
