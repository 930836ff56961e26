import type { Device } from '../device/device.js';
import type { KernelBinding } from '../kernels/specialise.js';
import type { Variant, VariantQuestion } from '../kernels/variants.js';
import type { WgslModule } from '../kernels/wgslModule.js';
import type { Tensor } from './tensor.js';
import type { View } from './view.js';

/** A number written into a uniform: fixed when the plan is made, or read anew at each execution. */
export type UniformValue = number | (() => number);

/** A range of a buffer that outlives plans: an arena, a parameter, an optimizer's state. */
export interface BufferRange {
  readonly buffer: GPUBuffer;
  /** In bytes, a multiple of 256. */
  readonly offset: number;
  readonly bytes: number;
}

/** A load hook `load_X(i, j, …)`: the tensor's axes, in order, grouped into extents that the parameters index. */
export interface Load {
  readonly tensor: Tensor;
  readonly extents: readonly number[];
}

/** A store hook `store_X(i, j, …, value)` of an anchor's output. */
export interface Store {
  readonly tensor: Tensor;
  readonly extents: readonly number[];
}

/** What an op's `lower` gives for one dispatch. */
export interface Lowering {
  readonly kernel: WgslModule;
  /** Shown by `explain` and in errors. */
  readonly variant?: string;
  readonly loads?: Readonly<Record<string, Load>>;
  /** An output nobody wants is left out: its hook becomes empty and its binding goes. */
  readonly stores?: Readonly<Record<string, Store>>;
  /** Bindings read directly: a tensor's whole buffer (contiguous, or with a view that the kernel handles). */
  readonly reads?: Readonly<Record<string, Tensor>>;
  /** Bindings of buffers that outlive the plan, by the access that the kernel declares. */
  readonly ranges?: Readonly<Record<string, BufferRange>>;
  /** Scratch buffers of this lowering's dispatches, by binding; the same key in two lowerings of one node is the same buffer. */
  readonly scratch?: Readonly<Record<string, { readonly key: string; readonly bytes: number }>>;
  /** Bindings that replaced declarations use and the kernel lacks. */
  readonly extra?: readonly KernelBinding[];
  readonly uniforms?: Readonly<Record<string, UniformValue>>;
  readonly overrides?: Readonly<Record<string, number>>;
  /** Whole declarations by name; the text replaces them. */
  readonly replace?: Readonly<Record<string, string>>;
  /** Modules that replaced declarations call. */
  readonly includes?: readonly WgslModule[];
  /** A file whose declarations take the place of the kernel's same-named defaults (a loss in its host). */
  readonly appended?: WgslModule;
  readonly workgroups: readonly [number, number, number];
  readonly flops?: number;
}

type Bound<Kernel extends WgslModule, Access extends string> = {
  [Name in keyof Kernel['bindings']]: Kernel['bindings'][Name] extends { readonly access: Access } ? Name : never;
}[keyof Kernel['bindings']] &
  string;

/** The hook of a binding: `load_X`, `store_X`; of one in the plural (gradients) `store_gradient` as well. */
type Hook<Prefix extends string, Name extends string> =
  | `${Prefix}_${Name}`
  | (Name extends `${infer One}s` ? `${Prefix}_${One}` : never);

type Fields<Kernel extends WgslModule> = keyof Kernel['uniforms'][keyof Kernel['uniforms']]['fields'] & string;

/** A lowering whose names are those of its kernel's own bindings, hooks, uniform fields and overrides. */
export type LoweringOf<Kernel extends WgslModule> = Omit<
  Lowering,
  'kernel' | 'loads' | 'stores' | 'reads' | 'ranges' | 'scratch' | 'uniforms' | 'overrides'
> & {
  readonly kernel: Kernel;
  readonly loads?: { readonly [Name in Hook<'load', Bound<Kernel, 'read'>>]?: Load };
  readonly stores?: { readonly [Name in Hook<'store', Bound<Kernel, 'read_write'>>]?: Store };
  readonly reads?: { readonly [Name in Bound<Kernel, 'read'>]?: Tensor };
  readonly ranges?: { readonly [Name in Bound<Kernel, 'read' | 'read_write'>]?: BufferRange };
  readonly scratch?: {
    readonly [Name in Bound<Kernel, 'read' | 'read_write'>]?: { readonly key: string; readonly bytes: number };
  };
  readonly uniforms?: { readonly [Name in Fields<Kernel> | `${Fields<Kernel>}.${number}`]?: UniformValue };
  readonly overrides?: { readonly [Name in keyof Kernel['overrides'] & string]?: number };
};

/** Checks a lowering against its kernel, when it is compiled: a misspelt binding or field fails the build. */
export function lowering<Kernel extends WgslModule>(given: LoweringOf<Kernel>): Lowering {
  return given as unknown as Lowering;
}

export interface LoweringContext {
  readonly device: Device;
  /** The node, or for a merged family the first of its nodes. */
  readonly node: Tensor;
  /** All nodes of the dispatch, by op name. */
  readonly nodes: ReadonlyMap<string, Tensor>;
  readonly inputs: readonly Tensor[];
  /** How an input with access `strided` lies in the buffer that `reads` binds. */
  readonly viewOf: (tensor: Tensor) => View;
  /** Which of several variants to run: the tuner's choice where it has one, else the static one. Ask once. */
  readonly choose: <V extends Variant>(question: VariantQuestion<V>) => V;
}
