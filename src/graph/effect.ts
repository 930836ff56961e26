import type { Device } from '../device/device.js';
import type { WgslModule } from '../kernels/wgslModule.js';
import type { BufferRange, Lowering, UniformValue } from './lowering.js';
import type { PlanCache } from './planCache.js';
import type { Tensor } from './tensor.js';

/** What a kernel can do with each element that it makes, in the place of storing it for an effect. */
export interface Sink {
  /** Shown by `explain`: 'sgd'. */
  readonly name: string;
  /** Brings `update(i, element, settingsOf(a, b))` and its bindings. */
  readonly module: WgslModule;
  /** Declarations of the module by name: their text for one element. */
  readonly replace: Readonly<Record<string, string>>;
  /** The buffers of its bindings. A kernel that reads them otherwise cannot take the effect in. */
  readonly ranges: Readonly<Record<string, BufferRange>>;
  /** Of the first element in them, in elements. */
  readonly offset: number;
  /** The eight numbers of `settingsOf`. A constant is compiled in: loads of uniforms at each element are dear. */
  readonly settings: readonly (UniformValue | { readonly constant: number })[];
}

/** What a step does besides computing outputs: an assignment, an optimizer's update. */
export interface Effect {
  /** Identity, part of a plan's key: the same effect on the same buffers. */
  readonly key: string;
  readonly inputs: readonly Tensor[];
  /** Where each input must be written, if anywhere in particular (a gradient arena). */
  readonly placements: readonly (BufferRange | undefined)[];
  /** The parameter that each input is copied to once all reads are done. */
  readonly targets?: readonly (Tensor | undefined)[];
  /** How the kernel that makes an input can take the effect in. */
  readonly sinks?: readonly (Sink | undefined)[];
  /**
   * Dispatches after all others: every read of the step sees the old values.
   * @param taken inputs whose effect their kernels took in.
   */
  readonly lower?: (device: Device, taken: ReadonlySet<number>) => readonly Lowering[];
  /** Parameters that it changes: with `sinks`, the one of each input. */
  readonly updates?: readonly (Tensor | undefined)[];
  /** Parameters that lie in the buffers of the sinks, changed or not: a kernel that reads one cannot take the effect in. */
  readonly beside?: readonly (Tensor | undefined)[];
  /** Where its eager plans are kept: with what it belongs to. Default: with the engine. */
  readonly plans?: PlanCache;
  /** False once the buffers it was planned with are not those to write: the step is traced anew. */
  readonly stands?: () => boolean;
  /**
   * Moves host state on (a step count) in each execution, once every number of it was read: those are of the state
   * before, and a user's function that threw among them has changed nothing.
   */
  readonly advance?: () => void;
}
