import type { Device } from './device.js';
import { BUFFER_COPY_SRC, BUFFER_QUERY_RESOLVE } from './flags.js';

/** A query set holds at most 4096 queries; a pass takes two. */
const PASSES_A_SET = 2048;
const BYTES_A_PASS = 16;

/** When each of some passes began and ended, told by the GPU. */
export class Timestamps {
  readonly #device: Device;
  readonly #passes: number;
  readonly #sets: readonly GPUQuerySet[];
  readonly #resolved: GPUBuffer;

  /** Only for a device with the feature 'timestamp-query'. */
  constructor(device: Device, passes: number) {
    this.#device = device;
    this.#passes = passes;
    this.#sets = Array.from({ length: Math.ceil(passes / PASSES_A_SET) }, (_, i) =>
      device.gpu.createQuerySet({
        type: 'timestamp',
        count: 2 * Math.min(PASSES_A_SET, passes - i * PASSES_A_SET),
      }),
    );
    this.#resolved = device.gpu.createBuffer({
      label: 'timestamps',
      size: Math.max(1, passes) * BYTES_A_PASS,
      usage: BUFFER_QUERY_RESOLVE | BUFFER_COPY_SRC,
    });
  }

  /** What makes a pass the `pass`-th one. */
  around(pass: number): GPUComputePassTimestampWrites {
    const at = 2 * (pass % PASSES_A_SET);
    return {
      querySet: this.#sets[Math.floor(pass / PASSES_A_SET)] as GPUQuerySet,
      beginningOfPassWriteIndex: at,
      endOfPassWriteIndex: at + 1,
    };
  }

  /** Beginning and end of each pass, in nanoseconds, once they were submitted; every one must have been. */
  async read(): Promise<BigUint64Array> {
    const encoder = this.#device.gpu.createCommandEncoder({ label: 'timestamps' });
    this.#sets.forEach((set, i) => {
      encoder.resolveQuerySet(set, 0, set.count, this.#resolved, i * PASSES_A_SET * BYTES_A_PASS);
    });
    this.#device.queue.submit([encoder.finish()]);
    return new BigUint64Array(await this.#device.readback.read(this.#resolved, 0, this.#passes * BYTES_A_PASS));
  }

  destroy(): void {
    for (const set of this.#sets) set.destroy();
    this.#resolved.destroy();
  }
}
