import type { Device } from '../device/device.js';
import type { BufferRange, Lowering } from './lowering.js';
import type { Tensor } from './tensor.js';

/** What a step does besides computing outputs: an assignment, an optimizer's update. */
export interface Effect {
  /** Identity, part of a plan's key: the same effect on the same buffers. */
  readonly key: string;
  readonly inputs: readonly Tensor[];
  /** Where each input must be written, if anywhere in particular (a gradient arena). */
  readonly placements: readonly (BufferRange | undefined)[];
  /** The parameter that each input is copied to once all reads are done. */
  readonly targets?: readonly (Tensor | undefined)[];
  /** Dispatches after all others: every read of the step sees the old values. */
  readonly lower?: (device: Device) => readonly Lowering[];
  /** Parameters that it changes. */
  readonly updates?: readonly Tensor[];
  /** False once the buffers it was planned with are not those to write: the step is traced anew. */
  readonly stands?: () => boolean;
  /** Runs on the host before each execution (a step count). */
  readonly before?: () => void;
}
