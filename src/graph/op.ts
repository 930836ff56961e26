import type { WgslModule } from '../kernels/wgslModule.js';
import type { Lowering, LoweringContext } from './lowering.js';
import type { Shape } from './shape.js';
import type { Tensor } from './tensor.js';
import type { View } from './view.js';

/** Plain data that belongs to a node and is part of its plan's key. */
export type Attribute = number | string | boolean | readonly number[] | undefined;
export type Attributes = Readonly<Record<string, Attribute>>;

/** Attributes as text, no two different ones alike: JSON alone writes NaN and infinities as null, and -0 as 0. */
export function attributesKey(attributes: Attributes): string {
  return JSON.stringify(attributes, (_, value: unknown) =>
    typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
      ? `#${Object.is(value, -0) ? '-0' : value}`
      : value,
  );
}

export interface VjpContext {
  /** The derivative of the root by this node's output; same shape and dtype f32. */
  readonly cotangent: Tensor;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly attributes: Attributes;
  /** Whether anybody wants the cotangent of input `i`; others may be left undefined. */
  readonly needs: readonly boolean[];
}

/**
 * The vector-Jacobian product: one cotangent for each input, in order, written with public ops.
 * `undefined` means no gradient flows there (zero).
 */
export type Vjp = (context: VjpContext) => readonly (Tensor | undefined)[];

interface OpBase {
  readonly name: string;
  /** Absent: asking a gradient through this op is an error that names it. */
  readonly vjp?: Vjp | undefined;
}

/** A leaf: its value is given, not computed. */
export interface SourceOp extends OpBase {
  readonly kind: 'source';
}

/**
 * One WGSL function applied at each element. Inputs have the output's shape (broadcasting is an
 * `expand` in front) or are 0-d constants and scalars.
 */
export interface ElementwiseOp extends OpBase {
  readonly kind: 'elementwise';
  /** Holds the functions `NAME_TYPE`, TYPE being the WGSL type of the last input. */
  readonly module: WgslModule;
}

/** A value that is a function of the element's linear index and of 0-d inputs: nothing is stored or loaded. */
export interface GeneratorOp extends OpBase {
  readonly kind: 'generator';
  readonly module: WgslModule;
  /** The WGSL function: (index: u32, ...inputs) -> element. */
  readonly function: string;
}

/** Another view of the input's elements; costs nothing where strides can say it. */
export interface ViewOp extends OpBase {
  readonly kind: 'view';
  readonly view: (input: View, shape: Shape, attributes: Attributes) => View | undefined;
}

/**
 * How a kernel reads an input:
 * - `fused`: through a load hook that may compute an elementwise chain on the fly;
 * - `hook`: through a load hook, any view of a stored tensor;
 * - `contiguous`: binds the buffer, row-major from its start;
 * - `strided`: binds the buffer and handles the view itself, where `acceptsView` says so.
 */
export type Access = 'fused' | 'hook' | 'contiguous' | 'strided';

/** A hand-written kernel. */
export interface KernelOp extends OpBase {
  readonly kind: 'kernel';
  readonly access: readonly Access[] | ((node: Tensor) => readonly Access[]);
  readonly acceptsView?: (view: View, input: number) => boolean;
  readonly lower: (context: LoweringContext) => Lowering | readonly Lowering[];
  /** Elementwise consumers of the same shape may be computed in the kernel's store hook. */
  readonly epilogue?: boolean;
  /** Storage buffers that its kernel binds beside its inputs and outputs: they count when it is fused. Default 0. */
  readonly buffersBeside?: number;
  /**
   * Its work is several dispatches, of which those with hooks bind none of the inputs without, and of the results what
   * `buffersBeside` counts.
   */
  readonly apart?: boolean;
  /** Nodes with the same `family` become one dispatch, where their inputs agree as far as both have some. */
  readonly family?: string;
  /**
   * Whether the node's kernel can bring along another kernel's node (`nodes` of its lowering holds it then), for it
   * reads what that one reads.
   */
  readonly brings?: (own: Reader, other: Reader) => boolean;
}

/** A node with what it reads, views dissolved. */
export interface Reader {
  readonly tensor: Tensor;
  readonly operands: readonly { readonly value: object; readonly view: View }[];
}

export type Op = SourceOp | ElementwiseOp | GeneratorOp | ViewOp | KernelOp;
