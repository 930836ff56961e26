import { type CotangentError, KernelError, OutOfMemoryError } from '../errors.js';
import type { DeviceLoss } from './recovery.js';

/** Uncaptured errors kept at most: the first ones are causes, the rest consequences. */
const KEPT = 16;

/**
 * In the order of the pushes, so popped from the last: of several errors the one popped last wins.
 * Out of memory is outermost: an allocation that failed is the cause of the validation errors that follow it.
 */
const FILTERS = ['out-of-memory', 'internal', 'validation'] as const;
const POPS = ['validation', 'internal', 'out-of-memory'] as const;
type Filter = (typeof FILTERS)[number];

/** What a scoped piece of work returned, and the GPU's verdict on it. */
export interface Scoped<T> {
  readonly result: T;
  /** Resolves, never rejects: the error, or undefined when the GPU took the work. */
  readonly error: Promise<CotangentError | undefined>;
}

/**
 * The one place where the GPU's validation, out-of-memory and internal errors become ours.
 * An error inside a `scope` belongs to that scope; all others are kept here until taken. They arrive
 * in the order of submission, so after a `Readback` call that followed the faulty work they are here.
 */
export class ErrorSink {
  readonly #gpu: GPUDevice;
  readonly #loss: DeviceLoss;
  readonly #uncaptured: CotangentError[] = [];

  constructor(gpu: GPUDevice, loss: DeviceLoss) {
    this.#gpu = gpu;
    this.#loss = loss;
    gpu.addEventListener('uncapturederror', (event) => {
      const { error } = event as GPUUncapturedErrorEvent;
      if (this.#uncaptured.length < KEPT) this.#uncaptured.push(translate('device', filterOf(error), error));
    });
  }

  /**
   * Runs `run` inside the three error scopes. It must be synchronous: scopes are a stack, and what other code
   * encodes during an `await` would be judged with it. If `run` throws, its error goes on and the GPU's is dropped.
   *
   * @param what names the work in the error: a kernel's label, an op.
   */
  scope<T>(what: string, run: () => T): Scoped<T> {
    for (const filter of FILTERS) this.#gpu.pushErrorScope(filter);
    let result: T;
    try {
      result = run();
    } catch (thrown) {
      this.#pop(what).catch(() => undefined);
      throw thrown;
    }
    return { result, error: this.#pop(what) };
  }

  /** The oldest uncaptured error, removed; a lost device gives its DeviceLostError, each time anew. */
  takeUncaptured(): CotangentError | undefined {
    if (this.#loss.isLost) return this.#loss.error('device');
    return this.#uncaptured.shift();
  }

  /** The oldest uncaptured error, left in place; a lost device gives its DeviceLostError. */
  peek(): CotangentError | undefined {
    if (this.#loss.isLost) return this.#loss.error('device');
    return this.#uncaptured[0];
  }

  async #pop(what: string): Promise<CotangentError | undefined> {
    // All in this turn, before other code pushes its own.
    const pops = POPS.map((filter) => this.#gpu.popErrorScope().then((error) => ({ filter, error })));
    const outcomes = await Promise.allSettled(pops);
    if (this.#loss.isLost) return this.#loss.error(what);
    let found: CotangentError | undefined;
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') {
        if (await this.#loss.explains()) return this.#loss.error(what);
        found ??= new KernelError(what, `the GPU could not judge it: ${wording(outcome.reason)}`, {
          cause: outcome.reason,
        });
      } else if (outcome.value.error !== null) {
        found = translate(what, outcome.value.filter, outcome.value.error);
      }
    }
    return found;
  }
}

function translate(what: string, filter: Filter, error: GPUError): CotangentError {
  if (filter === 'out-of-memory') {
    return new OutOfMemoryError(what, `the GPU has no memory left: ${wording(error)}`, {
      mend: 'use a smaller batch or model, or free tensors that are no longer needed.',
      cause: error,
    });
  }
  const complaint = filter === 'internal' ? 'the GPU driver failed' : 'the GPU refused it';
  return new KernelError(what, `${complaint}: ${wording(error)}`, { cause: error });
}

/** By the class's name: Dawn for Node defines the classes, but not as globals. */
function filterOf(error: GPUError): Filter {
  const { name } = error.constructor;
  return name === 'GPUOutOfMemoryError' ? 'out-of-memory' : name === 'GPUInternalError' ? 'internal' : 'validation';
}

/** The browser's own words, trimmed; they may have several lines. */
export function wording(error: unknown): string {
  const text = (error as { message?: unknown } | null)?.message;
  return (typeof text === 'string' && text.trim() !== '' ? text : String(error)).trim();
}
