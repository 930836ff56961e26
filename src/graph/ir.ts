import copy from '../../shaders/elementwise/copy.wgsl';
import type { WgslModule } from '../kernels/wgslModule.js';
import type { ElementwiseOp, KernelOp } from './op.js';
import { postOrder } from './postOrder.js';
import { sizeOf } from './shape.js';
import { Tensor } from './tensor.js';
import { contiguousView, isContiguous, type View } from './view.js';

/** The identity, for when a view must be laid out anew. */
export const copyOp: ElementwiseOp = {
  name: 'copy',
  kind: 'elementwise',
  module: copy as WgslModule,
  vjp: ({ cotangent }) => [cotangent],
};

/** A value of the plan: what one op computes. Views have dissolved into the operands that read them. */
export interface Value {
  readonly tensor: Tensor;
  readonly operands: readonly Operand[];
  /** Position in a topological order. */
  readonly position: number;
  /** Computable from uniforms and the element's index alone: never stored unless `forced`. */
  readonly virtual: boolean;
  /** Must lie in a buffer: an output, or read by a kernel that binds buffers. */
  forced: boolean;
}

export interface Operand {
  readonly value: Value;
  readonly view: View;
}

/** The graph of everything that `roots` need, views dissolved, in topological order. */
export class Ir {
  readonly values: Value[] = [];
  readonly #operands = new Map<Tensor, Operand>();

  /** How `tensor` reads: the value it comes from and the view of it. */
  operand(tensor: Tensor): Operand {
    const known = this.#operands.get(tensor);
    if (known !== undefined) return known;
    postOrder(
      tensor,
      inputsOf,
      (one) => this.#operands.has(one),
      (one) => this.#operands.set(one, this.#make(one)),
    );
    const made = this.#operands.get(tensor);
    if (made === undefined) throw new Error(`no operand was made for ${tensor}`);
    return made;
  }

  /** An anchor's operand for one of its inputs: what was copied is read from the copy. */
  operandFor(anchor: Value, input: Tensor): Operand {
    const operand = anchor.operands[anchor.tensor.inputs.indexOf(input)];
    return operand ?? this.operand(input);
  }

  #make(tensor: Tensor): Operand {
    const { op } = tensor;
    if (isLeaf(tensor)) return this.#value(tensor, [], tensor.source !== undefined && isUniform(tensor));
    if (op.kind === 'view') {
      let source = this.operand(tensor.inputs[0] as Tensor);
      let view = op.view(source.view, tensor.shape, tensor.attributes);
      if (view === undefined) {
        source = this.copy(source);
        view = op.view(source.view, tensor.shape, tensor.attributes);
        if (view === undefined) throw new Error(`${op.name} has no view of a contiguous tensor`);
      }
      return { value: source.value, view };
    }
    const operands = tensor.inputs.map((input) => this.operand(input));
    if (op.kind === 'kernel') return this.#value(tensor, this.#bindable(op, tensor, operands), false);
    return this.#value(
      tensor,
      operands,
      operands.every(({ value }) => value.virtual),
    );
  }

  #value(tensor: Tensor, operands: readonly Operand[], virtual: boolean): Operand {
    const value: Value = { tensor, operands, position: this.values.length, virtual, forced: false };
    this.values.push(value);
    return { value, view: contiguousView(tensor.shape) };
  }

  /** Copies what a kernel cannot bind as it lies. */
  #bindable(op: KernelOp, node: Tensor, operands: readonly Operand[]): Operand[] {
    const access = accessOf(op, node);
    return operands.map((operand, i) => {
      const how = access[i] ?? 'contiguous';
      if (how === 'fused' || how === 'hook') return operand;
      const accepted =
        !operand.value.virtual &&
        (how === 'strided' ? (op.acceptsView?.(operand.view, i) ?? false) : isContiguous(operand.view));
      if (!accepted) return this.copy(operand);
      operand.value.forced = true;
      return operand;
    });
  }

  /** A contiguous copy of an operand, in a buffer of its own. */
  copy(operand: Operand): Operand {
    const { value, view } = operand;
    const tensor = new Tensor(copyOp, [value.tensor], view.shape, value.tensor.dtype);
    const copied = this.#value(tensor, [operand], value.virtual);
    copied.value.forced = true;
    this.#operands.set(tensor, copied);
    return copied;
  }
}

export function accessOf(op: KernelOp, node: Tensor): readonly string[] {
  return typeof op.access === 'function' ? op.access(node) : op.access;
}

/** What a node computes from. A view's further inputs (customGradient's) matter only to its derivative. */
function inputsOf(tensor: Tensor): readonly Tensor[] {
  if (isLeaf(tensor)) return [];
  return tensor.op.kind === 'view' ? tensor.inputs.slice(0, 1) : tensor.inputs;
}

/** Given rather than computed: a source, or a node whose value already lies on the GPU. */
export function isLeaf(tensor: Tensor): boolean {
  return tensor.source !== undefined || tensor.storage !== undefined;
}

/** 0-d and known on the host: it goes into a uniform. */
export function isUniform(tensor: Tensor): boolean {
  return tensor.source?.kind === 'uniformLeaf';
}

/** Reads its base element by element in the same order: the same linear index serves both. */
export function isLinear({ value, view }: Operand): boolean {
  return isContiguous(view) && sizeOf(view.shape) === value.tensor.size;
}
