import { StaleTensorError } from '../errors.js';
import type { Effect } from './effect.js';
import { isLeaf } from './ir.js';
import { attributesKey, type Op, type SourceOp } from './op.js';
import { Parameter } from './parameter.js';
import { postOrder } from './postOrder.js';
import { isNumber, Tensor, unbounded } from './tensor.js';

/**
 * A graph without its data: leaves are numbered, so that equal structures have equal keys, share one plan,
 * and a cached plan keeps no tensor alive.
 */
export interface Skeleton {
  readonly key: string;
  readonly outputs: readonly Tensor[];
  readonly effects: readonly Effect[];
  /** What the numbered leaves stand for in this graph. */
  readonly leaves: readonly Tensor[];
  /** Each skeleton node's original, for error messages and anomaly mode. */
  readonly origins: ReadonlyMap<Tensor, Tensor>;
}

const leafOp: SourceOp = { name: 'leaf', kind: 'source' };
const opNumbers = new WeakMap<Op, number>();
let nextOpNumber = 1;

/** Two ops of one name (a redefined loss) are two ops. */
function opNumber(op: Op): number {
  let number = opNumbers.get(op);
  if (number === undefined) {
    number = nextOpNumber++;
    opNumbers.set(op, number);
  }
  return number;
}

export function skeletonOf(outputs: readonly Tensor[], effects: readonly Effect[]): Skeleton {
  return unbounded(() => copyGraph(outputs, effects));
}

function copyGraph(outputs: readonly Tensor[], effects: readonly Effect[]): Skeleton {
  const copies = new Map<Tensor, Tensor>();
  const numbers = new Map<Tensor, number>();
  const origins = new Map<Tensor, Tensor>();
  const leaves: Tensor[] = [];
  const key: string[] = [];

  const copyOf = (tensor: Tensor): Tensor => {
    const leaf = isLeaf(tensor);
    let copy: Tensor;
    if (leaf) {
      const index = leaves.push(tensor) - 1;
      const number = isNumber(tensor.source);
      const source = { kind: number ? 'uniformLeaf' : 'leaf', index } as const;
      copy = new Tensor(leafOp, [], tensor.shape, tensor.dtype, undefined, source);
      key.push(`${number ? 'u' : 'l'}${tensor.dtype}${tensor.shape.join('x')}`);
    } else {
      const inputs = tensor.inputs.map((input) => copies.get(input) as Tensor);
      copy = new Tensor(tensor.op, inputs, tensor.shape, tensor.dtype, tensor.attributes);
      const from = tensor.inputs.map((input) => numbers.get(input)).join(',');
      const attributes = attributesKey(tensor.attributes);
      key.push(`${opNumber(tensor.op)}${tensor.dtype}${tensor.shape.join('x')}(${from})${attributes}`);
    }
    copy.callSite = tensor.callSite;
    origins.set(copy, tensor);
    return copy;
  };

  const visit = (root: Tensor): Tensor => {
    postOrder(
      root,
      currentInputs,
      (tensor) => copies.has(tensor),
      (tensor) => {
        numbers.set(tensor, numbers.size);
        copies.set(tensor, copyOf(tensor));
      },
    );
    return copies.get(root) as Tensor;
  };

  const copiedOutputs = outputs.map(visit);
  key.push(`>${outputs.map((tensor) => numbers.get(tensor)).join(',')}`);
  const copiedEffects = effects.map((effect) => {
    const inputs = effect.inputs.map(visit);
    const targets = (effect.targets ?? []).map((target) => (target === undefined ? undefined : visit(target)));
    const all = [...effect.inputs, ...(effect.targets ?? [])];
    key.push(`!${effect.key}(${all.map((tensor) => tensor && numbers.get(tensor)).join(',')})`);
    return { ...effect, inputs, targets };
  });
  // Of what an effect changes or lies beside, the leaves that the graph reads.
  const effectsOverLeaves = copiedEffects.map((effect) => ({
    ...effect,
    updates: (effect.updates ?? []).map((tensor) => tensor && copies.get(tensor)),
    beside: (effect.beside ?? []).map((tensor) => tensor && copies.get(tensor)),
  }));
  return { key: key.join(';'), outputs: copiedOutputs, effects: effectsOverLeaves, leaves, origins };
}

function currentInputs(node: Tensor): readonly Tensor[] {
  if (isLeaf(node)) return [];
  for (const input of node.inputs) assertCurrent(node, input);
  return node.inputs;
}

/** Whether a graph can be computed still: none of its parameters has changed since. */
export function isCurrent(root: Tensor): boolean {
  const seen = new Set<Tensor>();
  for (let stack = [root], node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node) || isLeaf(node)) continue;
    seen.add(node);
    for (const input of node.inputs) if (isStale(node, input)) return false;
    stack.push(...node.inputs);
  }
  return true;
}

function isStale(node: Tensor, input: Tensor): input is Parameter {
  return input instanceof Parameter && input.assignedAt > node.madeAt;
}

/** A node made before its parameter changed would now read the new value: never silently. */
function assertCurrent(node: Tensor, input: Tensor): void {
  if (isStale(node, input)) {
    throw new StaleTensorError(
      node.op.name,
      `parameter '${input.name ?? 'unnamed'}' was assigned after this result was defined and before it was computed.`,
      { callSite: node.callSite, mend: 'read the result (data, item) before the assignment, or compute it again.' },
    );
  }
}
