import type { Device } from '../device/device.js';
import { type CotangentError, StaleTensorError } from '../errors.js';
import { aligned } from './alignment.js';
import { bytesOf } from './encoding.js';
import type { Engine } from './engine.js';
import type { SourceOp } from './op.js';
import type { Storage } from './storage.js';
import { Tensor } from './tensor.js';

const outputOp: SourceOp = { name: 'output', kind: 'source' };
// Shared by all handles.
const STORED = { kind: 'stored' } as const;
const NO_INPUTS: readonly Tensor[] = [];

/** Small outputs can wait long for their reader; large ones would cost memory. */
function slotsFor(bytes: number): number {
  if (bytes <= 1024) return 64;
  return bytes <= 1 << 20 ? 8 : 2;
}

/** An output of a compiled function: its last values, each in a slot of one buffer. */
export class OutputRing {
  readonly tensor: Tensor;
  readonly storage: Storage;
  readonly name: string;
  readonly bytes: number;
  readonly stride: number;
  readonly slots: number;
  /** Values written so far. */
  written = 0;

  constructor(owner: Engine, name: string, tensor: Tensor) {
    this.tensor = tensor;
    this.name = name;
    this.bytes = bytesOf(tensor, owner.device);
    this.stride = aligned(Math.max(1, this.bytes));
    this.slots = slotsFor(this.bytes);
    this.storage = owner.heap.allocate(this.stride * this.slots, 'outputs', `${name} output ring`);
    // Its handles reach it: a value can be read when the compiled function is long gone.
    owner.heap.hold(this, [this.storage]);
  }

  /** Where the value of the n-th execution lies, in bytes. */
  offsetOf(n: number): number {
    return (n % this.slots) * this.stride;
  }

  /** The value written last, as a tensor that knows when it is overwritten: all that a step leaves to the collector. */
  handle(step: number, failure: Promise<CotangentError | undefined> | undefined): Tensor {
    const handle = new Tensor(outputOp, NO_INPUTS, this.tensor.shape, this.tensor.dtype, undefined, STORED);
    handle.storage = new Slot(this, this.written - 1, step, failure);
    return handle;
  }
}

class Slot implements Storage {
  readonly #ring: OutputRing;
  readonly #generation: number;
  readonly #step: number;
  readonly failure: Promise<CotangentError | undefined> | undefined;

  constructor(ring: OutputRing, generation: number, step: number, failure: Slot['failure']) {
    this.#ring = ring;
    this.#generation = generation;
    this.#step = step;
    this.failure = failure;
  }

  get buffer(): GPUBuffer {
    return this.#ring.storage.buffer;
  }

  get offset(): number {
    return this.#ring.offsetOf(this.#generation);
  }

  get bytes(): number {
    return this.#ring.bytes;
  }

  get owner(): Device {
    return this.#ring.storage.owner;
  }

  get freed(): boolean {
    return this.#ring.storage.freed;
  }

  free(): void {
    // The ring belongs to the compiled function.
  }

  assertFresh(op: string): void {
    const { written, slots, name } = this.#ring;
    if (written - this.#generation <= slots) return;
    throw new StaleTensorError(
      op,
      `the output of step ${this.#step} of '${name}' was overwritten; the last ${slots} are kept, and ` +
        `${written - this.#generation - 1} steps have run since.`,
      { mend: 'read it earlier, or keep(tensor) right after the step.' },
    );
  }
}
