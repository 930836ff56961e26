import type { ErrorSink } from '../device/errorSink.js';
import type { CotangentError } from '../errors.js';

/** What the GPU says, later, of work that no tensor's own failure stands for: each error is thrown once. */
export class Reports {
  readonly #errors: ErrorSink;
  readonly #watched = new Set<Promise<void>>();
  #failure: CotangentError | undefined;

  constructor(errors: ErrorSink) {
    this.#errors = errors;
  }

  /** Work whose report is awaited by the next read: it may have written what that reads. */
  watch(report: Promise<CotangentError | undefined>): void {
    const settled = report.then((error) => {
      this.#watched.delete(settled);
      if (error !== undefined) this.#failure ??= error;
    });
    this.#watched.add(settled);
  }

  /** The reports still out: await them all, then `take`. */
  get pending(): Iterable<Promise<void>> {
    return this.#watched;
  }

  /** An error that nobody has thrown yet. */
  take(): CotangentError | undefined {
    const error = this.#failure ?? this.#errors.takeUncaptured();
    this.#failure = undefined;
    return error;
  }

  /** An error that has been thrown need not be thrown again. */
  forget(error: CotangentError): void {
    if (this.#failure === error) this.#failure = undefined;
  }
}

/** The first of several reports that is an error, once all are in. */
export async function firstError(
  reports: readonly Promise<CotangentError | undefined>[],
): Promise<CotangentError | undefined> {
  for (const error of await Promise.all(reports)) if (error !== undefined) return error;
  return undefined;
}
