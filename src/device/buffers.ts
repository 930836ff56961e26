import { OutOfMemoryError, ValueError } from '../errors.js';
import { BUFFER_COPY_DST, BUFFER_COPY_SRC, BUFFER_STORAGE, BUFFER_UNIFORM } from './flags.js';
import type { DeviceLoss } from './recovery.js';
import { formatBytes, sizeClass } from './sizeClass.js';

/** A buffer lent by the pool; give it back with `release`, never with `buffer.destroy()`. */
export interface PooledBuffer {
  readonly buffer: GPUBuffer;
  /** What was asked for, in bytes. */
  readonly bytes: number;
  /** What the buffer holds, in bytes: `buffer.size`, at least 4 and a multiple of 4. */
  readonly capacity: number;
  readonly label: string;
}

export interface PoolStatistics {
  /** Capacity of the buffers lent out, bytes. */
  readonly bytesInUse: number;
  /** Capacity of all buffers that exist, lent or waiting, bytes. */
  readonly bytesHeld: number;
  /** The largest `bytesHeld` so far: what the device had to give at once. */
  readonly highWater: number;
  readonly buffersCreated: number;
  readonly buffersDestroyed: number;
}

/** What is held and by whom. */
export interface MemoryReport extends PoolStatistics {
  /** Buffers lent out, summed by label, the largest first. */
  readonly holders: readonly { readonly label: string; readonly buffers: number; readonly bytes: number }[];
}

export interface PoolOptions {
  /** Bytes kept waiting for reuse; beyond it the buffers that waited longest are destroyed. Default 256 MiB. */
  readonly maxFreeBytes?: number;
  /** The adapter's own limits, to tell a user that the device was opened with less. */
  readonly adapterLimits?: GPUSupportedLimits;
}

type Kind = 'storage' | 'uniform';
type LimitName = 'maxBufferSize' | 'maxStorageBufferBindingSize';

interface Held {
  readonly kind: Kind;
  readonly buffer: GPUBuffer;
  readonly capacity: number;
}

const USAGE: Record<Kind, number> = {
  storage: BUFFER_STORAGE | BUFFER_COPY_SRC | BUFFER_COPY_DST,
  uniform: BUFFER_UNIFORM | BUFFER_COPY_DST,
};
const LIMITS: Record<Kind, readonly LimitName[]> = {
  storage: ['maxStorageBufferBindingSize', 'maxBufferSize'],
  // A plan binds ranges of one uniform buffer, so only its whole size is bounded here.
  uniform: ['maxBufferSize'],
};

/**
 * Lends GPU buffers and keeps what comes back, by size class: creating and destroying 16 MB costs 45 ms in Chrome.
 *
 * **A fresh buffer is zero; a recycled one holds what its last user left.** A kernel that does not write every
 * element clears it first (`encoder.clearBuffer`).
 *
 * A buffer may be released as soon as the work on it is submitted: the queue keeps the order. Do not release one
 * that an unsubmitted command buffer uses, for the pool may destroy it.
 */
export class BufferPool {
  /** Bytes kept waiting for reuse; lowering it takes effect at the next release or `trim`. */
  maxFreeBytes: number;
  readonly #gpu: GPUDevice;
  readonly #loss: DeviceLoss;
  readonly #adapterLimits: GPUSupportedLimits | undefined;
  readonly #lent = new Map<PooledBuffer, Held>();
  /** Waiting buffers by kind and capacity, the most recently released last. */
  readonly #waiting = new Map<string, Held[]>();
  /** The same ones by the time of their release, the oldest first. */
  readonly #byAge = new Set<Held>();
  #bytesInUse = 0;
  #bytesFree = 0;
  #highWater = 0;
  #created = 0;
  #destroyed = 0;
  #isGone = false;

  constructor(gpu: GPUDevice, loss: DeviceLoss, options: PoolOptions = {}) {
    this.#gpu = gpu;
    this.#loss = loss;
    this.maxFreeBytes = options.maxFreeBytes ?? 256 * 2 ** 20;
    this.#adapterLimits = options.adapterLimits;
  }

  /**
   * A storage buffer (STORAGE, COPY_SRC, COPY_DST) of at least `bytes`; 0 gives a small one, for WebGPU has no
   * empty bindings. Zero when fresh, not when recycled. A failure of the driver to give the memory arrives
   * later, through `ErrorSink`.
   *
   * @param label who holds it, for `memoryReport` and errors. Default 'buffer'.
   * @throws OutOfMemoryError above `maxStorageBufferBindingSize` or `maxBufferSize`; DeviceLostError;
   *   ValueError unless `bytes` is a whole number of at least 0.
   */
  acquire(bytes: number, label = 'buffer'): PooledBuffer {
    return this.#lend('storage', bytes, label);
  }

  /**
   * A uniform buffer (UNIFORM, COPY_DST), pooled like the others. It may be larger than
   * `maxUniformBufferBindingSize`: bind ranges of it, at offsets in multiples of 256.
   *
   * @throws as `acquire`, but only `maxBufferSize` bounds it.
   */
  createUniform(bytes: number, label = 'uniforms'): PooledBuffer {
    return this.#lend('uniform', bytes, label);
  }

  /**
   * Gives a buffer back, for reuse or destruction. Of a destroyed pool it is gone already, and nothing happens.
   *
   * @throws ValueError if the pool did not lend it, or it was released before.
   */
  release(pooled: PooledBuffer): void {
    if (this.#isGone) return;
    const held = this.#lent.get(pooled);
    if (held === undefined) {
      throw new ValueError('release', `buffer '${pooled.label}' is not lent by this pool, or was released before.`, {
        mend: 'release each buffer once, to the pool that lent it.',
      });
    }
    this.#lent.delete(pooled);
    this.#bytesInUse -= held.capacity;
    this.#bytesFree += held.capacity;
    const key = keyOf(held.kind, held.capacity);
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) this.#waiting.set(key, [held]);
    else waiting.push(held);
    this.#byAge.add(held);
    this.trim(this.maxFreeBytes);
  }

  /** Destroys waiting buffers, the longest unused first, until at most `keepBytes` (default 0) wait. */
  trim(keepBytes = 0): void {
    for (const held of this.#byAge) {
      if (this.#bytesFree <= keepBytes) return;
      // The oldest of all is the oldest of its class.
      this.#waiting.get(keyOf(held.kind, held.capacity))?.shift();
      this.#byAge.delete(held);
      this.#bytesFree -= held.capacity;
      this.#destroy(held);
    }
  }

  get statistics(): PoolStatistics {
    return {
      bytesInUse: this.#bytesInUse,
      bytesHeld: this.#bytesInUse + this.#bytesFree,
      highWater: this.#highWater,
      buffersCreated: this.#created,
      buffersDestroyed: this.#destroyed,
    };
  }

  /** The statistics, and the lent buffers summed by label. */
  memoryReport(): MemoryReport {
    const holders = new Map<string, { label: string; buffers: number; bytes: number }>();
    for (const { label, capacity } of this.#lent.keys()) {
      const holder = holders.get(label) ?? { label, buffers: 0, bytes: 0 };
      holder.buffers += 1;
      holder.bytes += capacity;
      holders.set(label, holder);
    }
    return { ...this.statistics, holders: [...holders.values()].sort((a, b) => b.bytes - a.bytes) };
  }

  /** Destroys every buffer, lent ones too. */
  destroy(): void {
    this.#isGone = true;
    this.trim();
    for (const held of this.#lent.values()) this.#destroy(held);
    this.#lent.clear();
    this.#bytesInUse = 0;
  }

  #lend(kind: Kind, bytes: number, label: string): PooledBuffer {
    this.#loss.assertAlive(label);
    const most = this.#check(kind, bytes, label);
    const capacity = sizeClass(bytes, most);
    const held = this.#recycle(kind, capacity, label) ?? this.#make(kind, capacity, label);
    const pooled: PooledBuffer = { buffer: held.buffer, bytes, capacity, label };
    this.#lent.set(pooled, held);
    this.#bytesInUse += capacity;
    this.#highWater = Math.max(this.#highWater, this.#bytesInUse + this.#bytesFree);
    return pooled;
  }

  #recycle(kind: Kind, capacity: number, label: string): Held | undefined {
    const held = this.#waiting.get(keyOf(kind, capacity))?.pop();
    if (held === undefined) return undefined;
    this.#byAge.delete(held);
    this.#bytesFree -= capacity;
    held.buffer.label = label;
    return held;
  }

  #make(kind: Kind, capacity: number, label: string): Held {
    this.#created += 1;
    return { kind, capacity, buffer: this.#gpu.createBuffer({ label, size: capacity, usage: USAGE[kind] }) };
  }

  #destroy(held: Held): void {
    held.buffer.destroy();
    this.#destroyed += 1;
  }

  /** The largest size in bytes that this kind of buffer may have. */
  #check(kind: Kind, bytes: number, label: string): number {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new ValueError(label, `a buffer of ${bytes} bytes was asked for; it must be a whole number, at least 0.`);
    }
    let most = Number.POSITIVE_INFINITY;
    let tightest: LimitName = 'maxBufferSize';
    for (const name of LIMITS[kind]) {
      if (this.#gpu.limits[name] < most) {
        most = this.#gpu.limits[name];
        tightest = name;
      }
    }
    // Sizes go by 4 bytes, so a limit that is no multiple of 4 cannot be reached.
    if (Math.ceil(bytes / 4) * 4 > most) {
      throw new OutOfMemoryError(
        label,
        `${formatBytes(bytes)} in one buffer are more than this device's ${tightest} of ${formatBytes(most)}.`,
        { mend: this.#mendFor(bytes, kind) },
      );
    }
    return most;
  }

  #mendFor(bytes: number, kind: Kind): string {
    const adapter = this.#adapterLimits;
    if (adapter !== undefined && LIMITS[kind].every((name) => adapter[name] >= bytes)) {
      return "open the device with limits: 'adapter' (the default): this adapter allows it.";
    }
    return 'use a smaller batch, or split the tensor into parts.';
  }
}

function keyOf(kind: Kind, capacity: number): string {
  return `${kind} ${capacity}`;
}
