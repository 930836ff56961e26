import { sizeOf } from '../graph/shape.js';
import type { TensorData } from '../graph/source.js';
import type { Tensor, TensorLike } from '../graph/tensor.js';
import type { WgslModule } from '../kernels/wgslModule.js';
import { divide, multiply } from '../ops/arithmetic.js';
import { reshapeExactly } from '../ops/broadcast.js';
import { sum } from '../ops/reduce.js';
import {
  checkLabels,
  checkLogits,
  checkOptions,
  type LossOptions,
  type LossParameter,
  parameterOf,
  weightsOf,
  withoutIgnored,
} from './lossArguments.js';
import { lossModule } from './lossModule.js';
import { type Definition, type RowLoss, rowLossOps } from './rowLoss.js';

export interface LossDeclaration<Parameters extends Record<string, LossParameter>> {
  readonly name: string;
  /** The paper and equation. */
  readonly source: string;
  readonly parameters?: Parameters;
  /** WGSL functions of one row: `finish` and `gradient`, by the contract of `shaders/losses/row.wgsl`. */
  readonly wgsl: WgslModule | string;
  /** The values of the rows in public ops: needed for second derivatives and gradients by parameters. */
  readonly definition?: (
    logits: Tensor,
    labels: Tensor,
    parameters: { readonly [Name in keyof Parameters]: Tensor },
  ) => Tensor;
}

export interface Loss<Parameters extends Record<string, LossParameter> = Record<string, LossParameter>> {
  (
    logits: Tensor,
    labels: TensorLike | TensorData,
    options?: LossOptions & { readonly [Name in keyof Parameters]?: TensorLike },
  ): Tensor;
  readonly declaration: LossDeclaration<Parameters>;
  /** @internal */ readonly rows: RowLoss;
}

/**
 * A classification loss from its WGSL: the value of a row of logits, and its gradient. The engine reads the
 * row, reduces, weighs, and differentiates; built-in losses are declared by this very function.
 *
 * @returns `(logits [...batch, classes], labels [...batch], options) -> Tensor`.
 * @throws KernelError when the WGSL lacks `finish` or `gradient`, or its `Parameters` disagree with the
 * declaration.
 */
export function defineLoss<Parameters extends Record<string, LossParameter> = Record<never, LossParameter>>(
  declaration: LossDeclaration<Parameters>,
): Loss<Parameters> {
  const { name, parameters = {} as Parameters } = declaration;
  const names = Object.keys(parameters);
  const rows = rowLossOps({
    name,
    wgsl: lossModule(name, declaration.wgsl, names),
    parameters: names,
    definition: declaration.definition as Definition | undefined,
  });
  return lossOf(declaration, rows, (given) => given);
}

/**
 * A loss under a name and parameters of its own that another loss computes: cross-entropy is comp-sum at tau = 1.
 *
 * @param given the parameters of `loss` from those of the special case.
 */
export function specialCase<
  Base extends Record<string, LossParameter>,
  Parameters extends Record<string, LossParameter> = Record<never, LossParameter>,
>(
  loss: Loss<Base>,
  { name, source, parameters }: Pick<LossDeclaration<Parameters>, 'name' | 'source' | 'parameters'>,
  given: (own: { readonly [Name in keyof Parameters]: Tensor }) => { readonly [Name in keyof Base]: Tensor },
): Loss<Parameters> {
  const { wgsl, definition } = loss.declaration;
  const declaration: LossDeclaration<Parameters> = {
    name,
    source,
    wgsl,
    ...(parameters && { parameters }),
    ...(definition && { definition: (logits, labels, own) => definition(logits, labels, given(own)) }),
  };
  return lossOf(declaration, loss.rows, given);
}

/** @param resolve the parameters of the rows' kernels from those of the loss. */
function lossOf<Parameters extends Record<string, LossParameter>>(
  declaration: LossDeclaration<Parameters>,
  rows: RowLoss,
  resolve: (own: { readonly [Name in keyof Parameters]: Tensor }) => Readonly<Record<string, Tensor>>,
): Loss<Parameters> {
  const { parameters = {} as Parameters } = declaration;
  const names = Object.keys(parameters);
  const op = `losses.${declaration.name}`;
  const call = (
    logits: Tensor,
    labels: TensorLike | TensorData,
    options: LossOptions & Record<string, unknown> = {},
  ) => {
    checkOptions(op, options, names);
    const { reduction = 'mean', temperature, ignoreIndex } = options;
    const scores = checkLogits(op, logits);
    const batch = scores.shape.slice(0, -1);
    const target = checkLabels(op, labels, batch, scores);
    const own = Object.fromEntries(
      names.map((key) => [key, parameterOf(op, key, parameters[key] as LossParameter, options[key])]),
    ) as { readonly [Name in keyof Parameters]: Tensor };
    const classes = scores.shape.at(-1) ?? 0;
    const scaled = temperature === undefined ? scores : divide(withoutIgnored(scores, target, options), temperature);
    const flat = reshapeExactly(target, [sizeOf(batch)]);
    const values = rows({
      logits: reshapeExactly(scaled, [sizeOf(batch), classes]),
      labels: flat,
      parameters: resolve(own),
      ignoreIndex,
    });
    const weights = weightsOf(op, options, flat, batch, classes);
    const weighed = weights === undefined ? values : multiply(values, weights);
    if (reduction === 'none') return reshapeExactly(weighed, batch);
    if (reduction === 'sum') return sum(weighed);
    if (flat.size === 0) console.warn(`${op}: the batch is empty: its mean is NaN.`);
    return divide(sum(weighed), weights === undefined ? flat.size : sum(weights));
  };
  return Object.assign(call, { declaration, rows }) as Loss<Parameters>;
}
