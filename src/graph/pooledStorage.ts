import type { PooledBuffer } from '../device/buffers.js';
import type { Device } from '../device/device.js';
import type { CotangentError } from '../errors.js';
import type { Storage } from './storage.js';

/** Memory lent by the device's pool: one tensor's, a plan's, an arena's. */
export class PooledStorage implements Storage {
  readonly buffer: GPUBuffer;
  readonly offset = 0;
  readonly bytes: number;
  readonly owner: Device;
  failure: Promise<CotangentError | undefined> | undefined;
  #release: (() => void) | undefined;

  constructor(owner: Device, pooled: PooledBuffer, release: () => void) {
    this.owner = owner;
    this.buffer = pooled.buffer;
    this.bytes = pooled.bytes;
    this.#release = release;
  }

  get freed(): boolean {
    return this.#release === undefined;
  }

  free(): void {
    this.#release?.();
    this.#release = undefined;
  }
}
