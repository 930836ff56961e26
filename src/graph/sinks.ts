import type { Effect, Sink } from './effect.js';
import type { Fusion, Group } from './fusion.js';
import { MAXIMUM_STORAGE_BUFFERS } from './fusion.js';
import { type Ir, isLeaf, type Value } from './ir.js';
import type { KernelOp } from './op.js';
import type { Tensor } from './tensor.js';

/** An effect's input, as the planner knows it. */
export interface SinkRequest {
  readonly effect: Effect;
  /** The value of each of its inputs. */
  readonly values: readonly Value[];
}

/**
 * Takes effects into the kernels that make their inputs: an optimizer's update runs where the gradient would be
 * stored, which then never is (of SGD's seven reads and writes an element, two go, and a dispatch). Only where
 * nobody else reads the gradient, its kernel does not read what the update changes, and all who do can come first.
 */
export class Sinks {
  /** What becomes of a value instead of being stored. */
  readonly of = new Map<Value, Sink>();
  /** Groups that read what a group's sinks change: they come first. */
  readonly before = new Map<Group, Set<Group>>();
  readonly #taken = new Map<Effect, Set<number>>();
  /** Values that effects take in more than one place. */
  readonly #shared = new Set<Value>();
  readonly #fusion: Fusion;
  readonly #ir: Ir;
  readonly #pinned: Set<Value>;

  /** @param pinned what must be stored; what is taken in goes from it. */
  constructor(ir: Ir, fusion: Fusion, pinned: Set<Value>, requests: readonly SinkRequest[]) {
    this.#pinned = pinned;
    this.#fusion = fusion;
    this.#ir = ir;
    const seen = new Set<Value>();
    for (const value of requests.flatMap(({ values }) => values)) {
      if (seen.has(value)) this.#shared.add(value);
      seen.add(value);
    }
    for (const { effect, values } of requests) {
      effect.sinks?.forEach((sink, i) => {
        const value = values[i];
        if (sink === undefined || value === undefined) return;
        const refusal = this.#refusal(effect, sink, value, i);
        if (refusal === undefined) this.#take(effect, sink, value, i);
        else fusion.groupOf.get(value)?.refusals.push(`${sink.name}: ${refusal}`);
      });
    }
  }

  /** Which inputs of an effect kernels took in. */
  takenOf(effect: Effect): ReadonlySet<number> {
    return this.#taken.get(effect) ?? new Set();
  }

  /** Why a value must be stored after all. */
  #refusal(effect: Effect, sink: Sink, value: Value, input: number): string | undefined {
    const group = this.#fusion.groupOf.get(value);
    if (group === undefined || group.elements === 0) return 'it is no kernel that makes the gradient';
    if (this.#fusion.consumersOf(value).length > 0 || this.#shared.has(value))
      return 'something else reads the gradient';
    if (group.anchors.some(({ tensor }) => (tensor.op as KernelOp).epilogue !== true)) {
      return 'the kernel has no epilogue';
    }
    const known = [...group.members, ...group.anchors].map((one) => this.of.get(one)).find((one) => one !== undefined);
    if (known !== undefined && known.module !== sink.module) return 'another update is in the kernel';
    if (known !== undefined && Object.entries(known.ranges).some(([name, range]) => sink.ranges[name] !== range)) {
      return 'an update of another buffer is in the kernel';
    }
    const touched = (effect.beside ?? []).flatMap((tensor) => this.#valueOf(tensor) ?? []);
    if (touched.some((leaf) => this.#readersOf(leaf).has(group))) return 'the kernel reads what the update changes';
    const buffers = this.#fusion.buffersOf(group) - 1 + (known === undefined ? Object.keys(sink.ranges).length : 0);
    if (buffers > MAXIMUM_STORAGE_BUFFERS) return `${buffers} storage buffers would be needed`;
    const own = this.#leafOf(effect, input);
    const readers = own === undefined ? [] : this.#readersOf(own);
    for (const reader of readers) if (this.#comesAfter(reader, group)) return 'the old value is read later';
    return undefined;
  }

  #take(effect: Effect, sink: Sink, value: Value, input: number): void {
    const group = this.#fusion.groupOf.get(value) as Group;
    this.of.set(value, sink);
    this.#pinned.delete(value);
    const taken = this.#taken.get(effect) ?? new Set();
    this.#taken.set(effect, taken.add(input));
    const own = this.#leafOf(effect, input);
    const before = this.before.get(group) ?? new Set();
    if (own !== undefined) for (const reader of this.#readersOf(own)) before.add(reader);
    this.before.set(group, before);
  }

  /** The old value of what an effect's input changes, if the plan reads it at all. */
  #leafOf({ updates }: Effect, input: number): Value | undefined {
    return this.#valueOf(updates?.[input]);
  }

  #valueOf(tensor: Tensor | undefined): Value | undefined {
    return tensor === undefined || !isLeaf(tensor) ? undefined : this.#ir.operand(tensor).value;
  }

  #readersOf(leaf: Value): Set<Group> {
    const groups = this.#fusion.consumersOf(leaf).map((one) => this.#fusion.groupOf.get(one));
    return new Set(groups.filter((group) => group !== undefined));
  }

  /** Whether a group needs, through others, what another makes. */
  #comesAfter(group: Group, other: Group): boolean {
    const seen = new Set<Group>();
    const stack = [group];
    for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
      if (one === other) return true;
      if (seen.has(one)) continue;
      seen.add(one);
      stack.push(...this.#fusion.inputsOf(one), ...(this.before.get(one) ?? []));
    }
    return false;
  }
}
