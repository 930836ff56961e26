/// <reference lib="esnext.disposable" preserve="true" />
import { FreedError, findCallSite, formatShape, ValueError } from '../errors.js';
import type { DType, TypedArray } from './dtype.js';
import type { Attributes, Op } from './op.js';
import { runtime } from './runtime.js';
import { type Shape, sizeOf } from './shape.js';
import type { Storage } from './storage.js';

/** Where a leaf's value comes from. */
export type Source =
  /**
   * A JavaScript number, baked into the plan's uniforms. 0-d. An anonymous one was never in the user's hands as a
   * tensor: nobody can differentiate by it, so it may be folded away.
   */
  | { readonly kind: 'constant'; readonly value: number; readonly anonymous?: boolean }
  /** A JavaScript function, called at each execution. 0-d. */
  | { readonly kind: 'scalar'; readonly read: () => number }
  /** Data of the host, uploaded when first used. */
  | { readonly kind: 'host'; readonly data: TypedArray }
  /** An input of a compiled function. */
  | { readonly kind: 'placeholder'; readonly index: number }
  /** What a repeat's body gets from the iteration before. */
  | { readonly kind: 'carried' }
  /** What a repeat has left, for what comes after it. */
  | { readonly kind: 'repeated' }
  /** Lives in `storage`, or (a parameter) will. */
  | { readonly kind: 'stored' }
  /** In a plan's skeleton: the k-th leaf, whatever buffer or number it stands for at execution. */
  | { readonly kind: 'leaf'; readonly index: number }
  | { readonly kind: 'uniformLeaf'; readonly index: number };

/** Whether a source is a number of the host's, a plan's uniform: no buffer holds it. */
export function isNumber(source: Source | undefined): source is Extract<Source, { kind: 'constant' | 'scalar' }> {
  return source?.kind === 'constant' || source?.kind === 'scalar';
}

/** The number now; a scalar is asked for it. */
export function numberOf(source: Extract<Source, { kind: 'constant' | 'scalar' }>): number {
  return source.kind === 'constant' ? source.value : source.read();
}

const NO_ATTRIBUTES: Attributes = {};

let nextId = 1;

/** @internal The id that the next node will get. */
export function nextTensorId(): number {
  return nextId;
}

/** Counts assignments; a node made before a parameter changed must not read it afterwards. */
export const clock = { assignments: 0 };

/** What makes new nodes remember the user's line; set by anomaly mode. */
export const callSites = { record: false };

function depthOver(inputs: readonly Tensor[]): number {
  let depth = 0;
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i] as Tensor;
    if (input.storage === undefined && input.depth >= depth) depth = input.depth + 1;
  }
  return depth;
}

/** Above this depth a graph that nobody reads is run by itself. */
const MAXIMUM_DEPTH = 4000;

/** Off while a graph is recorded or copied: its nodes stand for values that do not exist yet. */
const growth = { bounded: true };

/** Makes nodes that are not run however deep they lie. */
export function unbounded<T>(make: () => T): T {
  const before = growth.bounded;
  growth.bounded = false;
  try {
    return make();
  } finally {
    growth.bounded = before;
  }
}

/**
 * A node of a lazy graph: an op, its inputs, a shape, a dtype. Making one does no GPU work.
 * Its value is computed when it is read (`data`, `item`), assigned, or returned by a compiled step.
 */
export class Tensor {
  readonly id: number;
  readonly shape: Shape;
  readonly dtype: DType;
  /** @internal */ readonly op: Op;
  /** @internal */ readonly inputs: readonly Tensor[];
  /** @internal */ readonly attributes: Attributes;
  /** @internal */ readonly source: Source | undefined;
  /** @internal */ callSite: string | undefined;
  /** @internal The count of assignments when this node was made. */
  readonly madeAt: number;
  /** @internal */ readonly depth: number;
  /** @internal Where the value lies, once it is on the GPU. */
  storage: Storage | undefined;
  /** @internal Roots whose value an eager optimizer step computes as well (see autograd/grad.ts). */
  companions: readonly Tensor[] | undefined;

  constructor(
    op: Op,
    inputs: readonly Tensor[],
    shape: Shape,
    dtype: DType,
    attributes: Attributes = NO_ATTRIBUTES,
    source?: Source,
  ) {
    this.id = nextId++;
    this.op = op;
    this.inputs = inputs;
    this.shape = shape;
    this.dtype = dtype;
    this.attributes = attributes;
    this.source = source;
    this.madeAt = clock.assignments;
    this.callSite = callSites.record ? findCallSite() : undefined;
    const depth = depthOver(inputs);
    this.depth = depth;
    if (depth >= MAXIMUM_DEPTH && growth.bounded) {
      runtime(op.name).compute(inputs.filter((input) => input.depth === depth - 1));
      // What was computed is a leaf now: the count begins anew.
      this.depth = depthOver(inputs);
    }
  }

  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /**
   * Computes the value if need be and reads it back, row-major. Bools are 0 or 1. The value stays on the GPU as long
   * as the tensor, or any made from it, is in use: of a chain that goes on for ever (`x = f(x)`, read each time) every
   * link. `keep(x)` goes on without them.
   * @throws StaleTensorError when a later step overwrote it, FreedError when it was disposed of, and
   * whatever the GPU reported about the dispatches it came from.
   */
  data(): Promise<TypedArray> {
    return runtime('data').read(this);
  }

  /** The value of a tensor with exactly one element, as a number. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new ValueError(
        'item',
        `the tensor has ${this.size} elements, shape ${formatShape(this.shape)}; item reads exactly one.`,
        { mend: 'use data() for all of them.' },
      );
    }
    return (await this.data())[0] ?? Number.NaN;
  }

  /** Gives the GPU memory back now; a later read is a FreedError. Safe to call twice. */
  dispose(): void {
    this.storage?.free();
    this.freed = true;
  }

  /** `using x = tensor(...)` where the syntax exists. */
  declare [Symbol.dispose]: () => void;

  /** @internal */ freed = false;

  /** @internal */
  assertNotFreed(op: string): void {
    if (this.freed || this.storage?.freed === true) {
      throw new FreedError(op, `the tensor ${formatShape(this.shape)} was disposed of.`, {
        mend: 'dispose of it after its last use, or keep(tensor) a copy.',
      });
    }
  }

  toString(): string {
    return `Tensor(${this.op.name}, ${this.dtype}${formatShape(this.shape)})`;
  }
}

// Older engines lack the symbol: ship it, so that `using` works wherever a compiler provides the syntax.
const disposeSymbol: symbol = (Symbol.dispose as symbol | undefined) ?? Symbol.for('Symbol.dispose');
Object.defineProperty(Tensor.prototype, disposeSymbol, {
  value(this: Tensor) {
    this.dispose();
  },
  configurable: true,
});

/** A tensor, or a number that becomes a 0-d constant of the other operand's dtype. */
export type TensorLike = Tensor | number;
