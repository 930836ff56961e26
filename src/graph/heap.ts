import type { Device } from '../device/device.js';
import { formatShape, ValueError } from '../errors.js';
import { type DType, type TypedArray, typedArray } from './dtype.js';
import { bytesOf, encode } from './encoding.js';
import { isLeaf } from './ir.js';
import type { BufferRange } from './lowering.js';
import { Parameter } from './parameter.js';
import { PooledStorage } from './pooledStorage.js';
import { track } from './scope.js';
import type { Storage } from './storage.js';
import { isNumber, numberOf, type Tensor } from './tensor.js';

/** Who holds GPU memory. */
export type Owner = 'tensors' | 'parameters' | 'optimizers' | 'inputs' | 'outputs' | 'temporaries';

export interface MemoryReport {
  /** Bytes in use, by holder. */
  readonly held: Readonly<Record<Owner, number>>;
  /** Sum of the above. */
  readonly bytesInUse: number;
  /** With what the pool keeps for reuse. */
  readonly bytesHeld: number;
  readonly highWater: number;
  readonly buffersCreated: number;
}

/** An engine's memory on the GPU: who holds how much of it, how values come to lie in it, and when it goes. */
export class Heap {
  readonly #device: Device;
  readonly #compute: (tensors: readonly Tensor[]) => void;
  readonly #held: Record<Owner, number> = {
    tensors: 0,
    parameters: 0,
    optimizers: 0,
    inputs: 0,
    outputs: 0,
    temporaries: 0,
  };
  readonly #finalizer = new FinalizationRegistry<Pick<Storage, 'free'>>((storage) => storage.free());

  /** @param compute gives tensors their values, in this heap. */
  constructor(device: Device, compute: (tensors: readonly Tensor[]) => void) {
    this.#device = device;
    this.#compute = compute;
  }

  report(): MemoryReport {
    const { bytesHeld, highWater, buffersCreated } = this.#device.buffers.statistics;
    const bytesInUse = Object.values(this.#held).reduce((sum, bytes) => sum + bytes, 0);
    return { held: { ...this.#held }, bytesInUse, bytesHeld, highWater, buffersCreated };
  }

  /** Memory from the pool, counted under its owner. */
  allocate(bytes: number, owner: Owner, label: string): Storage {
    const pooled = this.#device.buffers.acquire(bytes, label);
    this.#held[owner] += bytes;
    return new PooledStorage(this.#device, pooled, () => {
      this.#held[owner] -= bytes;
      this.#device.buffers.release(pooled);
    });
  }

  /** Puts a value's memory under a tensor; it goes when the tensor does. */
  attach(tensor: Tensor, storage: Storage): void {
    tensor.storage = storage;
    this.#finalizer.register(tensor, storage, storage);
    track(tensor);
  }

  /** Memory that goes with what holds it, once nobody can reach that. It must not lead back there. */
  hold(holder: object, memory: readonly Pick<Storage, 'free'>[]): void {
    for (const one of memory) this.#finalizer.register(holder, one);
  }

  /** A tensor's memory goes elsewhere (into an arena). */
  relocate(tensor: Tensor, storage: Storage): void {
    if (tensor.storage !== undefined) {
      this.#finalizer.unregister(tensor.storage);
      tensor.storage.free();
    }
    tensor.storage = storage;
  }

  /** The buffer of a leaf: uploads what is still on the host, computes a parameter's first value. */
  materialise(tensor: Tensor): Storage {
    tensor.assertNotFreed(tensor.op.name);
    if (tensor.source?.kind === 'carried' || tensor.source?.kind === 'repeated') {
      throw new ValueError('repeat', 'a state or a result was used outside the compiled function it belongs to.', {
        mend: 'return what you need from the function.',
      });
    }
    if (tensor.storage !== undefined) {
      if (tensor.storage.owner !== this.#device) {
        const gone = tensor.storage.owner.isLost;
        throw new ValueError(
          tensor.op.name,
          `a tensor ${formatShape(tensor.shape)} belongs to ${gone ? 'an engine whose device is gone' : 'another engine'}.`,
          {
            mend: gone
              ? 'make it anew; a parameter can be assigned, or loaded from a checkpoint.'
              : 'read it there (data) and make a tensor of it here.',
          },
        );
      }
      tensor.storage.assertFresh?.(tensor.op.name);
      return tensor.storage;
    }
    if (tensor instanceof Parameter && tensor.initial !== undefined) {
      const { initial } = tensor;
      // Its own copy: the initial tensor may be a leaf that others read too.
      const value = isLeaf(initial) ? this.copyOf(initial, 'parameters', tensor.toString()) : this.#computed(initial);
      this.attach(tensor, value);
      tensor.initial = undefined;
      return value;
    }
    if (tensor.source?.kind === 'host') {
      const storage = this.allocate(bytesOf(tensor, this.#device), 'tensors', 'tensor');
      this.upload(storage, tensor.source.data, tensor.dtype);
      this.attach(tensor, storage);
      return storage;
    }
    if (isNumber(tensor.source)) throw new Error(`${tensor} is a number, which no buffer holds`);
    if (tensor.source?.kind === 'placeholder') {
      throw new ValueError('compile', 'an input of a compiled function was used outside it.', {
        mend: 'return what you need from the function.',
      });
    }
    this.#compute([tensor]);
    return tensor.storage as unknown as Storage;
  }

  #computed(initial: Tensor): Storage {
    this.#compute([initial]);
    const storage = initial.storage as Storage | undefined;
    if (storage === undefined) throw new Error('nothing was computed');
    this.#finalizer.unregister(storage);
    initial.storage = undefined;
    return storage;
  }

  /** A tensor's value, a number's too, in memory of its own. */
  copyOf(tensor: Tensor, owner: Owner, label: string): Storage {
    tensor.assertNotFreed(tensor.op.name);
    const from = hostDataOf(tensor) ?? this.materialise(tensor);
    const bytes = bytesOf(tensor, this.#device);
    const storage = this.allocate(bytes, owner, label);
    if (ArrayBuffer.isView(from)) this.upload(storage, from, tensor.dtype);
    else this.copy(from, storage, bytes);
    return storage;
  }

  upload({ buffer, offset }: BufferRange, data: TypedArray, dtype: DType): void {
    if (data.length === 0) return;
    const encoded = encode(dtype, data, this.#device);
    this.#device.queue.writeBuffer(buffer, offset, encoded as GPUAllowSharedBufferSource);
  }

  /** Fills with zeros: memory from the pool may hold what was there before. */
  clear(range: BufferRange): void {
    const encoder = this.#device.gpu.createCommandEncoder();
    encoder.clearBuffer(range.buffer, range.offset, Math.ceil(range.bytes / 4) * 4);
    this.#device.queue.submit([encoder.finish()]);
  }

  copy(from: BufferRange, to: BufferRange, bytes: number): void {
    if (bytes === 0) return;
    const encoder = this.#device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, bytes);
    this.#device.queue.submit([encoder.finish()]);
  }

  /** A parameter whose device was lost gets new memory here: its value is gone, another can be assigned. */
  adopt(parameter: Parameter): void {
    const { storage } = parameter;
    if (storage === undefined || storage.owner === this.#device || !storage.owner.isLost) return;
    const fresh = this.allocate(bytesOf(parameter, this.#device), 'parameters', parameter.toString());
    this.clear(fresh);
    this.attach(parameter, fresh);
  }
}

/** A value that the host has. */
function hostDataOf({ source, dtype }: Tensor): TypedArray | undefined {
  if (isNumber(source)) return typedArray(dtype, 1).fill(numberOf(source));
  return source?.kind === 'host' ? source.data : undefined;
}
