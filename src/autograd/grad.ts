import { DtypeError, formatShape, GradientError, ShapeError, ValueError } from '../errors.js';
import { isFloat } from '../graph/dtype.js';
import { currentValue } from '../graph/parameter.js';
import { postOrder } from '../graph/postOrder.js';
import { sameShape } from '../graph/shape.js';
import { number } from '../graph/source.js';
import { nextTensorId, Tensor } from '../graph/tensor.js';
import { add } from '../ops/arithmetic.js';
import { broadcastTo } from '../ops/broadcast.js';
import { toF32 } from '../ops/casts.js';

export interface GradOptions {
  /**
   * What a tensor that the root does not depend on gets: zeros of its shape (default), or a GradientError
   * that names it.
   */
  readonly unused?: 'zeros' | 'error';
}

/** A tensor, or tensors in arrays and plain objects: gradients come in the same structure. */
export type TensorTree = Tensor | readonly TensorTree[] | { readonly [key: string]: TensorTree };

/** The structure of a tree with each tensor (a Parameter, say) replaced by a plain one. */
export type GradientsOf<T> = T extends Tensor
  ? Tensor
  : T extends readonly Tensor[]
    ? { -readonly [Key in keyof T]: Tensor }
    : { -readonly [Key in keyof T]: GradientsOf<T[Key]> };

/**
 * Gradients of a scalar, as graphs: they can be differentiated again, and cost nothing until used.
 *
 * @param scalar 0-d (or one element), f32.
 * @param wrt parameters, inputs or any tensors the scalar was computed from.
 * @throws GradientError when the root is not a scalar, or the path holds an op without a derivative.
 */
export function grad<T extends TensorTree>(scalar: Tensor, wrt: T, options: GradOptions = {}): GradientsOf<T> {
  return gradientTree(scalar, wrt, options) as GradientsOf<T>;
}

function gradientTree(scalar: Tensor, wrt: TensorTree, options: GradOptions): unknown {
  if (!(scalar instanceof Tensor)) {
    throw new GradientError('grad', 'the root is not a Tensor.', {
      mend: 'give the loss first: grad(loss, parameters).',
    });
  }
  if (scalar.size !== 1) {
    throw new GradientError('grad', `the root is ${formatShape(scalar.shape)}, not a scalar.`, {
      mend: 'reduce it (mean, sum), or use vjp with a cotangent.',
    });
  }
  const seed = broadcastTo(number('grad', 1), scalar.shape);
  const list = flatten(wrt, []);
  const firstId = nextTensorId();
  const gradients = backward('grad', [scalar], [seed], list, options);
  // A gradient may be a tensor that was there before: the user's own.
  for (const gradient of gradients) if (gradient.id >= firstId) gradient.companions = [scalar];
  return rebuild(wrt, gradients, { next: 0 });
}

/**
 * The value of a function and its gradients, both as graphs.
 * @param wrt default: the function's own tensor arguments.
 */
export function valueAndGrad<Arguments extends readonly Tensor[]>(
  body: (...inputs: Arguments) => Tensor,
): (...inputs: Arguments) => [value: Tensor, gradients: Tensor[]];
export function valueAndGrad<Arguments extends readonly unknown[], T extends TensorTree>(
  body: (...inputs: Arguments) => Tensor,
  wrt: T,
): (...inputs: Arguments) => [value: Tensor, gradients: GradientsOf<T>];
export function valueAndGrad(
  body: (...inputs: never[]) => Tensor,
  wrt?: TensorTree,
): (...inputs: never[]) => [value: Tensor, gradients: unknown] {
  return (...inputs) => {
    const value = body(...inputs);
    return [value, gradientTree(value, wrt ?? (inputs as readonly Tensor[]), {})];
  };
}

/**
 * The vector-Jacobian product: for outputs y(x) and cotangents of their shapes, the sum over outputs of
 * `cotangent^T dy/dx` for each input.
 */
export function vjp<T extends TensorTree>(
  outputs: Tensor | readonly Tensor[],
  inputs: T,
  cotangents: Tensor | readonly Tensor[],
  options: GradOptions = {},
): GradientsOf<T> {
  const roots = flatten(outputs, []);
  const seeds = flatten(cotangents, []);
  if (roots.length !== seeds.length) {
    throw new ValueError('vjp', `${roots.length} outputs but ${seeds.length} cotangents.`);
  }
  roots.forEach((root, i) => {
    const seed = seeds[i] as Tensor;
    if (sameShape(root.shape, seed.shape)) return;
    throw new ShapeError('vjp', `output ${i} is ${formatShape(root.shape)}, its cotangent ${formatShape(seed.shape)}.`);
  });
  return rebuild(inputs, backward('vjp', roots, seeds, flatten(inputs, []), options), { next: 0 }) as GradientsOf<T>;
}

/**
 * Hessian-vector products of a scalar: the gradient of `sum(grad . vectors)`. Exact, at a few times the cost
 * of the gradient.
 * @param vectors one for each tensor of `wrt`, of its shape.
 */
export function hvp<T extends TensorTree>(scalar: Tensor, wrt: T, vectors: TensorTree): GradientsOf<T> {
  const list = flatten(wrt, []);
  const directions = flatten(vectors, []);
  if (list.length !== directions.length) {
    throw new ValueError('hvp', `${list.length} tensors but ${directions.length} vectors.`);
  }
  list.forEach((tensor, i) => {
    const direction = directions[i] as Tensor;
    if (sameShape(tensor.shape, direction.shape)) return;
    throw new ShapeError(
      'hvp',
      `tensor ${i} is ${formatShape(tensor.shape)}, its vector ${formatShape(direction.shape)}.`,
    );
  });
  const gradients = flatten(gradientTree(scalar, wrt, {}), []);
  // Gradients that are constant (of a linear function) have no path back: their product is zero.
  return rebuild(wrt, backward('hvp', gradients, directions, list, {}), { next: 0 }) as GradientsOf<T>;
}

/** Reverse mode over the graph between `roots` and `wrt`. */
function backward(
  name: string,
  roots: readonly Tensor[],
  seeds: readonly Tensor[],
  wrt: readonly Tensor[],
  { unused = 'zeros' }: GradOptions,
): Tensor[] {
  wrt.forEach((tensor, i) => {
    if (!(tensor instanceof Tensor)) throw new GradientError(name, `what to differentiate by (${i}) is not a Tensor.`);
    if (!isFloat(tensor.dtype)) {
      throw new GradientError(name, `tensor ${i} is ${tensor.dtype}; only f32 and f16 have gradients.`);
    }
  });
  const targets = new Set(wrt);
  const order = dependents(roots, targets);
  const cotangents = new Map<Tensor, Tensor>();
  const accumulate = (tensor: Tensor, cotangent: Tensor) => {
    const before = cotangents.get(tensor);
    cotangents.set(tensor, before === undefined ? cotangent : add(before, cotangent));
  };
  roots.forEach((root, i) => {
    // Nothing flows back from integers.
    if (isFloat(root.dtype)) accumulate(root, widened(name, seeds[i] as Tensor));
  });
  const reached = new Set(order);
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as Tensor;
    const cotangent = cotangents.get(node);
    if (cotangent === undefined || node.inputs.length === 0) continue;
    const needs = node.inputs.map((input) => reached.has(input) && isFloat(input.dtype));
    if (!needs.some((need) => need)) continue;
    const { vjp: rule } = node.op;
    if (rule === undefined) {
      throw new GradientError(name, `${node.op.name} has no derivative, and the gradient passes through it.`, {
        callSite: node.callSite,
        mend: 'stop the gradient before it: stopGradient(x).',
      });
    }
    const parts = rule({ cotangent, inputs: node.inputs, output: node, attributes: node.attributes, needs });
    node.inputs.forEach((input, k) => {
      const part = parts[k];
      if (needs[k] === true && part !== undefined) accumulate(input, fit(node, input, part));
    });
  }
  return wrt.map((tensor, i) => {
    const cotangent = cotangents.get(tensor);
    if (cotangent !== undefined) return currentValue(cotangent);
    if (unused === 'error') {
      const name_ = (tensor as { name?: string }).name;
      throw new GradientError(
        name,
        `the root does not depend on tensor ${i}${name_ ? ` ('${name_}')` : ''}, ${formatShape(tensor.shape)}.`,
        {
          mend: "leave it out, or pass { unused: 'zeros' }.",
        },
      );
    }
    return broadcastTo(number('grad', 0), tensor.shape);
  });
}

/** Broadcasts are ops with a vjp of their own, so a cotangent has its input's shape. */
function fit(node: Tensor, input: Tensor, part: Tensor): Tensor {
  if (sameShape(part.shape, input.shape)) return widened(node.op.name, part);
  throw new ShapeError(
    node.op.name,
    `its vjp gave a cotangent ${formatShape(part.shape)} for an input ${formatShape(input.shape)}.`,
  );
}

/** Cotangents are f32, whatever they belong to: kernels of backward passes count on it. */
function widened(op: string, cotangent: Tensor): Tensor {
  if (cotangent.dtype === 'f32') return cotangent;
  if (cotangent.dtype === 'f16') return toF32(cotangent);
  throw new DtypeError(op, `a cotangent is ${cotangent.dtype}; it must be f32.`, {
    mend: 'cast it: toF32(cotangent).',
  });
}

/** Nodes on paths from `targets` to `roots`, inputs first. */
function dependents(roots: readonly Tensor[], targets: ReadonlySet<Tensor>): Tensor[] {
  const depends = new Map<Tensor, boolean>();
  const order: Tensor[] = [];
  const visit = (tensor: Tensor) => {
    const through = tensor.inputs.some((one) => depends.get(one) === true);
    const does = targets.has(tensor) || (through && isFloat(tensor.dtype));
    depends.set(tensor, does);
    if (does) order.push(tensor);
  };
  for (const root of roots) {
    postOrder(
      root,
      (tensor) => tensor.inputs,
      (tensor) => depends.has(tensor),
      visit,
    );
  }
  return order;
}

function flatten(tree: unknown, into: Tensor[]): Tensor[] {
  if (tree instanceof Tensor) into.push(tree);
  else if (Array.isArray(tree)) for (const item of tree) flatten(item, into);
  else if (typeof tree === 'object' && tree !== null) for (const item of Object.values(tree)) flatten(item, into);
  else throw new GradientError('grad', `what to differentiate by holds ${String(tree)}, not a Tensor.`);
  return into;
}

function rebuild(tree: TensorTree, leaves: readonly Tensor[], at: { next: number }): unknown {
  if (tree instanceof Tensor) return leaves[at.next++];
  if (Array.isArray(tree)) return tree.map((item) => rebuild(item as TensorTree, leaves, at));
  return Object.fromEntries(Object.entries(tree).map(([key, item]) => [key, rebuild(item, leaves, at)]));
}
