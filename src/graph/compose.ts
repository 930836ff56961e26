import type { Device } from '../device/device.js';
import type { KernelBinding } from '../kernels/specialise.js';
import type { WgslModule } from '../kernels/wgslModule.js';
import { type DType, elementType } from './dtype.js';
import type { Sink } from './effect.js';
import { storageType } from './encoding.js';
import { isLinear, isUniform, type Operand, type Value } from './ir.js';
import type { BufferRange, UniformValue } from './lowering.js';
import { sizeOf } from './shape.js';
import { collapse, isDense, splitView, type View } from './view.js';

/** A number, one that is read at each execution, or the number that a plan's leaf stands for. */
export type ChainValue = UniformValue | { readonly leaf: number };

/** A field of the uniform block that composed code reads; the block's fields are 4 bytes each, in order. */
export interface ChainField {
  readonly type: 'u32' | 'i32' | 'f32';
  readonly value: ChainValue;
}

/**
 * Where in its domain a piece of composed code stands: variables over groups of axes (`row`, `column`),
 * their extents, and from these the row-major index.
 */
interface Place {
  readonly key: string;
  readonly variables: readonly string[];
  readonly extents: readonly number[];
  /** The linear index, written on demand. */
  linear: string | undefined;
}

/**
 * The one composer of WGSL: it writes the bodies of hooks. A load hook reads a tensor through any view and
 * computes inlined chains; a store hook computes a kernel's epilogue and stores what others need.
 * Everything that depends on sizes goes into uniforms, so that one pipeline serves many shapes.
 */
export class Composer {
  readonly bindings: KernelBinding[] = [];
  /** What each extra binding reads or writes. */
  readonly bound: Value[] = [];
  readonly fields: ChainField[] = [];
  readonly modules = new Set<WgslModule>();
  /** Buffers of the modules' own bindings. */
  readonly ranges: Record<string, BufferRange> = {};
  /** Bytes of those that this kernel touches. */
  readonly touched: Record<string, number> = {};
  /** Declarations of the modules, by name. */
  readonly replace: Record<string, string> = {};
  readonly #device: Device;
  readonly #isComputedHere: (value: Value) => boolean;
  readonly #sinks: ReadonlyMap<Value, Sink>;
  #lines: string[] = [];
  #memo = new Map<string, string>();
  #temporaries = 0;
  #anchor: { readonly value: Value; readonly name: string } | undefined;

  /**
   * @param isComputedHere whether a value is part of this kernel (its members and inlined chains).
   * @param sinks what becomes of values instead of being stored.
   */
  constructor(device: Device, isComputedHere: (value: Value) => boolean, sinks: ReadonlyMap<Value, Sink>) {
    this.#device = device;
    this.#isComputedHere = isComputedHere;
    this.#sinks = sinks;
  }

  /** `fn load_X(row: u32, column: u32) -> f32 {...}` for an operand seen as axes grouped into `extents`. */
  loadHook(
    name: string,
    parameters: readonly string[],
    type: string,
    operand: Operand,
    extents: readonly number[],
  ): string {
    this.#open();
    const place: Place = { key: '', variables: parameters, extents, linear: undefined };
    const read = this.#read(operand, place);
    // Kernels know bools as they lie in buffers: u32, 0 or 1.
    const value = operand.value.tensor.dtype === 'bool' ? `select(0u, 1u, ${read})` : read;
    return this.#close(name, parameters, [], ` -> ${type}`, `return ${value};`);
  }

  /** `fn store_X(row: u32, column: u32, value: f32) {...}`: computes the members that leave the kernel, writes or updates each. */
  storeHook(
    name: string,
    parameters: readonly string[],
    valueType: string | undefined,
    anchor: Value | undefined,
    stored: readonly Value[],
    extents: readonly number[],
  ): string {
    this.#open();
    const given = anchor?.tensor.dtype === 'bool' ? '(value != 0u)' : 'value';
    this.#anchor = anchor === undefined ? undefined : { value: anchor, name: given };
    const place: Place = { key: '', variables: parameters, extents, linear: undefined };
    for (const value of stored) {
      const { dtype } = value.tensor;
      const computed = this.#evaluate(value, place);
      const index = this.#linear(place);
      const sink = this.#sinks.get(value);
      if (sink !== undefined) {
        for (const name of Object.keys(sink.ranges))
          this.touched[name] = (this.touched[name] ?? 0) + 4 * value.tensor.size;
        this.#lines.push(this.#update(sink, index, computed));
        continue;
      }
      const binding = this.#bind(value, 'read_write');
      this.#lines.push(`${binding}[${index}] = ${this.#encoded(dtype, computed)};`);
    }
    this.#anchor = undefined;
    const extra = valueType === undefined ? [] : [`value: ${valueType}`];
    return this.#close(name, parameters, extra, '', '');
  }

  /** An element as its buffer holds it. */
  #encoded(dtype: DType, element: string): string {
    if (dtype === 'bool') return `select(0u, 1u, ${element})`;
    return storageType(dtype, this.#device) === 'f16' ? `f16(${element})` : element;
  }

  #update({ module, replace, ranges, offset, settings }: Sink, index: string, element: string): string {
    this.modules.add(module);
    Object.assign(this.replace, replace);
    Object.assign(this.ranges, ranges);
    const fields = settings.map((value) => this.#setting(value));
    const four = (from: number) => `vec4<f32>(${fields.slice(from, from + 4).join(', ')})`;
    const at = `${this.#field('u32', offset)} + ${index}`;
    return `update(${at}, ${element}, settingsOf(${four(0)}, ${four(4)}));`;
  }

  #setting(value: Sink['settings'][number]): string {
    if (typeof value === 'object') return `${Math.fround(value.constant).toExponential()}f`;
    return this.#fieldOf(value, 'f32', value);
  }

  /** `struct Chain { v0: u32, … }` and its binding, or nothing when no uniform is read. */
  prelude(): string {
    if (this.fields.length === 0) return '';
    const fields = this.fields.map(({ type }, i) => `v${i}: ${type}`);
    return `struct Chain { ${fields.join(', ')} }`;
  }

  #open(): void {
    this.#lines = [];
    this.#memo = new Map();
    this.#temporaries = 0;
  }

  #close(name: string, parameters: readonly string[], extra: readonly string[], returns: string, last: string): string {
    const list = [...parameters.map((parameter) => `${parameter}: u32`), ...extra].join(', ');
    const body = [...this.#lines, last].filter((line) => line !== '').map((line) => `  ${line}\n`);
    return `fn ${name}(${list})${returns} {\n${body.join('')}}`;
  }

  #let(expression: string): string {
    const name = `t${this.#temporaries++}`;
    this.#lines.push(`let ${name} = ${expression};`);
    return name;
  }

  #field(type: ChainField['type'], value: ChainValue): string {
    this.fields.push({ type, value });
    return `chain.v${this.fields.length - 1}`;
  }

  /** One field for all that ask by the same key. */
  #fieldOf(key: unknown, type: ChainField['type'], value: ChainValue): string {
    const known = this.#fields.get(key);
    if (known !== undefined) return known;
    const field = this.#field(type, value);
    this.#fields.set(key, field);
    return field;
  }
  readonly #fields = new Map<unknown, string>();

  #bind(value: Value, access: 'read' | 'read_write'): string {
    const known = this.bound.indexOf(value);
    if (known >= 0) return `buffer${known}`;
    const name = `buffer${this.bound.length}`;
    this.bound.push(value);
    this.bindings.push({ name, access, type: `array<${storageType(value.tensor.dtype, this.#device)}>` });
    return name;
  }

  /** The operand's element at a place, as an expression or a variable of the element's WGSL type. */
  #read(operand: Operand, place: Place): string {
    const { value } = operand;
    if (isUniform(value.tensor)) return this.#uniform(value);
    if (this.#anchor?.value === value) {
      if (!isLinear(operand) || place.key !== '')
        throw new Error(`${value.tensor} was read at a place that its kernel has not made`);
      return this.#anchor.name;
    }
    if (this.#isComputedHere(value) || value.virtual) {
      const at = isLinear(operand) ? place : this.#placeIn(operand, place);
      return this.#evaluate(value, at);
    }
    return this.#remember(`load ${value.position} ${viewKey(operand.view)} ${place.key}`, () => {
      const index = this.#offset(operand.view, place);
      const element = `${this.#bind(value, 'read')}[${index}]`;
      const { dtype } = value.tensor;
      if (storageType(dtype, this.#device) === 'f16') return `f32(${element})`;
      return dtype === 'bool' ? `(${element} != 0u)` : element;
    });
  }

  /** A value computed in this kernel, at a place of its own domain. */
  #evaluate(value: Value, place: Place): string {
    if (this.#anchor?.value === value) return this.#anchor.name;
    const { op, dtype } = value.tensor;
    if (isUniform(value.tensor)) return this.#uniform(value);
    return this.#remember(`value ${value.position} ${place.key}`, () => {
      if (op.kind === 'generator') {
        this.modules.add(op.module);
        const inputs = value.operands.map((operand) => this.#read(operand, place));
        return `${op.function}(${[this.#linear(place), ...inputs].join(', ')})`;
      }
      if (op.kind !== 'elementwise') throw new Error(`${op.name} cannot be computed in a hook`);
      this.modules.add(op.module);
      const inputs = value.operands.map((operand) => this.#read(operand, place));
      const last = value.operands.at(-1)?.value.tensor.dtype ?? dtype;
      return `${op.name}_${last === 'f16' ? 'f32' : last}(${inputs.join(', ')})`;
    });
  }

  #remember(key: string, write: () => string): string {
    const known = this.#memo.get(key);
    if (known !== undefined) return known;
    const name = this.#let(write());
    this.#memo.set(key, name);
    return name;
  }

  #uniform(value: Value): string {
    const { source, dtype } = value.tensor;
    if (source?.kind !== 'uniformLeaf') throw new Error('not a uniform');
    const field = this.#fieldOf(`uniform ${value.position}`, elementType(dtype), { leaf: source.index });
    return dtype === 'bool' ? `(${field} != 0u)` : field;
  }

  /** The place's row-major index. */
  #linear(place: Place): string {
    if (place.linear !== undefined) return place.linear;
    const [first = '0u', ...rest] = place.variables;
    let text = first;
    rest.forEach((variable, i) => {
      const extent = this.#extent(place.extents[i + 1] ?? 1, `${place.key} ${i + 1}`);
      text = `(${text} * ${extent} + ${variable})`;
    });
    place.linear = rest.length === 0 ? text : this.#let(text);
    return place.linear;
  }

  #extent(size: number, key: string): string {
    return this.#fieldOf(`extent ${key} ${size}`, 'u32', size);
  }

  /** Where a view's element at `place` lies in its base, in elements. */
  #offset(view: View, place: Place): string {
    if (isDense(view) && sizeOf(view.shape) === product(place.extents)) {
      const linear = this.#linear(place);
      return view.offset === 0 ? linear : `(${this.#field('u32', view.offset)} + ${linear})`;
    }
    return this.#remember(`offset ${viewKey(view)} ${place.key}`, () => {
      const parts = place.variables.length > 1 ? splitView(view, place.extents) : undefined;
      const terms =
        parts === undefined
          ? this.#terms(collapse(view), this.#linear(place))
          : parts.flatMap((part, i) => this.#terms(part, place.variables[i] ?? '0u'));
      if (view.offset !== 0) terms.unshift(this.#field('u32', view.offset));
      return terms.length === 0 ? '0u' : terms.join(' + ');
    });
  }

  /** `(i / inner % length) * stride` for each axis of a collapsed view. Strides may be negative: u32 wraps. */
  #terms(view: View, variable: string): string[] {
    const terms: string[] = [];
    let inner = 1;
    for (let axis = view.shape.length - 1; axis >= 0; axis--) {
      const length = view.shape[axis] ?? 1;
      const stride = view.strides[axis] ?? 0;
      if (stride !== 0) {
        let text = variable;
        if (inner !== 1) text = `(${text} / ${this.#field('u32', inner)})`;
        if (axis > 0) text = `(${text} % ${this.#field('u32', length)})`;
        terms.push(stride === 1 ? text : `${text} * ${this.#field('u32', stride >>> 0)}`);
      }
      inner *= length;
    }
    return terms;
  }

  /** A place inside the operand's value, for a view that is more than another shape of it. */
  #placeIn(operand: Operand, place: Place): Place {
    const { value, view } = operand;
    const index = this.#offset(view, place);
    const name = this.#remember(`place ${viewKey(view)} ${place.key}`, () => index);
    return {
      key: `${place.key}>${viewKey(view)}`,
      variables: [name],
      extents: [value.tensor.size],
      linear: name,
    };
  }
}

function viewKey(view: View): string {
  return `${view.shape.join('x')}/${view.strides.join(',')}+${view.offset}`;
}

function product(extents: readonly number[]): number {
  return extents.reduce((size, extent) => size * extent, 1);
}
