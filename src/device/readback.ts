import { KernelError, ValueError } from '../errors.js';
import { type ErrorSink, wording } from './errorSink.js';
import { BUFFER_COPY_DST, BUFFER_MAP_READ, MAP_READ } from './flags.js';
import type { DeviceLoss } from './recovery.js';
import { sizeClass } from './sizeClass.js';

/** Free staging bytes kept; one large read shall not hold its size for ever. */
const MAX_FREE_BYTES = 64 * 2 ** 20;

/** A copy that waits in the caller's encoder. */
export interface StagedRead {
  /**
   * The bytes, once the work submitted so far is done. Call it once, after the encoder's work was submitted:
   * a mapped buffer cannot be in a submit.
   *
   * @throws (rejects) DeviceLostError; ValueError on a second call.
   */
  map(): Promise<ArrayBuffer>;
  /** Gives the staging buffer up, for an encoder that will not be submitted or read; nothing after `map`. */
  cancel(): void;
}

interface Range {
  readonly start: number;
  readonly length: number;
  /** Where in the copied range the wanted bytes begin: 0 to 3. */
  readonly lead: number;
}

/**
 * Brings bytes from the GPU through a ring of mappable staging buffers, and waits for the GPU.
 * A staging buffer is in the ring or with one read, never both: reads may run side by side without bound.
 */
export class Readback {
  readonly #gpu: GPUDevice;
  readonly #loss: DeviceLoss;
  readonly #errors: ErrorSink;
  readonly #free = new Map<number, GPUBuffer[]>();
  #freeBytes = 0;
  #created = 0;

  constructor(gpu: GPUDevice, loss: DeviceLoss, errors: ErrorSink) {
    this.#gpu = gpu;
    this.#loss = loss;
    this.#errors = errors;
  }

  /** Staging buffers created so far; constant once the ring has grown to the reads in flight. */
  get buffersCreated(): number {
    return this.#created;
  }

  /**
   * Reads `bytes` of `source` from `offset` on, as they are after all work submitted before this call.
   * Any offset and length, in bytes; copies of 4 bytes are made around them.
   *
   * @throws (rejects) ValueError for a range outside the buffer; KernelError when the GPU refuses the copy
   *   (a destroyed buffer, one without COPY_SRC); DeviceLostError.
   */
  async read(source: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    this.#loss.assertAlive('read');
    const { result, error } = this.#errors.scope(nameOf(source), () => {
      const encoder = this.#gpu.createCommandEncoder({ label: 'read' });
      const staged = this.stage(encoder, source, offset, bytes);
      if (bytes > 0) this.#gpu.queue.submit([encoder.finish()]);
      return staged.map();
    });
    // A refused copy leaves zeros in the staging buffer, so the verdict is awaited with the data.
    const [data, refusal] = await Promise.allSettled([result, error]);
    if (refusal.status === 'fulfilled' && refusal.value !== undefined) throw refusal.value;
    if (data.status === 'rejected') throw data.reason;
    return data.value;
  }

  /**
   * Encodes the copy into the caller's encoder (between passes) instead of one of its own.
   * The GPU's verdict on the copy comes with the caller's submit.
   *
   * @throws ValueError for a range outside the buffer; DeviceLostError.
   */
  stage(encoder: GPUCommandEncoder, source: GPUBuffer, offset: number, bytes: number): StagedRead {
    this.#loss.assertAlive('read');
    const range = copyRange(source, offset, bytes);
    const staging = range.length === 0 ? undefined : this.#take(range.length);
    if (staging !== undefined) encoder.copyBufferToBuffer(source, range.start, staging, 0, range.length);
    let spent = false;
    return {
      map: async () => {
        if (spent) throw new ValueError('read', 'this staged read was mapped or cancelled before.');
        spent = true;
        if (staging === undefined) return new ArrayBuffer(0);
        return this.#map(staging, range.length, (mapped) => mapped.slice(range.lead, range.lead + bytes));
      },
      cancel: () => {
        if (spent) return;
        spent = true;
        // Destroyed, not returned: the encoder may still be submitted by mistake.
        staging?.destroy();
      },
    };
  }

  /**
   * Resolves when all work submitted before this call is done. It maps a cleared ring slot: `onSubmittedWorkDone`
   * takes 2 ms in Chrome, and mapping waits only for work that used the slot, hence the clear.
   *
   * @throws (rejects) DeviceLostError.
   */
  async fence(): Promise<void> {
    this.#loss.assertAlive('fence');
    const slot = this.#take(4);
    const encoder = this.#gpu.createCommandEncoder({ label: 'fence' });
    encoder.clearBuffer(slot, 0, 4);
    this.#gpu.queue.submit([encoder.finish()]);
    await this.#map(slot, 4, () => undefined);
  }

  /** Destroys the staging buffers that wait in the ring. */
  destroy(): void {
    for (const buffers of this.#free.values()) for (const buffer of buffers) buffer.destroy();
    this.#free.clear();
    this.#freeBytes = 0;
  }

  async #map<T>(staging: GPUBuffer, length: number, copyOut: (mapped: ArrayBuffer) => T): Promise<T> {
    try {
      await staging.mapAsync(MAP_READ, 0, length);
    } catch (cause) {
      staging.destroy();
      if (await this.#loss.explains()) throw this.#loss.error('read');
      throw new KernelError('read', `the GPU did not hand over the bytes: ${wording(cause)}`, { cause });
    }
    // A device lost since may have left zeros behind.
    this.#loss.assertAlive('read');
    const result = copyOut(staging.getMappedRange(0, length));
    staging.unmap();
    this.#give(staging);
    return result;
  }

  #take(length: number): GPUBuffer {
    const capacity = sizeClass(length, this.#gpu.limits.maxBufferSize);
    const free = this.#free.get(capacity)?.pop();
    if (free !== undefined) {
      this.#freeBytes -= capacity;
      return free;
    }
    this.#created += 1;
    return this.#gpu.createBuffer({ label: 'staging', size: capacity, usage: BUFFER_MAP_READ | BUFFER_COPY_DST });
  }

  #give(staging: GPUBuffer): void {
    if (this.#loss.isLost || this.#freeBytes + staging.size > MAX_FREE_BYTES) {
      staging.destroy();
      return;
    }
    this.#freeBytes += staging.size;
    const free = this.#free.get(staging.size);
    if (free === undefined) this.#free.set(staging.size, [staging]);
    else free.push(staging);
  }
}

/** The 4-byte aligned range around the wanted bytes. */
function copyRange(source: GPUBuffer, offset: number, bytes: number): Range {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(bytes) && offset >= 0 && bytes >= 0;
  if (!whole || offset + bytes > source.size) {
    throw new ValueError(
      'read',
      `${bytes} bytes from offset ${offset} do not lie in buffer '${nameOf(source)}' of ${source.size} bytes.`,
    );
  }
  const lead = offset % 4;
  return { start: offset - lead, lead, length: bytes === 0 ? 0 : Math.ceil((lead + bytes) / 4) * 4 };
}

function nameOf(source: GPUBuffer): string {
  return source.label === '' ? 'buffer' : source.label;
}
