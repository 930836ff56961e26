import type { Device } from '../device/device.js';
import { BUFFER_COPY_SRC, BUFFER_QUERY_RESOLVE } from '../device/flags.js';

/** Times a compute pass: by timestamp queries where the device has them, else by the clock and a fence. */
export class Stopwatch {
  readonly #device: Device;
  readonly #stamps: { readonly set: GPUQuerySet; readonly resolved: GPUBuffer } | undefined;

  constructor(device: Device) {
    this.#device = device;
    if (!device.features.has('timestamp-query')) return;
    this.#stamps = {
      set: device.gpu.createQuerySet({ type: 'timestamp', count: 2 }),
      resolved: device.gpu.createBuffer({ size: 16, usage: BUFFER_QUERY_RESOLVE | BUFFER_COPY_SRC }),
    };
  }

  /** Milliseconds of the pass. Ordinary pages round timestamps to 0.1 ms: give it 10 ms of work or more. */
  async time(encode: (pass: GPUComputePassEncoder) => void): Promise<number> {
    const { gpu, queue, readback } = this.#device;
    const stamps = this.#stamps;
    const encoder = gpu.createCommandEncoder();
    const timestampWrites = stamps && {
      querySet: stamps.set,
      beginningOfPassWriteIndex: 0,
      endOfPassWriteIndex: 1,
    };
    const pass = encoder.beginComputePass(timestampWrites === undefined ? {} : { timestampWrites });
    encode(pass);
    pass.end();
    if (stamps !== undefined) encoder.resolveQuerySet(stamps.set, 0, 2, stamps.resolved, 0);
    await readback.fence();
    const began = performance.now();
    queue.submit([encoder.finish()]);
    await readback.fence();
    const elapsed = performance.now() - began;
    if (stamps === undefined) return elapsed;
    const [start = 0n, end = 0n] = new BigUint64Array(await readback.read(stamps.resolved, 0, 16));
    // The specification lets a timestamp be missing or run backwards; the clock's figure is then the best there is.
    return end > start ? Number(end - start) / 1e6 : elapsed;
  }

  destroy(): void {
    this.#stamps?.set.destroy();
    this.#stamps?.resolved.destroy();
  }
}
