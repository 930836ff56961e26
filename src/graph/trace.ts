import { engineInUse } from './current.js';
import type { Effect } from './effect.js';
import { nextTensorId, type Tensor } from './tensor.js';

/** A stretch of a trace between two repeats: it runs as one. */
export interface TracedPart {
  /** Nodes from here on are its own, up to the next repeat's. */
  readonly firstId: number;
  /** Host state that moves on with each run of it (a random counter), as an effect's. */
  readonly advance: (() => void)[];
}

/** A repeat inside a trace. */
export interface TracedLoop {
  readonly count: number;
  readonly trace: Trace;
  /** The iteration under way. */
  readonly index: { value: number };
  /** The first state, what stands for it in the body, and the next one: leaf by leaf. */
  readonly initial: readonly Tensor[];
  readonly carried: readonly Tensor[];
  /** What an iteration leaves: the next state, or results when nothing is carried. */
  readonly outputs: readonly Tensor[];
  /** Stand for the last iteration's outputs in what comes after. */
  readonly results: readonly Tensor[];
}

/** What a compiled function's body, or a repeat's, does while it is recorded. */
export class Trace {
  /** Nodes below this were made outside. */
  readonly firstId = nextTensorId();
  /** They take effect at the end, after the last part. */
  readonly effects: Effect[] = [];
  /** Host state that the body read (a layer's mode): another value means another plan. */
  readonly guards: { readonly read: () => unknown; readonly value: unknown }[] = [];
  /** Loop i runs between parts i and i + 1. */
  readonly parts: [TracedPart, ...TracedPart[]] = [{ firstId: this.firstId, advance: [] }];
  readonly loops: TracedLoop[] = [];

  /** The part under way. */
  get part(): TracedPart {
    return this.parts.at(-1) ?? this.parts[0];
  }

  /** Ends the part under way by a repeat. */
  add(loop: TracedLoop): void {
    this.loops.push(loop);
    this.parts.push({ firstId: nextTensorId(), advance: [] });
  }

  /** The effects of repeats and its own. */
  get allEffects(): Effect[] {
    return [...this.loops.flatMap(({ trace }) => trace.allEffects), ...this.effects];
  }

  /** Whether everything that the body looked at is still as it was. */
  holds(): boolean {
    for (let i = 0; i < this.guards.length; i++) {
      const guard = this.guards[i];
      if (guard !== undefined && guard.read() !== guard.value) return false;
    }
    for (let i = 0; i < this.loops.length; i++) if (this.loops[i]?.trace.holds() === false) return false;
    return this.stands();
  }

  /** Whether its effects still write where they were planned to. */
  stands(): boolean {
    for (let i = 0; i < this.effects.length; i++) if (this.effects[i]?.stands?.() === false) return false;
    for (let i = 0; i < this.loops.length; i++) if (this.loops[i]?.trace.stands() === false) return false;
    return true;
  }
}

/** What a trace reads, directly or in repeats, of what was made before it: the nearest, leaves among them. */
export function outsideOf(trace: Trace, outputs: readonly Tensor[]): Set<Tensor> {
  const outside = new Set<Tensor>();
  const seen = new Set<Tensor>();
  for (let stack = rootsOf(trace, outputs), tensor = stack.pop(); tensor !== undefined; tensor = stack.pop()) {
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    if (tensor.id < trace.firstId) outside.add(tensor);
    else stack.push(...tensor.inputs);
  }
  return outside;
}

function rootsOf(trace: Trace, outputs: readonly Tensor[]): Tensor[] {
  const repeats = trace.loops.flatMap((loop) => [...loop.initial, ...rootsOf(loop.trace, loop.outputs)]);
  return [...outputs, ...trace.effects.flatMap(({ inputs }) => inputs), ...repeats];
}

/** @internal The trace under way, or undefined outside `compile`. */
export function currentTrace(): Trace | undefined {
  return engineInUse()?.trace;
}

/** Reads host state that a compiled step must follow: a change of it traces anew. */
export function observe<T>(read: () => T): T {
  const value = read();
  currentTrace()?.guards.push({ read, value });
  return value;
}

/** Carries out an effect: at once, or at the end of the step being traced. */
export function perform(effect: Effect, op: string): void {
  const engine = engineInUse();
  const trace = engine?.trace;
  if (trace !== undefined) trace.effects.push(effect);
  else if (engine !== undefined) engine.run([], [effect]);
  else throw new Error(`${op} without an engine`);
}
