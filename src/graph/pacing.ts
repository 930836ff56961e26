import type { Readback } from '../device/readback.js';
import { ValueError } from '../errors.js';
import type { Workload } from './workload.js';

/** A fence is set once in so many submits: it costs a submit, a mapping, and a kilobyte of garbage. */
const FENCE_EVERY = 16;
/** In a loop that never yields no fence can come back: a few are enough to know where the GPU stands. */
const FENCES = 4;
/** `wait` lets so many steps be under way. */
const AHEAD = 32;

/** Knows how far ahead of the GPU the host is, by mappings that come back in order. */
export class Pacing {
  submits = 0;
  readonly workload: Workload;
  readonly #readback: Readback;
  readonly #maximum: number;
  #done = 0;
  #fencedAt = 0;
  #fences: { readonly at: number; readonly done: Promise<void> }[] = [];

  constructor(readback: Readback, maximum: number, workload: Workload) {
    this.workload = workload;
    this.#readback = readback;
    this.#maximum = maximum;
  }

  /** An error when the caller never lets the GPU report; asked before anything of a step is done. */
  assertRoom(op: string): void {
    const flying = this.submits - this.#done;
    if (flying === 0) this.workload.begin();
    if (flying < this.#maximum) return;
    throw new ValueError(op, `${flying} steps are under way and none has been waited for (at most ${this.#maximum}).`, {
      mend: 'await step.ready() now and then, or loop with "for await (… of batches(…))".',
    });
  }

  /** Counts a step's submit. @param assumed what `workload` assumes of it; undefined when nobody asked, or it compiled. */
  submitted(assumed?: number): void {
    this.submits++;
    this.workload.add(assumed);
    if (this.submits - this.#fencedAt >= FENCE_EVERY && this.#fences.length < FENCES) this.fence();
  }

  /** So many submits are known to be done. */
  reached(submits: number): void {
    if (submits <= this.#done) return;
    this.#done = submits;
    if (submits === this.submits) this.workload.end();
  }

  /** Resolves when all submitted so far is done. */
  fence(): Promise<void> {
    const at = this.submits;
    this.#fencedAt = at;
    const done = this.#readback.fence().then(() => {
      this.reached(at);
      this.#fences = this.#fences.filter((fence) => fence.at > at);
    });
    // Whoever waits for it hears of a lost device; nobody may.
    done.catch(() => undefined);
    this.#fences.push({ at, done });
    return done;
  }

  /** Resolves when few enough steps are under way; undefined when that is so already. */
  wait(): Promise<void> | undefined {
    if (this.submits - this.#done <= AHEAD) return undefined;
    const fence = this.#fences.find(({ at }) => at >= this.submits - AHEAD);
    return fence?.done ?? this.fence();
  }
}
