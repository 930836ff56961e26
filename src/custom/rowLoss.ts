import type { Device } from '../device/device.js';
import { type Load, type Lowering, type LoweringContext, lowering } from '../graph/lowering.js';
import type { Attributes, KernelOp } from '../graph/op.js';
import { Tensor } from '../graph/tensor.js';
import type { WgslModule } from '../kernels/wgslModule.js';
import { type ComplaintAttributes, complaintsOf, type Limits } from './complaints.js';
import { gradientsBy, secondGradients } from './derived.js';
import type { RowHostQuestion, RowHostVariant } from './rowHost.js';

/** What is known of a loss by its declaration. */
export interface RowLossParts {
  readonly name: string;
  readonly wgsl: WgslModule;
  /** In the order of the WGSL's `struct Parameters`. */
  readonly parameters: readonly string[];
  /** The range of each parameter that has one. */
  readonly limits: Readonly<Record<string, Limits>>;
}

/** How a kind of target (labels, soft rows) gets its rows computed. */
export interface RowKind {
  /** Part of the ops' names. */
  readonly name: string;
  /** Names of the inputs between the logits and the parameters, in the order of the op's inputs. */
  readonly operands: readonly string[];
  /** The values in public ops, for derivatives that the WGSL does not give; `what` asks for them. */
  readonly defined: (inputs: readonly Tensor[], attributes: Attributes, what: string) => Tensor;
  readonly variants: RowHostQuestion;
  /** Of an operand by its name, for rows of so many classes. */
  readonly extents: (operand: string, rows: number, classes: number) => readonly number[];
  readonly uniforms: (attributes: Attributes) => Readonly<Record<string, number>>;
  readonly replace: Readonly<Record<string, string>>;
}

/** A loss for one kind of target. */
export interface RowLoss {
  readonly parts: RowLossParts;
  readonly kind: RowKind;
  /** The value of each row, `[rows]`; inputs are the logits `[rows, classes]`, the operands, the parameters (0-d each). */
  readonly values: (inputs: readonly Tensor[], attributes: Attributes) => Tensor;
}

/**
 * The two kernel ops of a row loss, its values and its logit gradients. They run as one kernel whenever the
 * cotangent does not depend on the values.
 */
export function rowLossOps(parts: RowLossParts, kind: RowKind): RowLoss {
  const { name, parameters } = parts;
  const operands = ['logits', ...kind.operands, ...parameters];
  const shared = operands.length;
  const family = `rowLoss ${name}${kind.name}`;
  const access = operands.map(() => 'fused' as const);

  const valueOp: KernelOp = {
    name: `${name}${kind.name}.value`,
    kind: 'kernel',
    access,
    family,
    buffersBeside: 1,
    vjp: ({ cotangent, inputs, attributes, needs }) => {
      const [logits] = inputs as [Tensor];
      const wanted = operands.flatMap((_, i) => (i > 0 && needs[i] === true ? [i] : []));
      const gradients: (Tensor | undefined)[] = operands.map(() => undefined);
      if (needs[0] === true)
        gradients[0] = new Tensor(gradientOp, [...inputs, cotangent], logits.shape, 'f32', attributes);
      if (wanted.length > 0) {
        const [first = 0] = wanted;
        const values = kind.defined(inputs, attributes, `the gradient by ${operands[first]}`);
        const rest = gradientsBy(values, inputs, wanted, cotangent);
        for (const i of wanted) gradients[i] = rest[i];
      }
      return gradients;
    },
    lower: (context) => lower(context),
  };

  const gradientOp: KernelOp = {
    name: `${name}${kind.name}.gradient`,
    kind: 'kernel',
    access: [...access, 'fused'],
    family,
    buffersBeside: 1,
    vjp: (context) =>
      secondGradients(kind.defined(context.inputs, context.attributes, 'the second derivative'), 0, context),
    lower: (context) => lower(context),
  };

  function lower({ node, nodes, device, choose }: LoweringContext): Lowering {
    const value = nodes.get(valueOp.name);
    const gradient = nodes.get(gradientOp.name);
    const [logits, ...rest] = node.inputs as [Tensor, ...Tensor[]];
    const [rows = 0, classes = 0] = logits.shape;
    const wanted = [...(value ? ['value'] : []), ...(gradient ? ['gradient'] : [])].join('+');
    return lowerRows(parts, kind, {
      device,
      attributes: node.attributes,
      inputs: rest.slice(0, shared - 1),
      cotangent: gradient?.inputs.at(-1),
      chunk: { first: 0, rows, of: rows, classes },
      host: choose(kind.variants(device, `${name}${kind.name} ${wanted}`, rows, classes)),
      value,
      logits,
      gradient,
    });
  }

  return {
    parts,
    kind,
    values: (inputs, attributes) => {
      const [logits] = inputs as [Tensor];
      return new Tensor(valueOp, inputs, logits.shape.slice(0, 1), 'f32', attributes);
    },
  };
}

/** One run of a row host: over all rows, or over some with logits and gradients in scratch buffers. */
interface RowsToLower {
  readonly device: Device;
  readonly attributes: Attributes;
  /** The operands and the parameters, of all rows. */
  readonly inputs: readonly Tensor[];
  /** Where the gradient is wanted. */
  readonly cotangent: Tensor | undefined;
  readonly chunk: { readonly first: number; readonly rows: number; readonly of: number; readonly classes: number };
  readonly host: RowHostVariant;
  readonly value: Tensor | undefined;
  /** Undefined: in scratch. */
  readonly logits: Tensor | undefined;
  readonly gradient: Tensor | undefined;
  readonly scratch?: Lowering['scratch'];
}

export function lowerRows({ wgsl, parameters, limits }: RowLossParts, kind: RowKind, given: RowsToLower): Lowering {
  const { device, attributes, inputs, cotangent, chunk, host, value, logits, gradient, scratch } = given;
  const { first, rows, of, classes } = chunk;
  const complaints = complaintsOf(device, attributes as unknown as ComplaintAttributes, classes, parameters, limits);
  const loads: Record<string, Load> =
    logits === undefined ? {} : { load_logits: { tensor: logits, extents: [rows, classes] } };
  [...kind.operands, ...parameters].forEach((operand, i) => {
    const extents = i < kind.operands.length ? kind.extents(operand, of, classes) : [];
    loads[`load_${operand}`] = { tensor: inputs[i] as Tensor, extents };
  });
  const replace: Record<string, string> = {
    ...kind.replace,
    ...complaints.replace,
    WANT_VALUE: `const WANT_VALUE = ${value !== undefined};`,
    WANT_GRADIENT: `const WANT_GRADIENT = ${cotangent !== undefined};`,
    ACCUMULATES: `const ACCUMULATES = ${wgsl.declarations.accumulate !== undefined};`,
    REDUCES: `const REDUCES = ${wgsl.declarations.reduce !== undefined};`,
  };
  if (parameters.length > 0) {
    const fields = parameters.map((parameter) => `load_${parameter}()`);
    replace.loadParameters = `fn loadParameters() -> Parameters { return Parameters(${fields.join(', ')}); }`;
  }
  if (cotangent === undefined) replace.load_cotangent = 'fn load_cotangent(row: u32) -> f32 { return 0.0; }';
  else loads.load_cotangent = { tensor: cotangent, extents: [of] };
  return lowering({
    kernel: host.kernel,
    variant: host.variant,
    loads,
    stores: {
      ...(value === undefined ? {} : { store_value: { tensor: value, extents: [of] } }),
      ...(gradient === undefined ? {} : { store_gradient: { tensor: gradient, extents: [rows, classes] } }),
    },
    uniforms: { rows, classes, firstRow: first, gridWidth: host.workgroups[0], ...kind.uniforms(attributes) },
    overrides: host.overrides,
    ranges: complaints.ranges,
    ...(scratch && { scratch }),
    replace,
    appended: wgsl,
    workgroups: host.workgroups,
    flops: 8 * rows * classes,
  });
}
