import type { Executable } from './executable.js';

const KEPT = 256;

/**
 * Plans of eager runs by their graph's key; the one unused longest goes first. A plan reaches the effects it was made
 * of, so those of an optimizer's updates lie in a cache of its own: in the engine's they would keep it for ever.
 */
export class PlanCache {
  /** The most recent last. */
  readonly #plans = new Map<string, Executable>();

  get(key: string): Executable | undefined {
    const found = this.#plans.get(key);
    if (found === undefined) return undefined;
    this.#plans.delete(key);
    this.#plans.set(key, found);
    return found;
  }

  add(key: string, plan: Executable): void {
    this.#plans.set(key, plan);
    if (this.#plans.size <= KEPT) return;
    const [oldest] = this.#plans;
    if (oldest === undefined) return;
    this.#plans.delete(oldest[0]);
    oldest[1].destroy();
  }

  clear(): void {
    for (const plan of this.#plans.values()) plan.destroy();
    this.#plans.clear();
  }
}
