import longWgsl from '../../shaders/losses/rowHostLong.wgsl';
import shortWgsl from '../../shaders/losses/rowHostShort.wgsl';
import { vjp } from '../autograd/grad.js';
import { GradientError } from '../errors.js';
import { type Lowering, type LoweringContext, lowering } from '../graph/lowering.js';
import type { Attributes, KernelOp } from '../graph/op.js';
import { Tensor } from '../graph/tensor.js';
import type { WgslModule } from '../kernels/wgslModule.js';
import { multiply } from '../ops/arithmetic.js';
import { equal, greaterEqual, less } from '../ops/comparison.js';
import { and, where } from '../ops/logical.js';
import { expandDims } from '../ops/shaping.js';
import { rowHostVariants } from './rowHost.js';

/** The value of each row in public ops, for derivatives that the WGSL does not give. */
export type Definition = (logits: Tensor, labels: Tensor, parameters: Readonly<Record<string, Tensor>>) => Tensor;

export interface RowLossParts {
  readonly name: string;
  readonly wgsl: WgslModule;
  /** In the order of the WGSL's `struct Parameters`. */
  readonly parameters: readonly string[];
  readonly definition: Definition | undefined;
}

export interface RowLossArguments {
  /** `[rows, classes]`, f32. */
  readonly logits: Tensor;
  /** `[rows]`, i32. */
  readonly labels: Tensor;
  /** 0-d each. */
  readonly parameters: Readonly<Record<string, Tensor>>;
  readonly ignoreIndex: number | undefined;
}

/** The value of each row, `[rows]`. */
export type RowLoss = (given: RowLossArguments) => Tensor;

/**
 * The two kernel ops of a row loss, its values and its logit gradients. They run as one kernel whenever the
 * cotangent does not depend on the values.
 */
export function rowLossOps({ name, wgsl, parameters, definition }: RowLossParts): RowLoss {
  const family = `rowLoss ${name}`;
  const shared = 2 + parameters.length;
  const access = ['fused', 'fused', ...parameters.map(() => 'fused' as const)] as const;

  const named = (inputs: readonly Tensor[]) =>
    Object.fromEntries(parameters.map((parameter, i) => [parameter, inputs[2 + i] as Tensor]));

  /** The definition's values, with the rows that the kernels set apart: an ignored one, a label that is no class. */
  const defined = (inputs: readonly Tensor[], { ignoreIndex }: Attributes, what: string): Tensor => {
    if (definition === undefined) {
      throw new GradientError(`losses.${name}`, `${what} needs its definition in public ops, and it has none.`, {
        mend: 'give defineLoss a definition: (logits, labels, parameters) => values of the rows.',
      });
    }
    const [logits, labels] = inputs as [Tensor, Tensor];
    const valuesOf = (scores: Tensor, given: Tensor) => {
      const isClass = and(greaterEqual(given, 0), less(given, logits.shape[1] ?? 0));
      const values = definition(scores, where(isClass, given, 0), named(inputs));
      // A factor rather than a choice: derivatives are NaN with the value.
      return multiply(values, where(isClass, 1, Number.NaN));
    };
    if (typeof ignoreIndex !== 'number') return valuesOf(logits, labels);
    // Zeros in an ignored row's place: whatever stood there (NaN, say) reaches no derivative.
    const ignored = equal(labels, ignoreIndex);
    return where(ignored, 0, valuesOf(where(expandDims(ignored, -1), 0, logits), where(ignored, 0, labels)));
  };

  const valueOp: KernelOp = {
    name: `${name}.value`,
    kind: 'kernel',
    access,
    family,
    shared,
    vjp: ({ cotangent, inputs, attributes, needs }) => {
      const [logits] = inputs as [Tensor];
      const gradient = new Tensor(gradientOp, [...inputs, cotangent], logits.shape, 'f32', attributes);
      const wanted = parameters.flatMap((_, i) => (needs[2 + i] === true ? [2 + i] : []));
      const rest = new Map<number, Tensor>();
      if (wanted.length > 0) {
        const values = defined(inputs, attributes, 'the gradient by a parameter');
        const gradients = vjp(
          values,
          wanted.map((i) => inputs[i] as Tensor),
          cotangent,
        );
        wanted.forEach((i, k) => {
          rest.set(i, gradients[k] as Tensor);
        });
      }
      return [needs[0] === true ? gradient : undefined, undefined, ...parameters.map((_, i) => rest.get(2 + i))];
    },
    lower: (context) => lower(context),
  };

  const gradientOp: KernelOp = {
    name: `${name}.gradient`,
    kind: 'kernel',
    access: [...access, 'fused'],
    family,
    shared,
    vjp: ({ cotangent, inputs, attributes, needs }) => {
      // The gradient is d(sum(upstream * values))/d(logits); its own derivatives come from the definition.
      const upstream = inputs.at(-1) as Tensor;
      const [logits] = inputs as [Tensor];
      const values = defined(inputs, attributes, 'the second derivative');
      const first = vjp(values, logits, upstream);
      const indices = inputs.flatMap((_, i) => (needs[i] === true ? [i] : []));
      const seconds = vjp(
        first,
        indices.map((i) => inputs[i] as Tensor),
        cotangent,
      );
      return inputs.map((_, i) => seconds[indices.indexOf(i)]);
    },
    lower: (context) => lower(context),
  };

  function lower({ node, nodes, device, choose }: LoweringContext): Lowering {
    const value = nodes.get(valueOp.name);
    const gradient = nodes.get(gradientOp.name);
    const inputs = node.inputs;
    const [logits, labels] = inputs as [Tensor, Tensor];
    const [rows = 0, classes = 0] = logits.shape;
    const { ignoreIndex } = node.attributes;
    const wanted = [...(value ? ['value'] : []), ...(gradient ? ['gradient'] : [])].join('+');
    const host = choose(rowHostVariants(device, `${name} ${wanted}`, rows, classes));
    const fields = parameters.map((parameter) => `load_${parameter}()`);
    const loads: Record<string, { tensor: Tensor; extents: number[] }> = {
      load_logits: { tensor: logits, extents: [rows, classes] },
      load_labels: { tensor: labels, extents: [rows] },
    };
    parameters.forEach((parameter, i) => {
      loads[`load_${parameter}`] = { tensor: inputs[2 + i] as Tensor, extents: [] };
    });
    const replace: Record<string, string> = {
      WANT_VALUE: `const WANT_VALUE = ${value !== undefined};`,
      WANT_GRADIENT: `const WANT_GRADIENT = ${gradient !== undefined};`,
      ACCUMULATES: `const ACCUMULATES = ${wgsl.declarations.accumulate !== undefined};`,
      REDUCES: `const REDUCES = ${wgsl.declarations.reduce !== undefined};`,
    };
    if (fields.length > 0) {
      replace.loadParameters = `fn loadParameters() -> Parameters { return Parameters(${fields.join(', ')}); }`;
    }
    if (gradient === undefined) replace.load_cotangent = 'fn load_cotangent(row: u32) -> f32 { return 0.0; }';
    else loads.load_cotangent = { tensor: gradient.inputs.at(-1) as Tensor, extents: [rows] };
    return lowering({
      kernel: host.long ? longWgsl : shortWgsl,
      variant: host.variant,
      loads,
      stores: {
        ...(value === undefined ? {} : { store_value: { tensor: value, extents: [rows] } }),
        ...(gradient === undefined ? {} : { store_gradient: { tensor: gradient, extents: [rows, classes] } }),
      },
      uniforms: {
        rows,
        classes,
        gridWidth: host.workgroups[0],
        hasIgnoreIndex: Number(ignoreIndex !== undefined),
        ignoreIndex: Number(ignoreIndex ?? 0),
      },
      overrides: host.overrides,
      replace,
      appended: wgsl,
      workgroups: host.workgroups,
      flops: 8 * rows * classes,
    });
  }

  return ({ logits, labels, parameters: given, ignoreIndex }) => {
    const inputs = [logits, labels, ...parameters.map((parameter) => given[parameter] as Tensor)];
    return new Tensor(valueOp, inputs, logits.shape.slice(0, 1), 'f32', { ignoreIndex });
  };
}
