import type { Device } from '../device/device.js';
import type { Plan } from './plan.js';

/** What is assumed of an adapter until its work was timed: flops and bytes in a millisecond, milliseconds a dispatch. */
const ASSUMED = {
  software: { flops: 5e6, bytes: 2e6, dispatch: 0.013 },
  hardware: { flops: 5e8, bytes: 5e7, dispatch: 0.005 },
};
/** A shorter wait says more of the way back than of the work. */
const SHORTEST = 5;
/** A wait holds whatever else the page did meanwhile: it is not believed beyond these. */
const BELIEVED = { least: 0.01, most: 30 };

/** Estimates how long work takes, by its flops and bytes, corrected by how long earlier work took. */
export class Workload {
  /** How much longer work took than was assumed. */
  slowness = 1;
  readonly #assumed: (typeof ASSUMED)['software'];
  #begun = 0;
  #planned = 0;
  #timed = false;

  constructor(device: Device) {
    this.#assumed = device.facts.software ? ASSUMED.software : ASSUMED.hardware;
  }

  /** Milliseconds of a plan as assumed; times `slowness` they are what is expected. */
  assume(plan: Plan): number {
    const { flops, bytes, dispatch } = this.#assumed;
    return plan.dispatches.reduce((sum, one) => sum + dispatch + Math.max(one.flops / flops, one.bytes / bytes), 0);
  }

  /** The queue is empty, and work is about to be submitted. */
  begin(): void {
    this.#begun = performance.now();
    this.#planned = 0;
  }

  /** Work was submitted. @param assumed its milliseconds, undefined when nobody knows: then this time is not taken. */
  add(assumed: number | undefined): void {
    this.#planned += assumed ?? Number.NaN;
  }

  /** All that was added is done. */
  end(): void {
    const took = performance.now() - this.#begun;
    if (!(this.#planned > 0) || took < SHORTEST) return;
    const slowness = Math.min(BELIEVED.most, Math.max(BELIEVED.least, took / this.#planned));
    this.slowness = this.#timed ? (this.slowness + slowness) / 2 : slowness;
    this.#timed = true;
  }
}
