import type { Device } from '../device/device.js';
import type { PlannedDispatch } from './dispatch.js';
import type { Executable } from './executable.js';
import type { BufferRange } from './lowering.js';
import type { Workload } from './workload.js';

/** Times the dispatches of an execution. */
export interface DispatchTimer {
  /** Asked for each dispatch as it is encoded: the timestamps around its pass, and how often it runs between them. */
  next(dispatch: PlannedDispatch): { readonly around: GPUComputePassTimestampWrites; readonly repeats: number };
}

/** Milliseconds of work in a submit of a repeat: a page stays alive between two, and no watchdog fires. */
const LONGEST = 50;

/**
 * Encodes one execution. A pass runs until a copy must come between; a repeat is cut into several submits, which
 * follow each other without a word from the host.
 */
export class Recorder {
  /** Gives each dispatch of the executions to come a timed pass of its own. */
  timer: DispatchTimer | undefined;
  readonly #device: Device;
  readonly #workload: Workload;
  readonly #executables: readonly Executable[];
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  /** Milliseconds encoded since the last submit, as assumed. */
  #gathered = 0;
  /** What is submitted, in one array for all steps. */
  readonly #submitted: GPUCommandBuffer[] = [];

  /** @param executables all that may encode here: their uniforms go before their dispatches. */
  constructor(device: Device, workload: Workload, executables: readonly Executable[]) {
    this.#device = device;
    this.#workload = workload;
    this.#executables = executables;
  }

  /** The pass under way. */
  get pass(): GPUComputePassEncoder {
    this.#pass ??= this.#open().beginComputePass();
    return this.#pass;
  }

  /** A pass for a single dispatch, between timestamps. */
  timedPass(timestampWrites: GPUComputePassTimestampWrites): GPUComputePassEncoder {
    this.#endPass();
    this.#pass = this.#open().beginComputePass({ timestampWrites });
    return this.#pass;
  }

  /** Copies into a buffer, from an offset on. */
  copy(from: BufferRange, buffer: GPUBuffer, offset: number, bytes: number): void {
    if (bytes === 0) return;
    this.#endPass();
    this.#open().copyBufferToBuffer(from.buffer, from.offset, buffer, offset, bytes);
  }

  /** Where a submit may end: it does when so much further work would make it too long. */
  breathe(assumed: number): void {
    if (this.#gathered > 0 && (this.#gathered + assumed) * this.#workload.slowness > LONGEST) this.submit();
  }

  /** So much work was encoded, in milliseconds as assumed. */
  gather(assumed: number): void {
    this.#gathered += assumed;
  }

  submit(): void {
    this.#endPass();
    for (let i = 0; i < this.#executables.length; i++) this.#executables[i]?.upload();
    const encoder = this.#open();
    this.#encoder = undefined;
    this.#gathered = 0;
    this.#submitted[0] = encoder.finish();
    this.#device.queue.submit(this.#submitted);
  }

  /** Forgets what an execution that failed had encoded. */
  reset(): void {
    for (const executable of this.#executables) executable.rewind();
    this.#pass = undefined;
    this.#encoder = undefined;
    this.#gathered = 0;
  }

  #open(): GPUCommandEncoder {
    this.#encoder ??= this.#device.gpu.createCommandEncoder();
    return this.#encoder;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }
}
