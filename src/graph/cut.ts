import { formatShape, ValueError } from '../errors.js';
import { isLeaf } from './ir.js';
import { isNumber, type Tensor } from './tensor.js';
import type { Trace } from './trace.js';

/** A trace cut at its repeats. */
export interface Cut {
  readonly trace: Trace;
  /** What each part computes for those after it, for repeats and for the outside. */
  readonly wanted: readonly Tensor[][];
  /** The body of each repeat. */
  readonly loops: readonly Cut[];
  /** What the trace reads of results that were made outside it, before. */
  readonly outside: readonly Tensor[];
}

/** Lies where it is when the step begins, or a repeat has left it there: no part needs to compute it. */
export function isGiven(tensor: Tensor): boolean {
  return isLeaf(tensor) && !isNumber(tensor.source);
}

/**
 * A node belongs to the part under way when it was made, so that it reads parameters as they are there: what was made
 * before a repeat never sees what that changes.
 *
 * @param outputs what the outside wants of the trace, each computed into a buffer unless a repeat has left it in one.
 */
export function cut(name: string, trace: Trace, outputs: readonly Tensor[]): Cut {
  const wanted = trace.parts.map(() => new Set<Tensor>());
  const outside = new Set<Tensor>();
  const loops: Cut[] = [];
  const last = trace.parts.length - 1;

  const demand = (tensor: Tensor) => {
    if (tensor.id < trace.firstId) {
      if (!isLeaf(tensor)) outside.add(tensor);
      return;
    }
    const part = trace.parts.findLastIndex(({ firstId }) => firstId <= tensor.id);
    const loop = trace.loops[part];
    if (loop !== undefined && loop.trace.firstId <= tensor.id) refuseLeak(name, tensor);
    if (!isLeaf(tensor)) wanted[part]?.add(tensor);
  };
  /** Everything from here up that the part itself does not make. */
  const walk = (roots: Iterable<Tensor>, firstId: number) => {
    const seen = new Set<Tensor>();
    for (let stack = [...roots], tensor = stack.pop(); tensor !== undefined; tensor = stack.pop()) {
      if (seen.has(tensor)) continue;
      seen.add(tensor);
      if (tensor.id < firstId) demand(tensor);
      else if (!isLeaf(tensor)) stack.push(...tensor.inputs);
    }
  };

  for (const tensor of outputs) {
    if (isLeaf(tensor) && tensor.source?.kind !== 'repeated') wanted[last]?.add(tensor);
    else demand(tensor);
  }
  for (let part = last; part >= 0; part--) {
    const { firstId } = trace.parts[part] as Trace['part'];
    const loop = trace.loops[part];
    if (loop !== undefined) {
      const inner = cut(name, loop.trace, loop.outputs);
      loops.unshift(inner);
      inner.outside.forEach(demand);
      for (const tensor of loop.initial) {
        if (isNumber(tensor.source)) wanted[part]?.add(tensor);
        else demand(tensor);
      }
    }
    const effects = part === last ? trace.effects.flatMap(({ inputs }) => inputs) : [];
    walk([...(wanted[part] ?? []), ...effects], firstId);
  }
  return { trace, wanted: wanted.map((set) => [...set]), loops, outside: [...outside] };
}

function refuseLeak(name: string, tensor: Tensor): void {
  // What a body only mentions (a parameter, a constant) is no result of it.
  const { source } = tensor;
  if (isLeaf(tensor) && source?.kind !== 'carried' && source?.kind !== 'repeated') return;
  throw new ValueError(
    name,
    `a result of '${tensor.op.name}' ${formatShape(tensor.shape)}, made inside a repeat, is used after it.`,
    { callSite: tensor.callSite, mend: "return it from the repeat's body: the last iteration's comes out." },
  );
}
