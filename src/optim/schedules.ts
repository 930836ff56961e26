import { ValueError } from '../errors.js';

/** A learning rate by the count of updates done so far (from 0). */
export type Schedule = (step: number) => number;

function positive(op: string, name: string, value: number): void {
  if (!(value > 0)) throw new ValueError(op, `${name} is ${value}; it must be above 0.`);
}

/** Always the same. */
export function constant(learningRate: number): Schedule {
  return () => learningRate;
}

/** Times `factor` after every `every` updates. */
export function step(learningRate: number, { every, factor = 0.1 }: { every: number; factor?: number }): Schedule {
  positive('optim.step', 'every', every);
  return (count) => learningRate * factor ** Math.floor(count / every);
}

/** Loshchilov and Hutter 2017, without restarts: half a cosine from the rate to `minimum` over `steps` updates. */
export function cosine(learningRate: number, { steps, minimum = 0 }: { steps: number; minimum?: number }): Schedule {
  positive('optim.cosine', 'steps', steps);
  return (count) => {
    const part = Math.min(count / steps, 1);
    return minimum + 0.5 * (learningRate - minimum) * (1 + Math.cos(Math.PI * part));
  };
}

/** Rises linearly from `learningRate / steps` over `steps` updates, then follows `after` (or stays). */
export function warmup(after: number | Schedule, { steps }: { steps: number }): Schedule {
  positive('optim.warmup', 'steps', steps);
  const rate = typeof after === 'number' ? constant(after) : after;
  return (count) => (count < steps ? (rate(0) * (count + 1)) / steps : rate(count - steps));
}

/**
 * Smith and Topin 2018: from `maximum / 25` up by half a cosine over the first `rise` part of `steps`, then
 * down to `maximum / 1e4 / 25`.
 */
export function oneCycle(maximum: number, { steps, rise = 0.3 }: { steps: number; rise?: number }): Schedule {
  positive('optim.oneCycle', 'steps', steps);
  const first = maximum / 25;
  const last = first / 1e4;
  const between = (from: number, to: number, part: number) => to + 0.5 * (from - to) * (1 + Math.cos(Math.PI * part));
  // The turn falls on a step, as does the last one.
  const turn = rise * steps - 1;
  return (count) => {
    if (count <= turn) return between(first, maximum, turn <= 0 ? 1 : count / turn);
    return between(maximum, last, Math.min(1, (count - turn) / (steps - 1 - turn)));
  };
}
