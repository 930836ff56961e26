import { formatShape, ShapeError } from '../errors.js';
import { isLeaf } from './ir.js';
import type { SourceOp, ViewOp } from './op.js';
import { runtime } from './runtime.js';
import { sameShape } from './shape.js';
import { asTensor, type TensorData } from './source.js';
import { Tensor } from './tensor.js';

/** The identity, free as every view. */
const valueOp: ViewOp = { name: 'value', kind: 'view', view: (input) => input, vjp: ({ cotangent }) => [cotangent] };

const parameterOp: SourceOp = { name: 'parameter', kind: 'source' };

export interface ParameterOptions {
  /** A dotted name; `nn` layers give theirs. */
  readonly name?: string;
  /** False keeps optimizers away from it. Default true. */
  readonly trainable?: boolean;
}

/**
 * A tensor whose value changes: a weight, a running statistic. It is captured by reference, and
 * differentiable graphs end in it.
 */
export class Parameter extends Tensor {
  name: string | undefined;
  trainable: boolean;
  /** @internal The clock when it last changed. */
  assignedAt = 0;
  /** @internal Its first value, until that lies on the GPU. */
  initial: Tensor | undefined;

  /** @param value f32, any shape. Parameters in it are read now; a random draw of `nn`'s initialisers stays lazy until first use. */
  constructor(value: Tensor | TensorData, options: ParameterOptions = {}) {
    const initial = asTensor('Parameter', value);
    super(parameterOp, [], initial.shape, initial.dtype, undefined, { kind: 'stored' });
    this.initial = initial;
    // A target network, an average: it starts from the value now, whatever becomes of the other.
    if (parameterBelow(initial) !== undefined) runtime('Parameter').snapshot(this);
    this.name = options.name;
    this.trainable = options.trainable ?? true;
  }

  /**
   * Gives it another value of the same shape. Inside a compiled step it takes effect at the end: all reads
   * of that step see the old value, so `a.assign(b); b.assign(a)` swaps. Outside, at once.
   */
  assign(value: Tensor | TensorData): void {
    const given = asTensor('assign', value, this.dtype);
    if (!sameShape(given.shape, this.shape)) {
      throw new ShapeError(
        'assign',
        `the parameter is ${formatShape(this.shape)}, the value ${formatShape(given.shape)}.`,
        { mend: 'reshape or expand the value first.' },
      );
    }
    runtime('assign').assign(this, given);
  }

  override toString(): string {
    return `Parameter(${this.name ?? 'unnamed'}, ${this.dtype}${formatShape(this.shape)})`;
  }
}

/** A parameter that a graph reads, if any. */
export function parameterBelow(root: Tensor): Parameter | undefined {
  const seen = new Set<Tensor>();
  for (let stack = [root], tensor = stack.pop(); tensor !== undefined; tensor = stack.pop()) {
    if (tensor instanceof Parameter) return tensor;
    if (seen.has(tensor) || isLeaf(tensor)) continue;
    seen.add(tensor);
    stack.push(...tensor.inputs);
  }
  return undefined;
}

/**
 * What an op that has nothing to do returns: its input, but for a parameter a node of its own, for the result is
 * the value now and must not change when the parameter does.
 */
export function currentValue(x: Tensor): Tensor {
  return x instanceof Parameter ? new Tensor(valueOp, [x], x.shape, x.dtype) : x;
}
