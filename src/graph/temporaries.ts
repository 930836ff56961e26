import type { Engine } from './engine.js';
import type { Storage } from './storage.js';

/** The temporary buffers of a step's plans. The plans run one after the other, so they share them. */
export class Temporaries {
  readonly sizes: number[] = [];
  readonly #apart: boolean;
  storages: readonly Storage[] = [];

  /** @param apart nothing is shared, and all can be looked at when the step is done (anomaly mode). */
  constructor(apart: boolean) {
    this.#apart = apart;
  }

  /** Makes room for a plan's buffers. @returns where the first of them stands. */
  reserve(bytes: readonly number[]): number {
    const first = this.#apart ? this.sizes.length : 0;
    bytes.forEach((size, i) => {
      this.sizes[first + i] = Math.max(this.sizes[first + i] ?? 0, size);
    });
    return first;
  }

  allocate(engine: Engine, label: string): void {
    this.storages = this.sizes.map((bytes) => engine.heap.allocate(bytes, 'temporaries', label));
  }

  at(index: number): Storage {
    return this.storages[index] as Storage;
  }
}
