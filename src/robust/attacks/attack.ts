import { stopGradient } from '../../autograd/customGradient.js';
import { fromNested } from '../../custom/targets.js';
import { DtypeError, formatShape, ShapeError, ValueError } from '../../errors.js';
import { asTensor, type TensorData } from '../../graph/source.js';
import { Tensor, type TensorLike } from '../../graph/tensor.js';
import { inEvaluation } from '../../nn/inEvaluation.js';
import type { Module } from '../../nn/module.js';
import { toI32 } from '../../ops/casts.js';
import type { Threat } from './threat.js';

/**
 * Inputs `[n, ...item]` to logits `[n, classes]`: a module, or any function of tensors. Only a module can be put in
 * evaluation mode: modules that a function calls keep their own.
 */
export type Classifier = Module | ((x: Tensor) => Tensor);

/**
 * Finds inputs near given ones that a model gets wrong. Works inside `compile`, where it becomes part of the plan, and
 * outside, where it runs at once. A module is in evaluation mode meanwhile; the model's parameters get no gradient, and none
 * flows through what is returned.
 *
 * @param inputs `[n, ...item]`, f32.
 * @param target labels `[n]`, i32 or u32; or soft targets `[n, classes]`, f32.
 * @returns inputs of the same shape, inside the threat's ball and bounds, but for NaN where the input is NaN.
 * @throws ShapeError or DtypeError when inputs, target and logits do not fit.
 */
export interface Attack {
  (model: Classifier, inputs: TensorLike | TensorData, target: TensorLike | TensorData): Tensor;
  /** What it is, for messages: `pgd(linf 0.031, 40 steps)`. */
  readonly description: string;
  /** What it may do. */
  readonly threat: Threat;
  /** Iterations of each of its starts. */
  readonly steps: number;
  /** The same attack with another radius (a step size given as a number grows with it) or number of steps. */
  readonly vary: (changes: { readonly epsilon?: number; readonly steps?: number }) => Attack;
}

/** What is known of a classification at inputs. */
export interface Victim {
  /** The inputs to be attacked, without a gradient. */
  readonly center: Tensor;
  readonly target: Tensor;
  /** Logits of other inputs, checked. */
  readonly logits: (x: Tensor) => Tensor;
}

export interface AttackDeclaration extends Pick<Attack, 'threat' | 'steps' | 'vary'> {
  /** Whose name stands in errors: 'attacks.pgd'. */
  readonly op: string;
  readonly run: (victim: Victim) => Tensor;
}

export function attackOf({ op, run, threat, steps, vary }: AttackDeclaration): Attack {
  const call = (model: Classifier, inputs: TensorLike | TensorData, target: TensorLike | TensorData): Tensor => {
    if (typeof model !== 'function') {
      throw new ValueError(op, `the model is ${String(model)}, not a module or a function.`, {
        mend: 'give the model first: attack(model, inputs, labels).',
      });
    }
    const center = stopGradient(inputsOf(op, inputs));
    const wanted = targetOf(op, target, center);
    const logits = (x: Tensor) => checkedLogits(op, model(x), center, wanted);
    return stopGradient(inEvaluation(model, () => run({ center, target: wanted, logits })));
  };
  const name = op.slice(op.lastIndexOf('.') + 1);
  const description = `${name}(${threat.norm} ${+threat.epsilon.toPrecision(3)}, ${steps} steps)`;
  return Object.assign(call, { description, threat, steps, vary });
}

function inputsOf(op: string, given: TensorLike | TensorData): Tensor {
  const inputs = asTensor(op, given);
  if (inputs.dtype !== 'f32') {
    throw new DtypeError(op, `the inputs are ${inputs.dtype}; they must be f32.`, {
      mend: 'cast them: toF32(inputs).',
    });
  }
  if (inputs.rank >= 2) return inputs;
  throw new ShapeError(op, `the inputs are ${formatShape(inputs.shape)}; they must be [examples, ...item].`, {
    mend: 'give a batch: reshape one example to [1, ...item].',
  });
}

function targetOf(op: string, given: TensorLike | TensorData, inputs: Tensor): Tensor {
  const target = Array.isArray(given) ? fromNested(op, given, 2) : asTensor(op, given, 'i32');
  const isSoft = target.rank === 2 && target.dtype === 'f32';
  if (!isSoft && target.dtype !== 'i32' && target.dtype !== 'u32') {
    throw new DtypeError(op, `the labels are ${target.dtype}; they must be i32 or u32.`, {
      mend: 'cast them: toI32(labels).',
    });
  }
  if (target.shape[0] === inputs.shape[0] && (isSoft || target.rank === 1)) return isSoft ? target : toI32(target);
  throw new ShapeError(
    op,
    `the inputs are ${formatShape(inputs.shape)}, the labels ${formatShape(target.shape)}; labels must be [${inputs.shape[0]}].`,
    { mend: 'give one label for each example.' },
  );
}

function checkedLogits(op: string, logits: Tensor, inputs: Tensor, target: Tensor): Tensor {
  const [examples, classes] = logits instanceof Tensor ? logits.shape : [];
  const fits = logits instanceof Tensor && logits.rank === 2 && examples === inputs.shape[0];
  if (fits && (target.rank === 1 || target.shape[1] === classes)) return logits;
  const found = logits instanceof Tensor ? formatShape(logits.shape) : 'no Tensor';
  const wanted = target.rank === 1 ? `[${inputs.shape[0]}, classes]` : formatShape(target.shape);
  throw new ShapeError(op, `the model gives ${found} for inputs ${formatShape(inputs.shape)}; it must give ${wanted}.`);
}
