import elementwiseHost from '../../shaders/elementwise/host.wgsl';
import type { Device } from '../device/device.js';
import type { BindingKind } from '../device/pipelines.js';
import { formatShape, KernelError } from '../errors.js';
import { type KernelBinding, type SpecialisedKernel, specialise } from '../kernels/specialise.js';
import type { ChoiceOrigin, Choose, VariantQuestion } from '../kernels/variants.js';
import type { WgslModule } from '../kernels/wgslModule.js';
import { foldGrid } from '../kernels/workgroups.js';
import { type ChainField, type ChainValue, Composer } from './compose.js';
import { elementType } from './dtype.js';
import type { Sink } from './effect.js';
import { bytesOf } from './encoding.js';
import type { Fusion, Group } from './fusion.js';
import type { Ir, Operand, Value } from './ir.js';
import type { BufferRange, Lowering, UniformValue } from './lowering.js';
import type { KernelOp } from './op.js';
import type { Tensor } from './tensor.js';
import type { AskedQuestion } from './trial.js';

/** What a binding of a dispatch stands for; the executable finds the buffer. */
export type BindingSource =
  | { readonly kind: 'uniform'; readonly block: number }
  | { readonly kind: 'value'; readonly value: Value }
  /** `touched`: the bytes of it that the dispatch reads, or reads and writes. */
  | { readonly kind: 'range'; readonly range: BufferRange; readonly touched: number }
  | { readonly kind: 'scratch'; readonly slot: number; readonly bytes: number };

export interface UniformField {
  readonly offset: number;
  readonly type: 'u32' | 'i32' | 'f32';
  readonly value: UniformValue | ChainValue;
}

export interface UniformBlock {
  readonly bytes: number;
  readonly fields: readonly UniformField[];
}

export interface PlannedDispatch {
  readonly label: string;
  readonly variant: string | undefined;
  /** Of the variant; undefined where there is one alone. */
  readonly origin: ChoiceOrigin | undefined;
  readonly code: string;
  readonly entryPoint: string;
  readonly lineMap: SpecialisedKernel['lineMap'];
  readonly constants: Readonly<Record<string, number>>;
  readonly signature: readonly BindingKind[];
  readonly sources: readonly BindingSource[];
  readonly workgroups: readonly [number, number, number];
  readonly flops: number;
  /** Read and written. */
  readonly bytes: number;
  readonly reads: readonly Value[];
  readonly writes: readonly Value[];
  readonly refusals: readonly string[];
}

/** On a CPU adapter: so many workgroups keep all cores busy, and beyond so many runs one more saves nothing. */
const SOFTWARE_WORKGROUPS = 32;
const SOFTWARE_ITEMS = 64;

/** Lowers groups to dispatches, collecting uniform blocks and scratch buffers on the way. */
export class DispatchBuilder {
  readonly dispatches: PlannedDispatch[] = [];
  readonly blocks: UniformBlock[] = [];
  /** Bytes of each scratch buffer. */
  readonly scratch: number[] = [];
  /** What was asked about variants. */
  readonly questions: AskedQuestion[] = [];
  readonly #scratchSlots = new Map<string, number>();
  readonly #device: Device;
  readonly #ir: Ir;
  readonly #fusion: Fusion;
  readonly #sinks: ReadonlyMap<Value, Sink>;
  readonly #choose: Choose;

  constructor(device: Device, ir: Ir, fusion: Fusion, sinks: ReadonlyMap<Value, Sink>, choose: Choose) {
    this.#device = device;
    this.#ir = ir;
    this.#fusion = fusion;
    this.#sinks = sinks;
    this.#choose = choose;
  }

  group(group: Group): void {
    const [anchor] = group.anchors;
    if (anchor === undefined) this.#elementwise(group);
    else this.#kernel(group, anchor);
  }

  #elementwise(group: Group): void {
    const stored = [...group.members].filter((value) => this.#leaves(value));
    if (group.elements === 0 || stored.length === 0) return;
    const workgroupSize = 64;
    const runs = Math.ceil(group.elements / workgroupSize);
    const { facts } = this.#device;
    const items = facts.software ? Math.min(Math.ceil(runs / SOFTWARE_WORKGROUPS), SOFTWARE_ITEMS) : 1;
    const composer = this.#composer(group);
    const body = composer.storeHook('body', ['index'], undefined, undefined, stored, [group.elements]);
    const workgroups = foldGrid(Math.ceil(runs / items));
    this.#dispatch({
      group,
      lowering: {
        kernel: elementwiseHost as WgslModule,
        uniforms: { count: group.elements, gridWidth: workgroups[0], items },
        overrides: { WORKGROUP_SIZE: workgroupSize },
        workgroups,
        flops: group.elements * group.members.size,
      },
      composer,
      hooks: { body },
      dropped: new Set(),
      label: this.#label(group),
    });
  }

  #kernel(group: Group, anchor: Value): void {
    const op = anchor.tensor.op as KernelOp;
    const nodes = new Map(group.anchors.map(({ tensor }) => [tensor.op.name, tensor]));
    let asked: VariantQuestion | undefined;
    let origin: ChoiceOrigin | undefined;
    const lowered = op.lower({
      device: this.#device,
      node: anchor.tensor,
      nodes,
      inputs: anchor.tensor.inputs,
      viewOf: (tensor) => this.#ir.operandFor(anchor, tensor).view,
      choose: (question) => {
        const choice = this.#choose(question);
        asked = question;
        origin = choice.origin;
        return choice.variant;
      },
    });
    const list: readonly Lowering[] = Array.isArray(lowered) ? lowered : [lowered as Lowering];
    if (asked !== undefined) {
      const flops = list.reduce((sum, one) => sum + (one.flops ?? 0), 0);
      this.questions.push({ question: asked, anchors: group.anchors, flops });
    }
    for (const lowering of list) {
      const [x, y, z] = lowering.workgroups;
      this.#checkGrid(op.name, anchor, lowering.workgroups);
      if (x * y * z > 0) this.#lowered(group, lowering, origin);
    }
  }

  #checkGrid(op: string, anchor: Value, workgroups: readonly number[]): void {
    const limit = this.#device.limits.maxComputeWorkgroupsPerDimension;
    if (workgroups.every((count) => count <= limit)) return;
    throw new KernelError(
      op,
      `its output ${formatShape(anchor.tensor.shape)} needs ${workgroups.join(' x ')} workgroups; ` +
        `maxComputeWorkgroupsPerDimension is ${limit}.`,
      { mend: 'split the batch, or the largest axis.' },
    );
  }

  #lowered(group: Group, lowering: Lowering, origin: ChoiceOrigin | undefined): void {
    const { kernel } = lowering;
    const composer = this.#composer(group);
    const hooks: Record<string, string> = {};
    const dropped = new Set<string>();
    const functions = { ...collectFunctions(kernel), ...lowering.appended?.functions };
    const signatureOf = (name: string) => {
      const found = functions[name];
      if (found === undefined) throw new KernelError(kernel.name, `there is no hook '${name}'.`);
      return found;
    };
    const added: string[] = [];
    for (const [name, load] of Object.entries(lowering.loads ?? {})) {
      const operand = this.#operandOf(group, load.tensor);
      const known = functions[name];
      if (known === undefined) {
        // A hook that only replaced declarations call (a loss's parameter).
        const type = elementType(load.tensor.dtype);
        added.push(composer.loadHook(name, ['i', 'j', 'k'].slice(0, load.extents.length), type, operand, load.extents));
        continue;
      }
      const names = known.parameters.map((parameter) => parameter.name);
      hooks[name] = composer.loadHook(name, names, known.returns ?? 'f32', operand, load.extents);
    }
    for (const name of Object.keys(functions)) {
      if (!name.startsWith('store_')) continue;
      // A result that goes to a scratch buffer keeps the kernel's own hook, or what the lowering puts in its place.
      const bound = name.replace(/^store_/, '');
      if (lowering.replace?.[name] !== undefined || lowering.scratch?.[bound] !== undefined) continue;
      if (lowering.scratch?.[`${bound}s`] !== undefined) continue;
      const store = lowering.stores?.[name];
      const { parameters } = signatureOf(name);
      const indices = parameters.slice(0, -1).map((parameter) => parameter.name);
      const type = parameters.at(-1)?.type ?? 'f32';
      const target = store === undefined ? undefined : this.#anchorOf(group, store.tensor);
      const stored = target === undefined ? [] : this.#storedWith(group, target);
      hooks[name] = composer.storeHook(name, indices, type, target, stored, store?.extents ?? []);
    }
    for (const name of [...Object.keys(hooks), ...Object.keys(lowering.replace ?? {})]) {
      for (const binding of bindingsUsedBy(kernel, name)) dropped.add(binding);
    }
    this.#dispatch({ group, lowering, origin, composer, hooks, added, dropped, label: this.#label(group) });
  }

  /** A dispatch of an effect: it touches only buffers that outlive the plan, scratch, and placed values. */
  effect(lowering: Lowering, label: string): void {
    const composer = new Composer(this.#device, () => false, this.#sinks);
    this.#dispatch({ group: undefined, lowering, composer, hooks: {}, dropped: new Set(), label });
  }

  #composer(group: Group): Composer {
    return new Composer(this.#device, (value) => group.members.has(value) || group.inlined.has(value), this.#sinks);
  }

  #operandOf(group: Group, tensor: Tensor): Operand {
    for (const anchor of group.anchors) {
      const i = anchor.tensor.inputs.indexOf(tensor);
      const operand = anchor.operands[i];
      if (operand !== undefined) return operand;
    }
    return this.#ir.operand(tensor);
  }

  #anchorOf(group: Group, tensor: Tensor): Value {
    const anchor = group.anchors.find((value) => value.tensor === tensor);
    if (anchor === undefined) throw new Error(`${tensor} is no anchor of its group`);
    return anchor;
  }

  /** What an anchor's store hook writes: the anchor itself where it is read elsewhere, and the epilogue. */
  #storedWith(group: Group, anchor: Value): Value[] {
    const members = group.anchors.length === 1 ? [...group.members] : [];
    return [anchor, ...members].filter((value) => this.#leaves(value));
  }

  /** What a group computes, in order. */
  #label({ inlined, anchors, members }: Group): string {
    const values = [...inlined, ...anchors, ...members];
    const updates = values.map((value) => this.#sinks.get(value)?.name).filter((name) => name !== undefined);
    return [...values.map(({ tensor }) => tensor.op.name), ...new Set(updates)].join('+');
  }

  /** Stored, or taken in by an effect. */
  #leaves(value: Value): boolean {
    return this.#sinks.has(value) || this.#fusion.isStored(value);
  }

  #dispatch(parts: {
    group: Group | undefined;
    lowering: Lowering;
    origin?: ChoiceOrigin | undefined;
    composer: Composer;
    hooks: Record<string, string>;
    added?: readonly string[];
    dropped: ReadonlySet<string>;
    label: string;
  }): void {
    const { group, lowering, composer, hooks, label } = parts;
    const { kernel } = lowering;
    const chain = composer.prelude();
    const extra: KernelBinding[] = [...composer.bindings];
    if (chain !== '') extra.push({ name: 'chain', access: 'uniform', type: 'Chain' });
    const specialised = specialise(kernel, {
      replace: { ...lowering.replace, ...hooks, ...composer.replace },
      dropBindings: parts.dropped,
      extraBindings: [...extra, ...(lowering.extra ?? [])],
      includes: [...composer.modules, ...(lowering.includes ?? [])],
      appended: lowering.appended,
      prelude: [chain, ...(parts.added ?? [])].join('\n'),
    });
    const reads = new Set<Value>();
    const writes = new Set<Value>();
    const sources = specialised.bindings.map(({ name, access }): BindingSource => {
      if (name === 'chain') return { kind: 'uniform', block: this.#chainBlock(composer.fields) };
      if (access === 'uniform') return { kind: 'uniform', block: this.#kernelBlock(lowering, name) };
      const range = lowering.ranges?.[name] ?? composer.ranges[name];
      if (range !== undefined) return { kind: 'range', range, touched: composer.touched[name] ?? range.bytes };
      const scratch = lowering.scratch?.[name];
      if (scratch !== undefined) return this.#scratch(`${label} ${group?.id} ${scratch.key}`, scratch.bytes);
      const tensor = lowering.reads?.[name];
      const index = extra.findIndex((binding) => binding.name === name);
      const value = tensor === undefined ? composer.bound[index] : this.#bound(group, tensor);
      if (value === undefined) {
        throw new KernelError(kernel.name, `binding '${name}' was given no buffer by ${label}.`);
      }
      (access === 'read' ? reads : writes).add(value);
      return { kind: 'value', value };
    });
    const values = [...reads, ...writes].reduce((sum, { tensor }) => sum + bytesOf(tensor, this.#device), 0);
    const signature = specialised.bindings.map(({ access }) => access);
    this.dispatches.push({
      label,
      variant: lowering.variant,
      origin: parts.origin,
      code: specialised.code,
      entryPoint: specialised.entryPoint,
      lineMap: specialised.lineMap,
      constants: lowering.overrides ?? {},
      signature,
      sources,
      workgroups: lowering.workgroups,
      flops: lowering.flops ?? 0,
      bytes: values + touchedBytes(sources, signature),
      reads: [...reads],
      writes: [...writes],
      refusals: group?.refusals ?? [],
    });
  }

  #bound(group: Group | undefined, tensor: Tensor): Value {
    const operand = group === undefined ? this.#ir.operand(tensor) : this.#operandOf(group, tensor);
    return operand.value;
  }

  #scratch(key: string, bytes: number): BindingSource {
    let slot = this.#scratchSlots.get(key);
    if (slot === undefined) {
      slot = this.scratch.push(bytes) - 1;
      this.#scratchSlots.set(key, slot);
    }
    return { kind: 'scratch', slot, bytes };
  }

  #kernelBlock(lowering: Lowering, name: string): number {
    const layout = findUniform(lowering.kernel, name);
    const given = lowering.uniforms ?? {};
    const fields: UniformField[] = [];
    for (const [field, value] of Object.entries(given)) {
      const at = layout?.fields[field];
      // `table.3` writes element 3 of an array field: 4 bytes each, for arrays of vec4 rows run on.
      const [, base = '', index = '0'] = /^(.*)\.(\d+)$/.exec(field) ?? [];
      const table = at === undefined ? layout?.fields[base] : undefined;
      const slot = at ?? table;
      if (slot === undefined) {
        throw new KernelError(lowering.kernel.name, `uniform '${name}' has no field '${field}'.`);
      }
      const declared = componentOf(slot.type);
      // Reflection knows the kernel's default Element, not what stands in its place here.
      const type = isElement(lowering, field) ? elementOf(lowering, declared) : declared;
      fields.push({ offset: slot.offset + (at === undefined ? 4 * Number(index) : 0), type, value });
    }
    return this.blocks.push({ bytes: layout?.size ?? 16, fields }) - 1;
  }

  #chainBlock(chain: readonly ChainField[]): number {
    const fields = chain.map(({ type, value }, i): UniformField => ({ offset: 4 * i, type, value }));
    return this.blocks.push({ bytes: Math.max(16, 4 * fields.length), fields }) - 1;
  }
}

/** Of ranges that outlive the plan, what is read, and twice what is read and written. */
function touchedBytes(sources: readonly BindingSource[], signature: readonly BindingKind[]): number {
  return sources.reduce((sum, source, i) => {
    if (source.kind !== 'range') return sum;
    return sum + source.touched * (signature[i] === 'read_write' ? 2 : 1);
  }, 0);
}

/** The scalar inside `u32`, `vec4<f32>`, `array<vec4i, 2>`. */
function componentOf(type: string): UniformField['type'] {
  const [, scalar, short] = /\b([iuf]32)\b|\bvec[234]([iuf])\b/.exec(type) ?? [];
  return (scalar ?? `${short ?? 'f'}32`) as UniformField['type'];
}

/** Whether a kernel declares a uniform field by its alias Element. */
function isElement({ kernel }: Lowering, field: string): boolean {
  return new RegExp(`\\b${field}\\s*:\\s*Element\\b`).test(kernel.code);
}

function elementOf({ replace }: Lowering, otherwise: UniformField['type']): UniformField['type'] {
  const [, replaced] = /alias Element = ([iuf]32)/.exec(replace?.Element ?? '') ?? [];
  return (replaced as UniformField['type'] | undefined) ?? otherwise;
}

function collectFunctions(module: WgslModule): Record<string, WgslModule['functions'][string]> {
  const all: Record<string, WgslModule['functions'][string]> = {};
  for (const include of module.includes) Object.assign(all, collectFunctions(include));
  return Object.assign(all, module.functions);
}

/** Bindings that a hook's own text names: they go when it is replaced. */
function bindingsUsedBy(module: WgslModule, name: string): string[] {
  const declaration = module.declarations[name];
  if (declaration === undefined) return module.includes.flatMap((include) => bindingsUsedBy(include, name));
  const text = module.code.slice(declaration.start, declaration.end);
  return Object.keys(module.bindings).filter(
    (binding) => module.bindings[binding]?.access !== 'uniform' && new RegExp(`\\b${binding}\\s*\\[`).test(text),
  );
}

function findUniform(module: WgslModule, name: string): WgslModule['uniforms'][string] | undefined {
  const own = module.uniforms[name];
  if (own !== undefined) return own;
  for (const include of module.includes) {
    const found = findUniform(include, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
