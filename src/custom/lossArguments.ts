import { checkNames, DtypeError, formatShape, ShapeError, ValueError } from '../errors.js';
import { asTensor, type TensorData } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { reshapeExactly } from '../ops/broadcast.js';

/** A number that a loss depends on, besides its data. */
export interface LossParameter {
  readonly default: number;
  /** Smallest and largest value allowed; default: any. */
  readonly min?: number;
  readonly max?: number;
}

export interface LossOptions {
  /** 'mean' (default) by the sum of weights; 'sum'; or 'none': `[...batch]`. */
  readonly reduction?: 'mean' | 'sum' | 'none';
  /** Logits are divided by it: a number above 0, or 0-d. Default 1. */
  readonly temperature?: TensorLike;
  /** `[...batch]`: each example's weight. */
  readonly sampleWeights?: TensorLike | TensorData;
  /** `[classes]`: the weight of each example by its label. */
  readonly classWeights?: TensorLike | TensorData;
  /** Examples with this label count for nothing. */
  readonly ignoreIndex?: number;
  /** In [0, 1]: this much of each target is spread evenly over all classes, as in PyTorch. Default 0. */
  readonly labelSmoothing?: TensorLike;
  /**
   * Soft targets that do not sum to one are an error of the next read ('error', default), divided by their sum
   * ('normalise'), or taken as they are ('accept').
   */
  readonly targets?: 'error' | 'normalise' | 'accept';
  /**
   * What the GPU looks out for, to be an error of whatever is read next (`data`, `item`, `ready`): 'targets' (default)
   * labels that are no class, soft targets that do not sum to one, parameters out of range; 'all' also NaN in the
   * logits; 'none' nothing: such rows are NaN.
   */
  readonly check?: 'targets' | 'all' | 'none';
}

const OPTIONS = [
  'reduction',
  'temperature',
  'sampleWeights',
  'classWeights',
  'ignoreIndex',
  'labelSmoothing',
  'targets',
  'check',
];

export function checkOptions(op: string, options: Record<string, unknown>, parameters: readonly string[]): void {
  checkNames(op, options, [...OPTIONS, ...parameters]);
  const { reduction = 'mean', ignoreIndex, temperature, labelSmoothing = 0 } = options;
  const { targets = 'error', check = 'targets' } = options;
  if (reduction !== 'mean' && reduction !== 'sum' && reduction !== 'none') {
    throw new ValueError(op, `reduction is '${String(reduction)}'; it must be 'mean', 'sum' or 'none'.`);
  }
  if (ignoreIndex !== undefined && !isI32(ignoreIndex)) {
    throw new ValueError(op, `ignoreIndex is ${String(ignoreIndex)}; it must be an integer of 32 bits.`);
  }
  if (typeof temperature === 'number' && !(temperature > 0)) {
    throw new ValueError(op, `temperature is ${temperature}; it must be above 0.`);
  }
  if (typeof labelSmoothing === 'number' && !(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ValueError(op, `labelSmoothing is ${labelSmoothing}; it must be from 0 to 1.`);
  }
  if (targets !== 'error' && targets !== 'normalise' && targets !== 'accept') {
    throw new ValueError(op, `targets is '${String(targets)}'; it must be 'error', 'normalise' or 'accept'.`);
  }
  if (check !== 'targets' && check !== 'all' && check !== 'none') {
    throw new ValueError(op, `check is '${String(check)}'; it must be 'targets', 'all' or 'none'.`);
  }
}

export function checkLogits(op: string, logits: Tensor): Tensor {
  if (!(logits instanceof Tensor)) throw new DtypeError(op, 'the logits are not a Tensor.');
  logits.assertNotFreed(op);
  if (logits.dtype !== 'f32') {
    throw new DtypeError(op, `the logits are ${logits.dtype}; they must be f32.`, {
      mend: 'cast them: toF32(logits).',
    });
  }
  if (logits.rank === 0) throw new ShapeError(op, 'the logits are 0-d; they need a last axis of classes.');
  return logits;
}

export function parameterOf(
  op: string,
  name: string,
  { default: fallback, min, max }: LossParameter,
  given: unknown,
): Tensor {
  const value = (given ?? fallback) as TensorLike;
  if (typeof value === 'number') {
    if (min !== undefined && !(value >= min))
      throw new ValueError(op, `${name} is ${value}; it must be at least ${min}.`);
    if (max !== undefined && !(value <= max))
      throw new ValueError(op, `${name} is ${value}; it must be at most ${max}.`);
  }
  return scalarOf(op, name, value);
}

/** One number of f32, 0-d: given as one, or as a tensor of one element. */
function scalarOf(op: string, name: string, given: TensorLike): Tensor {
  const tensor = floatsOf(op, name, given);
  if (tensor.size !== 1) throw new ShapeError(op, `${name} is ${formatShape(tensor.shape)}; it must be 0-d.`);
  return reshapeExactly(tensor, []);
}

/** A number, which plans have baked in, as it is; a tensor as one of f32, 0-d. */
export function numberOrScalar(op: string, name: string, given: TensorLike): Tensor | number {
  return typeof given === 'number' ? given : scalarOf(op, name, given);
}

/** A tensor that kernels read as f32. */
export function floatsOf(op: string, name: string, given: TensorLike | TensorData): Tensor {
  const tensor = asTensor(op, given);
  if (tensor.dtype === 'f32') return tensor;
  throw new DtypeError(op, `${name} is ${tensor.dtype}; it must be f32.`, { mend: `cast it: toF32(${name}).` });
}

export function isI32(given: unknown): given is number {
  return Number.isInteger(given) && given === ((given as number) | 0);
}
