import { engineInUse } from './current.js';
import type { Effect } from './effect.js';
import { nextTensorId } from './tensor.js';

/** What a compiled function's body does while it is recorded. */
export class Trace {
  /** Nodes below this were made outside. */
  readonly firstId = nextTensorId();
  readonly effects: Effect[] = [];
  /** Host state that the body read (a layer's mode): another value means another plan. */
  readonly guards: { readonly read: () => unknown; readonly value: unknown }[] = [];

  /** Whether everything that the body looked at is still as it was. */
  holds(): boolean {
    for (let i = 0; i < this.guards.length; i++) {
      const guard = this.guards[i];
      if (guard !== undefined && guard.read() !== guard.value) return false;
    }
    return this.stands();
  }

  /** Whether its effects still write where they were planned to. */
  stands(): boolean {
    for (let i = 0; i < this.effects.length; i++) if (this.effects[i]?.stands?.() === false) return false;
    return true;
  }
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
