import type { Device } from '../device/device.js';
import type { CotangentError } from '../errors.js';
import type { BufferRange } from './lowering.js';

/**
 * Memory on the GPU that holds a tensor's value. Several tensors never share one; a parameter's storage
 * may be replaced (moved into an arena).
 */
export interface Storage extends BufferRange {
  readonly freed: boolean;
  /** Gives the memory back to its owner, once. */
  free(): void;
  /** Throws StaleTensorError when a later step has overwritten the slot. */
  assertFresh?(op: string): void;
  /** What the GPU reported about the work that filled it. */
  readonly failure?: Promise<CotangentError | undefined> | undefined;
  /** The optimizer in whose arena it lies. */
  readonly arena?: string;
  /** The device that it lies on, to catch tensors of another engine. */
  readonly owner: Device;
}
