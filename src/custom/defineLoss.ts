import { ValueError } from '../errors.js';
import type { Attributes } from '../graph/op.js';
import { sizeOf } from '../graph/shape.js';
import type { TensorData } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import type { WgslModule } from '../kernels/wgslModule.js';
import { divide, multiply, subtract } from '../ops/arithmetic.js';
import { reshapeExactly } from '../ops/broadcast.js';
import { equal, greaterEqual, lessEqual } from '../ops/comparison.js';
import { takeByLabel } from '../ops/gather.js';
import { and, or, where } from '../ops/logical.js';
import { sum } from '../ops/reduce.js';
import { expandDims } from '../ops/shaping.js';
import { logsumexp } from '../ops/softmax.js';
import { type Definition, isSloped, labelRows } from './labelRows.js';
import {
  checkLogits,
  checkOptions,
  type LossOptions,
  type LossParameter,
  numberOrScalar,
  parameterOf,
} from './lossArguments.js';
import { lossModule } from './lossModule.js';
import type { RowLoss } from './rowLoss.js';
import { type Curve, softRows } from './softRows.js';
import { targetsOf } from './targets.js';

export interface LossDeclaration<Parameters extends Record<string, LossParameter>> {
  readonly name: string;
  /** The paper and equation. */
  readonly source: string;
  readonly parameters?: Parameters;
  /** WGSL functions of one row, by the contract of `shaders/losses/row.wgsl`: `finish`, and `gradient` or `slope`. */
  readonly wgsl: WgslModule | string;
  /** The values of the rows in public ops: needed for second derivatives and gradients by parameters. */
  readonly definition?: (
    logits: Tensor,
    labels: Tensor,
    parameters: { readonly [Name in keyof Parameters]: Tensor },
  ) => Tensor;
  /** In the definition's place, for a loss that gives `slope`: the value from c = -log p of the label, elementwise. */
  readonly curve?: (crossEntropy: Tensor, parameters: { readonly [Name in keyof Parameters]: Tensor }) => Tensor;
}

/** A loss's kernels, by the kind of target. */
interface LossRows {
  readonly labels: RowLoss;
  /** Where the loss gives `slope`. */
  readonly soft: RowLoss | undefined;
}

export interface Loss<Parameters extends Record<string, LossParameter> = Record<string, LossParameter>> {
  (
    logits: Tensor,
    target: TensorLike | TensorData,
    options?: LossOptions & { readonly [Name in keyof Parameters]?: TensorLike },
  ): Tensor;
  readonly declaration: LossDeclaration<Parameters>;
  /** @internal */ readonly rows: LossRows;
  /** @internal The loss of logits that come from elsewhere. */
  readonly over: (scores: Scores, target: TensorLike | TensorData, options: LossOptions) => Tensor;
}

/** Where logits come from. */
export interface Scores {
  /** `[...batch, classes]` */
  readonly shape: readonly number[];
  /** The value of each row; `inputs` are those behind the logits. */
  readonly values: (
    rows: RowLoss,
    inputs: readonly Tensor[],
    attributes: Attributes,
    /** Divides by the temperature; `byRow` tensors are `[rows, …]`. */
    cool: (x: Tensor, byRow: boolean) => Tensor,
  ) => Tensor;
}

/**
 * A classification loss from its WGSL: the value of a row of logits, and its gradient. The engine reads the
 * row, reduces, weighs, and differentiates; built-in losses are declared by this very function.
 *
 * @returns `(logits [...batch, classes], target, options) -> Tensor`; the target holds labels `[...batch]`, or, for a
 * loss that gives `slope`, soft targets `[...batch, classes]`.
 * @throws KernelError when the WGSL lacks `finish` or `gradient` (or `slope`), or its `Parameters` disagree with the
 * declaration.
 */
export function defineLoss<Parameters extends Record<string, LossParameter> = Record<never, LossParameter>>(
  declaration: LossDeclaration<Parameters>,
): Loss<Parameters> {
  const { name, parameters = {} as Parameters } = declaration;
  const names = Object.keys(parameters);
  const parts = { name, wgsl: lossModule(name, declaration.wgsl, names), parameters: names, limits: parameters };
  const curve = declaration.curve as Curve | undefined;
  const definition = (declaration.definition as Definition | undefined) ?? (curve && definitionBy(curve));
  const rows = {
    labels: labelRows(parts, definition),
    soft: isSloped(parts.wgsl) ? softRows(parts, curve) : undefined,
  };
  return lossOf({ ...declaration, ...(definition && { definition }) }, rows);
}

function definitionBy(curve: Curve): Definition {
  return (logits, labels, parameters) =>
    curve(subtract(logsumexp(logits, { axes: -1 }), takeByLabel(logits, labels)), parameters);
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
  const { wgsl, definition, curve } = loss.declaration;
  const declaration: LossDeclaration<Parameters> = {
    name,
    source,
    wgsl,
    ...(parameters && { parameters }),
    ...(curve && { curve: (c, own) => curve(c, given(own)) }),
    ...(definition && { definition: (logits, labels, own) => definition(logits, labels, given(own)) }),
  };
  return lossOf(declaration, loss.rows, given);
}

/** @param given of a special case: the parameters of the rows' kernels from its own. */
function lossOf<Parameters extends Record<string, LossParameter>>(
  declaration: LossDeclaration<Parameters>,
  rows: LossRows,
  given?: (own: { readonly [Name in keyof Parameters]: Tensor }) => Readonly<Record<string, Tensor>>,
): Loss<Parameters> {
  const { parameters = {} as Parameters } = declaration;
  const names = Object.keys(parameters);
  const op = `losses.${declaration.name}`;
  const over = (scores: Scores, target: TensorLike | TensorData, options: LossOptions & Record<string, unknown>) => {
    checkOptions(op, options, names);
    const { reduction = 'mean' } = options;
    const temperature = numberOrScalar(op, 'temperature', options.temperature ?? 1);
    const batch = scores.shape.slice(0, -1);
    const { kind, operands, weights, total, ignored, ...found } = targetsOf(op, target, scores.shape, options);
    const attributes = { ...found.attributes, ...(given && ownRange(parameters)) };
    const own = Object.fromEntries(
      names.map((key) => [key, parameterOf(op, key, parameters[key] as LossParameter, options[key])]),
    ) as { readonly [Name in keyof Parameters]: Tensor };
    const compute = rows[kind];
    if (compute === undefined) throw withoutSlope(op);
    const resolved: Readonly<Record<string, Tensor>> =
      given === undefined ? own : given(withinRanges(own, parameters, options));
    const inputs = [...operands, ...compute.parts.parameters.map((name) => resolved[name] as Tensor)];
    const cool = (x: Tensor, byRow: boolean) => cooled(x, temperature, byRow ? ignored : undefined);
    const values = scores.values(compute, inputs, attributes, cool);
    const weighed = weights === undefined ? values : multiply(values, weights);
    if (reduction === 'none') return reshapeExactly(weighed, batch);
    if (reduction === 'sum') return sum(weighed);
    if (sizeOf(batch) === 0) console.warn(`${op}: the batch is empty: its mean is NaN.`);
    return divide(sum(weighed), total);
  };
  const call = (logits: Tensor, target: TensorLike | TensorData, options: LossOptions = {}) =>
    over(scoresOf(checkLogits(op, logits)), target, options as LossOptions & Record<string, unknown>);
  return Object.assign(call, { declaration, rows, over }) as Loss<Parameters>;
}

/** What a special case's complaints say of its parameter. It has one, if any. */
function ownRange(parameters: Readonly<Record<string, LossParameter>>) {
  const [first] = Object.entries(parameters);
  if (first === undefined) return {};
  const [own, { min, max }] = first;
  return { own, min, max };
}

/** A tensor that leaves its range is NaN from here on, which the kernel finds out of any. */
function withinRanges<Own extends Readonly<Record<string, Tensor>>>(
  own: Own,
  parameters: Readonly<Record<string, LossParameter>>,
  options: Readonly<Record<string, unknown>>,
): Own {
  const checked = Object.entries(own).map(([name, value]) => {
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = parameters[name] ?? {};
    if (!(options[name] instanceof Tensor)) return [name, value];
    return [name, where(and(greaterEqual(value, min), lessEqual(value, max)), value, Number.NaN)];
  });
  return Object.fromEntries(checked);
}

function scoresOf(logits: Tensor): Scores {
  const { shape } = logits;
  const flat = [sizeOf(shape.slice(0, -1)), shape.at(-1) ?? 0];
  return {
    shape,
    values: (rows, inputs, attributes, cool) =>
      rows.values([cool(reshapeExactly(logits, flat), true), ...inputs], attributes),
  };
}

function withoutSlope(op: string): ValueError {
  return new ValueError(op, "soft targets need a loss of the label's probability alone; its WGSL gives no slope.", {
    mend: 'write fn slope(row: Row, parameters: Parameters) -> f32, its derivative by row.crossEntropy, instead of gradient.',
  });
}

/** Masks of -Infinity, and an ignored row's logits (NaN, say), times 0 would reach the gradient by the temperature. */
function cooled(x: Tensor, temperature: Tensor | number, ignored: Tensor | undefined): Tensor {
  if (temperature === 1) return x;
  if (typeof temperature === 'number') return divide(x, temperature);
  const isMask = equal(x, Number.NEGATIVE_INFINITY);
  const isCut = ignored === undefined ? isMask : or(isMask, expandDims(ignored, -1));
  return where(isCut, x, divide(where(isCut, 0, x), temperature));
}
