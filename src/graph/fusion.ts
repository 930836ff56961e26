import { accessOf, type Ir, isLinear, type Operand, type Value } from './ir.js';
import { attributesKey, type KernelOp } from './op.js';
import { sizeOf } from './shape.js';
import { sameView } from './view.js';

/** WebGPU gives 8 storage buffers a stage unless asked for more; our kernels never need more. */
export const MAXIMUM_STORAGE_BUFFERS = 8;
/** Longer chains are cut: compilers take ever longer for them, and the composer walks a chain by recursion. */
const MAXIMUM_CHAIN = 256;

/** What one dispatch (or one op's series of them) computes. */
export interface Group {
  readonly id: number;
  /** The kernel nodes; none for a pure elementwise chain. Several when a family merged. */
  readonly anchors: Value[];
  /** Elementwise values computed at each element: in an anchor's store hook, or by the elementwise host. */
  readonly members: Set<Value>;
  /** Elementwise values computed inside load hooks, where they are read. */
  readonly inlined: Set<Value>;
  /** The lowest and the highest position of its values. Others' values may lie between. */
  first: number;
  last: number;
  /** Number of elements that members are computed over. */
  elements: number;
  /** Why a neighbour stayed outside, for `explain`. */
  readonly refusals: string[];
}

export interface FusionOptions {
  /** False: each value gets a dispatch of its own, for comparison and for anomaly mode. */
  readonly enabled: boolean;
}

/**
 * Gathers values into groups, each of which becomes one dispatch:
 * 1. chain: elementwise neighbours over the same elements share a loop;
 * 2. epilogue: an elementwise consumer of a kernel's output runs in its store hook;
 * 3. family: kernels made to run as one (a loss's value and its gradient) do;
 * 4. company: a small kernel that reads what a large one reads comes along with it (a bias's gradient, beside the
 *    weight's);
 * 5. prologue: a chain read only by one kernel runs in its load hook;
 * 6. descent: a result that only one other loop reads, and that is made of one stored value, is made there
 *    (a relu's mask in the backward pass): as many loads, one store less.
 * A fusion never makes a cycle between groups, nor more than 8 storage buffers.
 */
export class Fusion {
  readonly groups: Group[] = [];
  readonly groupOf = new Map<Value, Group>();
  readonly #consumers = new Map<Value, Value[]>();
  readonly #pinned: ReadonlySet<Value>;
  readonly #enabled: boolean;
  #nextGroup = 0;

  /** @param pinned values that something outside the plan needs. */
  constructor(ir: Ir, pinned: ReadonlySet<Value>, options: FusionOptions) {
    this.#pinned = pinned;
    this.#enabled = options.enabled;
    for (const value of ir.values) {
      for (const { value: input } of value.operands) {
        const list = this.#consumers.get(input);
        if (list === undefined) this.#consumers.set(input, [value]);
        else list.push(value);
      }
    }
    for (const value of ir.values) this.#place(value);
    if (!this.#enabled) return;
    for (const group of [...this.groups]) this.#prologue(group);
    for (const group of [...this.groups]) this.#descend(group);
  }

  /** A copy made after grouping gets a dispatch of its own. */
  addCopy(copy: Value): void {
    this.#open(copy);
  }

  consumersOf(value: Value): readonly Value[] {
    return this.#consumers.get(value) ?? [];
  }

  /** The groups whose results a group reads. */
  inputsOf(group: Group): Group[] {
    const inputs = new Set<Group>();
    const visit = (value: Value) => {
      for (const { value: input } of value.operands) {
        const other = this.groupOf.get(input);
        if (other !== undefined && other !== group) inputs.add(other);
        if (other === undefined && input.virtual) visit(input);
      }
    };
    for (const value of [...group.anchors, ...group.members, ...group.inlined]) visit(value);
    return [...inputs];
  }

  /** Storage buffers that a group binds, counted from above. */
  buffersOf(group: Group): number {
    return this.#buffers([group]);
  }

  /** Stored: something outside its group reads it. Inlined values are recomputed where they are read. */
  isStored(value: Value): boolean {
    const group = this.groupOf.get(value);
    if (group === undefined) return false;
    if (this.#pinned.has(value) || value.forced) return true;
    if (value.virtual || group.inlined.has(value)) return false;
    return this.consumersOf(value).some((consumer) => this.groupOf.get(consumer) !== group);
  }

  #place(value: Value): void {
    const { op } = value.tensor;
    if (op.kind === 'source' || value.tensor.storage !== undefined || value.tensor.source) return;
    if (value.virtual && !value.forced && !this.#pinned.has(value)) return;
    const group = this.#open(value);
    if (!this.#enabled) return;
    if (op.kind === 'kernel') this.#family(value, group) || this.#company(value);
    else for (const operand of value.operands) this.#join(operand, value);
  }

  #open(value: Value): Group {
    const anchored = value.tensor.op.kind === 'kernel';
    const group: Group = {
      id: this.#nextGroup++,
      anchors: anchored ? [value] : [],
      members: new Set(anchored ? [] : [value]),
      inlined: new Set(),
      first: value.position,
      last: value.position,
      elements: value.tensor.size,
      refusals: [],
    };
    this.groups.push(group);
    this.groupOf.set(value, group);
    return group;
  }

  /** Rules 1 and 2: takes the value's group into that of an operand that it reads element by element. */
  #join(operand: Operand, value: Value): void {
    const into = this.groupOf.get(operand.value);
    const group = this.groupOf.get(value);
    if (into === undefined || group === undefined || into === group) return;
    if (!isLinear(operand)) return;
    if (into.elements !== value.tensor.size || into.elements === 0) return;
    if (group.anchors.length > 0 && into.anchors.length > 0) return;
    for (const anchored of [into, group]) {
      const [anchor, ...others] = anchored.anchors;
      if (anchor === undefined) continue;
      if (others.length > 0 || (anchor.tensor.op as KernelOp).epilogue !== true) return;
    }
    this.#merge(into, group);
  }

  /** Rule 3. */
  #family(value: Value, group: Group): boolean {
    const op = value.tensor.op as KernelOp;
    if (op.family === undefined) return false;
    for (const other of this.groups) {
      const [anchor] = other.anchors;
      if (anchor === undefined || other === group || anchor.tensor.op.kind !== 'kernel') continue;
      if (anchor.tensor.op.family !== op.family || other.members.size > 0) continue;
      if (other.anchors.some((one) => one.tensor.op === op)) continue;
      // Each other one, not the first alone: gradients by two parameters may have different cotangents.
      if (!other.anchors.every((one) => sameOperands(one, value))) continue;
      if (!sameAttributes(anchor, value)) continue;
      if (this.#merge(other, group)) return true;
    }
    return false;
  }

  /** Rule 4, for results that no elementwise op goes on with: one kernel has one epilogue. */
  #company(value: Value): boolean {
    for (const other of new Set(value.operands.flatMap((operand) => this.consumersOf(operand.value)))) {
      for (const [one, small] of [
        [value, other],
        [other, value],
      ] as const) {
        const { op } = one.tensor;
        if (op.kind !== 'kernel' || op.brings?.(one, small) !== true) continue;
        if (this.consumersOf(one).length + this.consumersOf(small).length > 0) continue;
        const [into, group] = [this.groupOf.get(one), this.groupOf.get(small)];
        if (into === undefined || group === undefined) continue;
        if (into.anchors.length + group.anchors.length === 2 && this.#merge(into, group)) return true;
      }
    }
    return false;
  }

  /** Rule 5: a chain with one stored result, which only this kernel's `fused` inputs read. */
  #prologue(group: Group): void {
    for (const anchor of group.anchors) {
      const access = accessOf(anchor.tensor.op as KernelOp, anchor.tensor);
      anchor.operands.forEach((operand, i) => {
        if (access[i] !== 'fused') return;
        const chain = this.groupOf.get(operand.value);
        if (chain === undefined || chain.anchors.length > 0 || chain === group) return;
        if (operand.value.forced || this.#pinned.has(operand.value)) return;
        // Reading through a broadcast would compute the chain anew for each repeat.
        if (sizeOf(operand.view.shape) > 2 * operand.value.tensor.size) return;
        const stored = [...chain.members].filter((member) => this.isStored(member));
        if (stored.length !== 1 || stored[0] !== operand.value) return;
        const readers = this.consumersOf(operand.value).filter((one) => !chain.members.has(one));
        if (!readers.every((one) => group.anchors.includes(one) && readsFused(one, operand.value))) return;
        const buffers = this.#buffers([group, chain]);
        if (buffers > MAXIMUM_STORAGE_BUFFERS) {
          group.refusals.push(`prologue ${operand.value.tensor.op.name}: ${buffers} storage buffers`);
          return;
        }
        for (const member of chain.members) {
          group.inlined.add(member);
          this.groupOf.set(member, group);
        }
        this.groups.splice(this.groups.indexOf(chain), 1);
      });
    }
  }

  /** Rule 6. */
  #descend(group: Group): void {
    for (const value of [...group.members].reverse()) {
      if (!this.isStored(value) || this.#pinned.has(value) || value.forced) continue;
      const consumers = this.consumersOf(value);
      const [first] = consumers;
      const target = first === undefined ? undefined : this.groupOf.get(first);
      if (target === undefined || target === group) continue;
      const readInLoop = (one: Value) =>
        target.members.has(one) && one.operands.every((operand) => operand.value !== value || isLinear(operand));
      if (!consumers.every(readInLoop) || target.elements !== group.elements) continue;
      const sources = value.operands.map((operand) => operand.value).filter((one) => !one.virtual);
      const [source] = sources;
      if (source === undefined || sources.length > 1) continue;
      // What it is made of must be in a buffer anyway.
      const available = this.groupOf.get(source) === undefined || this.isStored(source);
      if (!available) continue;
      group.members.delete(value);
      target.members.add(value);
      this.groupOf.set(value, target);
    }
  }

  #merge(into: Group, group: Group): boolean {
    if (readsOwnResults(into, group) || readsElsewhere(into, group) || this.#wouldCycle(into, group)) {
      into.refusals.push(`${label(group)}: it also depends on a later kernel`);
      return false;
    }
    if (into.members.size + group.members.size > MAXIMUM_CHAIN) {
      into.refusals.push(`a further ${group.members.size} ops: a chain holds at most ${MAXIMUM_CHAIN}`);
      return false;
    }
    const buffers = this.#buffers([into, group]);
    if (buffers > MAXIMUM_STORAGE_BUFFERS) {
      into.refusals.push(`${label(group)}: ${buffers} storage buffers would be needed`);
      return false;
    }
    for (const member of group.members) {
      into.members.add(member);
      this.groupOf.set(member, into);
    }
    for (const anchor of group.anchors) {
      into.anchors.push(anchor);
      this.groupOf.set(anchor, into);
    }
    into.first = Math.min(into.first, group.first);
    into.last = Math.max(into.last, group.last);
    this.groups.splice(this.groups.indexOf(group), 1);
    return true;
  }

  /** Whether one of the two depends on the other through a third group. */
  #wouldCycle(a: Group, b: Group): boolean {
    return this.#reachesThroughOthers(a, b) || this.#reachesThroughOthers(b, a);
  }

  #reachesThroughOthers(from: Group, to: Group): boolean {
    const lowest = this.#lowestWayTo(to);
    const seen = new Set<Group>([from]);
    const queue: Value[] = [];
    const visit = (value: Value) => {
      for (const { value: input } of value.operands) {
        const group = this.groupOf.get(input);
        if (group === undefined || seen.has(group)) continue;
        if (group === to) {
          // A direct edge is what fusion is for; an indirect one is a cycle.
          if (this.groupOf.get(value) !== from) return true;
          continue;
        }
        if (group.last < lowest) continue;
        seen.add(group);
        queue.push(...group.members, ...group.anchors, ...group.inlined);
      }
      return false;
    };
    for (const value of [...from.members, ...from.anchors]) if (visit(value)) return true;
    for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
      if (visit(value)) return true;
    }
    return false;
  }

  /**
   * The lowest position from which a way up the operands can lead to a group. Operands lie below their users, but a
   * way that enters a group low may leave it high.
   */
  #lowestWayTo(to: Group): number {
    let lowest = to.first;
    for (let before = Number.POSITIVE_INFINITY; lowest < before; ) {
      before = lowest;
      for (const { first, last } of this.groups) if (first < lowest && last >= lowest) lowest = first;
    }
    return lowest;
  }

  /** Storage buffers that a union of groups would bind, counted from above. */
  #buffers(groups: readonly Group[]): number {
    const inside = new Set(groups.flatMap((group) => [...group.members, ...group.anchors, ...group.inlined]));
    const inputs = new Set<Value>();
    // A kernel that binds an operand itself does so once for each place, also if hooks read it besides.
    const direct = new Set<string>();
    let outputs = 0;
    let beside = 0;
    for (const value of inside) {
      const { op } = value.tensor;
      if (op.kind === 'kernel') beside = Math.max(beside, op.buffersBeside ?? 0);
      collectInputs(value, inside, inputs, direct);
      const stored =
        this.#pinned.has(value) || value.forced || this.consumersOf(value).some((consumer) => !inside.has(consumer));
      if (stored && !(op.kind === 'kernel' && op.apart === true)) outputs++;
    }
    return inputs.size + direct.size + outputs + beside;
  }
}

function collectInputs(value: Value, inside: ReadonlySet<Value>, inputs: Set<Value>, direct: Set<string>): void {
  const { op } = value.tensor;
  const access = op.kind === 'kernel' ? accessOf(op, value.tensor) : [];
  value.operands.forEach(({ value: input }, i) => {
    const isDirect = access[i] === 'strided' || access[i] === 'contiguous';
    if (isDirect && op.kind === 'kernel' && op.apart === true) return;
    if (isDirect) direct.add(`${i} ${input.position}`);
    // A virtual value loads nothing itself, and its own inputs are virtual too.
    else if (!inside.has(input) && !input.virtual) inputs.add(input);
  });
}

/** A store hook has its kernel's result at its own place alone: another place (a transpose, a flip) is not there yet. */
function readsElsewhere(a: Group, b: Group): boolean {
  if (a.anchors.length + b.anchors.length === 0) return false;
  return [...a.members, ...b.members].some((member) =>
    member.operands.some((operand) => isInside(operand.value, a, b) && !isLinear(operand)),
  );
}

/** A kernel cannot load what it makes itself, in its store hook or beside it: a gradient whose cotangent is the value. */
function readsOwnResults(a: Group, b: Group): boolean {
  return [...a.anchors, ...b.anchors].some((anchor) => anchor.operands.some(({ value }) => isInside(value, a, b)));
}

function isInside(value: Value, a: Group, b: Group): boolean {
  return [a, b].some((group) => group.members.has(value) || group.anchors.includes(value));
}

/** As far as both have operands. */
function sameOperands(a: Value, b: Value): boolean {
  for (let i = 0; i < Math.min(a.operands.length, b.operands.length); i++) {
    const left = a.operands[i];
    const right = b.operands[i];
    if (left?.value !== right?.value) return false;
    if (left === undefined || right === undefined || !sameView(left.view, right.view)) return false;
  }
  return true;
}

function sameAttributes(a: Value, b: Value): boolean {
  return attributesKey(a.tensor.attributes) === attributesKey(b.tensor.attributes);
}

function readsFused(consumer: Value, input: Value): boolean {
  const access = accessOf(consumer.tensor.op as KernelOp, consumer.tensor);
  return consumer.operands.every(({ value }, i) => value !== input || access[i] === 'fused');
}

function label(group: Group): string {
  return [...group.anchors, ...group.members].map((value) => value.tensor.op.name).join('+');
}
