import { type CotangentError, DtypeError, formatShape, ShapeError, StaleTensorError, ValueError } from '../errors.js';
import { findAnomaly } from './anomaly.js';
import { type DType, dtypeOf, type TypedArray } from './dtype.js';
import { type Engine, engine, firstError } from './engine.js';
import { type Bindings, Executable, locate } from './executable.js';
import { describePlan } from './explain.js';
import type { HostArray } from './hostArray.js';
import { isLeaf } from './ir.js';
import type { BufferRange } from './lowering.js';
import type { SourceOp } from './op.js';
import { type Shape, sameShape, sizeOf } from './shape.js';
import { type Skeleton, skeletonOf } from './skeleton.js';
import { isHostArray, tensor as makeTensor } from './source.js';
import type { Storage } from './storage.js';
import { Tensor, unbounded } from './tensor.js';
import { Trace } from './trace.js';
import { flattenTree, type Leaves, mapTree } from './tree.js';

/** What a compiled function takes where its body sees a Tensor. A number becomes a 0-d f32 input. */
export type Input<T> = T extends Tensor
  ? Tensor | TypedArray | HostArray | number
  : T extends object
    ? { readonly [Key in keyof T]: Input<T[Key]> }
    : T;

export interface CompiledFunction<Arguments extends readonly unknown[], Result> {
  (...inputs: { [I in keyof Arguments]: Input<Arguments[I]> }): Result;
  /** Steps done so far. */
  readonly count: number;
  /** Traces and compiles for inputs like these, without running: pipelines compile in parallel. */
  prepare(...inputs: { [I in keyof Arguments]: Input<Arguments[I]> }): Promise<void>;
  /** Resolves when every step so far is done; rejects with what the GPU reported. */
  ready(): Promise<void>;
  /** The plan in words: each dispatch with its kernel, shapes, bytes, flops and buffers. */
  explain(...inputs: { [I in keyof Arguments]: Input<Arguments[I]> }): string;
  /** Frees its buffers. Outputs not read yet are lost. */
  dispose(): void;
}

export interface CompileOptions {
  /** Names it in errors. Default: the function's name, or 'step'. */
  readonly name?: string;
  /** Plans kept, one for each signature of inputs. Default 16. */
  readonly maximumPlans?: number;
}

const placeholderOp: SourceOp = { name: 'input', kind: 'source' };
const outputOp: SourceOp = { name: 'output', kind: 'source' };

/**
 * Records a function of tensors once for each signature of its inputs (shapes, dtypes, the modes of the
 * layers it calls), and replays it afterwards: one pass and one submit a call, nothing allocated, nothing
 * read back. Parameters and tensors are captured by reference; JavaScript numbers are baked in (use
 * `scalar` for one that changes).
 *
 * Called inside another compiled function, it becomes part of that one.
 */
export function compile<Result>(
  body: (...inputs: Tensor[]) => Result,
  options?: CompileOptions,
): CompiledFunction<Tensor[], Result>;
export function compile<Arguments extends readonly unknown[], Result>(
  body: (...inputs: Arguments) => Result,
  options?: CompileOptions,
): CompiledFunction<Arguments, Result>;
export function compile<Result>(
  body: (...inputs: never[]) => Result,
  options: CompileOptions = {},
): CompiledFunction<never[], Result> {
  if (typeof body !== 'function') {
    throw new ValueError('compile', `it takes a function, not ${body === null ? 'null' : typeof body}.`);
  }
  const compiled = new Compiled(body as (...inputs: unknown[]) => Result, options);
  const call = (...inputs: unknown[]) => compiled.call(inputs);
  Object.defineProperty(call, 'count', { get: () => compiled.count });
  return Object.assign(call, {
    prepare: (...inputs: unknown[]) => compiled.prepare(inputs),
    ready: () => compiled.ready(),
    explain: (...inputs: unknown[]) => compiled.explain(inputs),
    dispose: () => compiled.dispose(),
  }) as unknown as CompiledFunction<never[], Result>;
}

class Compiled<Result> {
  count = 0;
  readonly #body: (...inputs: unknown[]) => Result;
  readonly #name: string;
  readonly #maximumPlans: number;
  #steps: Step<Result>[] = [];
  #evicted = 0;
  #disposed = false;

  constructor(body: (...inputs: unknown[]) => Result, options: CompileOptions) {
    this.#body = body;
    this.#name = options.name ?? (body.name || 'step');
    this.#maximumPlans = options.maximumPlans ?? 16;
  }

  call(inputs: readonly unknown[]): Result {
    const owner = engine(this.#name);
    if (owner.trace !== undefined) return this.#body(...inputs.map((input) => mapTree(input, toTensor)));
    const leaves = flattenTree(inputs);
    const step = this.#step(owner, inputs, leaves);
    const result = step.execute(leaves.values, this.count);
    this.count++;
    return result;
  }

  async prepare(inputs: readonly unknown[]): Promise<void> {
    const owner = engine(this.#name);
    await this.#step(owner, inputs, flattenTree(inputs)).prepare();
  }

  async ready(): Promise<void> {
    const owner = engine(this.#name);
    for (const step of this.#steps) await step.report();
    await owner.ready();
  }

  explain(inputs: readonly unknown[]): string {
    const step = this.#step(engine(this.#name), inputs, flattenTree(inputs));
    return describePlan(step.plan, this.#name);
  }

  dispose(): void {
    for (const step of this.#steps) step.dispose();
    this.#steps = [];
    this.#disposed = true;
  }

  /** The plan for inputs like these; the last one used stands first. */
  #step(owner: Engine, inputs: readonly unknown[], leaves: Leaves): Step<Result> {
    if (this.#disposed) {
      throw new ValueError(this.#name, 'the compiled function was disposed of.', { mend: 'compile it again.' });
    }
    owner.device.assertAlive(this.#name);
    const found = this.#steps.findIndex((step) => step.fits(owner, leaves));
    const step = found < 0 ? this.#trace(owner, inputs, leaves) : (this.#steps[found] as Step<Result>);
    if (found !== 0) {
      if (found > 0) this.#steps.splice(found, 1);
      this.#steps.unshift(step);
      if (this.#steps.length > this.#maximumPlans) {
        this.#steps.pop()?.dispose();
        if (++this.#evicted === 8) {
          console.warn(
            `${this.#name}: inputs of ever new shapes: ${this.#evicted} plans were thrown away. ` +
              'Pad batches to a few sizes, or raise maximumPlans.',
          );
        }
      }
    }
    return step;
  }

  #trace(owner: Engine, inputs: readonly unknown[], leaves: Leaves): Step<Result> {
    const trace = new Trace();
    const specs = leaves.values.map((value) => inputSpec(this.#name, value));
    const placeholders = specs.map(
      ({ shape, dtype }, index) =>
        new Tensor(placeholderOp, [], shape, dtype, undefined, { kind: 'placeholder', index }),
    );
    let next = 0;
    const given = inputs.map((input) => mapTree(input, () => placeholders[next++] as Tensor));
    owner.trace = trace;
    let result: Result;
    try {
      result = unbounded(() => this.#body(...given));
    } finally {
      owner.trace = undefined;
    }
    if (result instanceof Promise) {
      throw new ValueError(this.#name, 'the compiled function returned a promise.', {
        mend: 'await nothing inside it: read values outside, after the step.',
      });
    }
    return new Step(owner, this.#name, trace, specs, leaves.structure, result);
  }
}

interface InputSpec {
  readonly shape: Shape;
  readonly dtype: DType;
}

function inputSpec(name: string, value: unknown): InputSpec {
  if (value instanceof Tensor) return { shape: value.shape, dtype: value.dtype };
  if (typeof value === 'number') return { shape: [], dtype: 'f32' };
  if (ArrayBuffer.isView(value)) {
    const array = value as TypedArray;
    return { shape: [array.length], dtype: dtypeOf(array) };
  }
  if (isHostArray(value)) {
    if (sizeOf(value.shape) !== value.data.length) {
      throw new ShapeError(
        name,
        `an input's shape ${formatShape(value.shape)} has ${sizeOf(value.shape)} elements, its data ${value.data.length}.`,
      );
    }
    return { shape: value.shape, dtype: dtypeOf(value.data) };
  }
  throw new DtypeError(name, `an input is ${value === null ? 'null' : `a ${typeof value}`}.`, {
    mend: 'give Tensors, typed arrays, { data, shape } or numbers.',
  });
}

function toTensor(value: unknown): Tensor {
  return value instanceof Tensor ? value : makeTensor(value as TypedArray);
}

function fitsSpec(value: unknown, { shape, dtype }: InputSpec): boolean {
  if (value instanceof Tensor) return value.dtype === dtype && sameShape(value.shape, shape);
  if (typeof value === 'number') return shape.length === 0 && dtype === 'f32';
  if (ArrayBuffer.isView(value)) {
    const array = value as TypedArray;
    return shape.length === 1 && array.length === shape[0] && matches(array, dtype);
  }
  return (
    isHostArray(value) &&
    matches(value.data, dtype) &&
    sameShape(value.shape, shape) &&
    value.data.length === sizeOf(shape)
  );
}

function matches(array: TypedArray, dtype: DType): boolean {
  if (dtype === 'f32') return array instanceof Float32Array;
  return dtype === 'i32' ? array instanceof Int32Array : array instanceof Uint32Array;
}

/** One output's ring of slots in one buffer. */
interface Ring {
  readonly storage: Storage;
  readonly stride: number;
  readonly slots: number;
}

/** Small outputs can wait long for their reader; large ones would cost memory. */
function ringSlots(bytes: number): number {
  if (bytes <= 1024) return 64;
  return bytes <= 1 << 20 ? 8 : 2;
}

/** One signature's plan with its buffers: executing it allocates nothing but the output's handles. */
class Step<Result> {
  readonly plan: Executable['plan'];
  readonly #engine: Engine;
  readonly #name: string;
  readonly #trace: Trace;
  readonly #specs: readonly InputSpec[];
  readonly #structure: string;
  readonly #result: Result;
  readonly #skeleton: Skeleton;
  readonly #executable: Executable;
  readonly #outputs: readonly Tensor[];
  readonly #inputs: (Storage | undefined)[];
  readonly #slots: Storage[];
  readonly #results: Storage[];
  readonly #rings: Ring[];
  /** Which execution last wrote each ring. */
  #generation = 0;
  #groups: GPUBindGroup[] | undefined;
  /** What the bind groups hold of captured tensors; a tensor that has moved since needs new ones. */
  #captured: { readonly leaf: Tensor; readonly storage: Storage }[] = [];
  /** What the GPU has yet to say of the first execution; undefined once it was found right. */
  #report: Promise<CotangentError | undefined> | undefined;
  #checked = false;
  readonly #scratchNumber = new Float32Array(1);
  readonly #bindings: Bindings;

  constructor(
    owner: Engine,
    name: string,
    trace: Trace,
    specs: readonly InputSpec[],
    structure: string,
    result: Result,
  ) {
    this.#engine = owner;
    this.#name = name;
    this.#trace = trace;
    this.#specs = specs;
    this.#structure = structure;
    this.#result = result;
    const tensors = new Set<Tensor>();
    mapTree(result, (leaf) => {
      // What is on the GPU already (a parameter, a captured tensor) is handed back as it is.
      if (leaf instanceof Tensor && (!isLeaf(leaf) || leaf.source?.kind === 'placeholder')) tensors.add(leaf);
      return leaf;
    });
    this.#outputs = [...tensors];
    this.#skeleton = skeletonOf(this.#outputs, trace.effects);
    this.plan = owner.planFor(this.#skeleton);
    this.#executable = new Executable(owner.device, this.plan);
    const used = new Set(this.#skeleton.leaves);
    const byIndex = new Map<number, Tensor>();
    for (const leaf of used) if (leaf.source?.kind === 'placeholder') byIndex.set(leaf.source.index, leaf);
    this.#inputs = specs.map(({ shape }, index) =>
      byIndex.has(index) ? owner.allocate(4 * sizeOf(shape), 'inputs', `${name} input ${index}`) : undefined,
    );
    this.#slots = this.plan.slots.map((bytes) => owner.allocate(bytes, 'temporaries', `${name} temporary`));
    this.#results = this.#outputs.map((tensor) => owner.allocate(4 * tensor.size, 'outputs', `${name} output`));
    this.#rings = this.#outputs.map((tensor) => {
      const bytes = 4 * tensor.size;
      const stride = Math.max(256, Math.ceil(bytes / 256) * 256);
      const slots = ringSlots(bytes);
      return { stride, slots, storage: owner.allocate(stride * slots, 'outputs', `${name} output ring`) };
    });
    this.#bindings = {
      leaf: (index) => this.#leaf(index),
      output: (index) => this.#results[index] as Storage,
      slot: (index) => this.#slots[index] as Storage,
    };
  }

  fits(owner: Engine, leaves: Leaves): boolean {
    if (owner !== this.#engine || leaves.structure !== this.#structure) return false;
    const specs = this.#specs;
    for (let i = 0; i < specs.length; i++) {
      if (!fitsSpec(leaves.values[i], specs[i] as InputSpec)) return false;
    }
    return this.#trace.holds();
  }

  #leaf(index: number): BufferRange {
    const leaf = this.#skeleton.leaves[index] as Tensor;
    if (leaf.source?.kind === 'placeholder') return this.#inputs[leaf.source.index] as Storage;
    return this.#engine.materialise(leaf);
  }

  async prepare(): Promise<void> {
    const { error } = this.#engine.device.errors.scope(this.#name, () => {
      this.#groups = this.#bind();
    });
    await this.#executable.prepare();
    const failure = await error;
    if (failure !== undefined) throw failure;
  }

  /** Throws what the first execution reported. */
  async report(): Promise<void> {
    const error = await this.#report;
    if (error === undefined) return;
    this.#engine.forget(error);
    throw error;
  }

  #bind(): GPUBindGroup[] {
    this.#captured = [];
    for (const leaf of this.#skeleton.leaves) {
      const kind = leaf.source?.kind;
      if (kind === 'placeholder' || kind === 'constant' || kind === 'scalar') continue;
      // A first value that is computed now may move others, so all come to lie somewhere before any is bound.
      this.#engine.materialise(leaf);
    }
    for (const leaf of this.#skeleton.leaves) {
      if (leaf.storage !== undefined) this.#captured.push({ leaf, storage: leaf.storage });
    }
    return this.#executable.bind(this.#bindings);
  }

  #hasMoved(): boolean {
    for (let i = 0; i < this.#captured.length; i++) {
      const { leaf, storage } = this.#captured[i] as { leaf: Tensor; storage: Storage };
      if (leaf.storage !== storage || storage.freed) return true;
    }
    return false;
  }

  execute(inputs: readonly unknown[], step: number): Result {
    const owner = this.#engine;
    const { device } = owner;
    owner.assertRoom(this.#name);
    if (this.#checked) {
      this.#run(inputs);
    } else {
      const { result, error } = device.errors.scope(this.#name, () => {
        const reports = this.#executable.ensurePipelines();
        this.#run(inputs);
        return reports;
      });
      this.#expect([...result, error]);
      this.#checked = true;
    }
    this.#generation++;
    owner.noteUpdates(this.plan);
    if (owner.options.anomaly) {
      this.#expect([findAnomaly(device, this.plan, this.#bindings, this.#skeleton.origins)]);
    }
    owner.submitted();
    const handles = new Map(this.#outputs.map((tensor, i) => [tensor, this.#handle(tensor, i, step)]));
    return mapTree(this.#result, (leaf) => (leaf instanceof Tensor ? (handles.get(leaf) ?? leaf) : leaf)) as Result;
  }

  /** Reports to come: the next read waits for them, whatever it reads. */
  #expect(reports: readonly Promise<CotangentError | undefined>[]): void {
    const report = firstError([...(this.#report === undefined ? [] : [this.#report]), ...reports]);
    this.#report = report;
    this.#engine.watch(report);
    void report.then((error) => {
      if (error === undefined && this.#report === report) this.#report = undefined;
    });
  }

  #run(inputs: readonly unknown[]): void {
    const { device } = this.#engine;
    for (const effect of this.#trace.effects) effect.before?.();
    if (this.#groups === undefined || this.#hasMoved()) this.#groups = this.#bind();
    const groups = this.#groups;
    this.#executable.writeUniforms(this.#skeleton.leaves);
    const encoder = device.gpu.createCommandEncoder();
    for (let i = 0; i < inputs.length; i++) this.#input(encoder, i, inputs[i]);
    if (groups.length > 0) {
      const pass = encoder.beginComputePass();
      this.#executable.encode(pass, groups);
      pass.end();
    }
    for (let i = 0; i < this.#rings.length; i++) {
      const ring = this.#rings[i] as Ring;
      const value = this.plan.outputs[i];
      const bytes = 4 * (this.#outputs[i] as Tensor).size;
      if (value === undefined || bytes === 0) continue;
      const from = locate(this.plan, value, this.#bindings);
      const at = (this.#generation % ring.slots) * ring.stride;
      encoder.copyBufferToBuffer(from.buffer, from.offset, ring.storage.buffer, at, bytes);
    }
    this.#executable.encodeCopies(encoder, this.#bindings);
    device.queue.submit([encoder.finish()]);
  }

  #input(encoder: GPUCommandEncoder, index: number, value: unknown): void {
    const target = this.#inputs[index];
    const { queue } = this.#engine.device;
    if (value instanceof Tensor) {
      const from = this.#engine.materialise(value);
      if (target !== undefined && value.size > 0) {
        encoder.copyBufferToBuffer(from.buffer, from.offset, target.buffer, target.offset, 4 * value.size);
      }
      return;
    }
    if (target === undefined) return;
    if (typeof value === 'number') {
      this.#scratchNumber[0] = value;
      queue.writeBuffer(target.buffer, target.offset, this.#scratchNumber);
      return;
    }
    const data = ArrayBuffer.isView(value) ? (value as TypedArray) : (value as HostArray).data;
    if (data.length > 0) queue.writeBuffer(target.buffer, target.offset, data as GPUAllowSharedBufferSource);
  }

  #handle(tensor: Tensor, index: number, step: number): Tensor {
    const ring = this.#rings[index] as Ring;
    const generation = this.#generation - 1;
    const current = () => this.#generation;
    const name = this.#name;
    const handle = new Tensor(outputOp, [], tensor.shape, tensor.dtype, undefined, { kind: 'stored' });
    handle.storage = {
      buffer: ring.storage.buffer,
      offset: (generation % ring.slots) * ring.stride,
      bytes: 4 * tensor.size,
      owner: this.#engine,
      failure: this.#report,
      get freed() {
        return ring.storage.freed;
      },
      free() {
        // The ring belongs to the compiled function.
      },
      assertFresh(op: string) {
        if (current() - generation <= ring.slots) return;
        throw new StaleTensorError(
          op,
          `the output of step ${step} of '${name}' was overwritten; the last ${ring.slots} are kept, and ` +
            `${current() - generation - 1} steps have run since.`,
          { mend: 'read it earlier, or keep(tensor) right after the step.' },
        );
      },
    };
    return handle;
  }

  dispose(): void {
    for (const storage of [...this.#inputs, ...this.#slots, ...this.#results]) storage?.free();
    for (const { storage } of this.#rings) storage.free();
    this.#executable.destroy();
  }
}

/** What `compile` would make of a function, in words, without running it. */
export function explain(body: (...inputs: never[]) => unknown, ...inputs: readonly unknown[]): string {
  const compiled = new Compiled(body as (...inputs: unknown[]) => unknown, {});
  try {
    return compiled.explain(inputs);
  } finally {
    compiled.dispose();
  }
}
