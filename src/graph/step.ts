import { type CotangentError, formatShape, ValueError } from '../errors.js';
import { findAnomaly } from './anomaly.js';
import { fitsSpec, type InputSpec } from './compiledInput.js';
import { type TypedArray, typedArray } from './dtype.js';
import type { Engine } from './engine.js';
import { type Bindings, Executable, locate } from './executable.js';
import type { HostArray } from './hostArray.js';
import { isLeaf } from './ir.js';
import type { BufferRange } from './lowering.js';
import { OutputRing } from './outputRing.js';
import { Parameter } from './parameter.js';
import { firstError } from './reports.js';
import { sizeOf } from './shape.js';
import { type Skeleton, skeletonOf } from './skeleton.js';
import type { Storage } from './storage.js';
import { isNumber, numberOf, Tensor } from './tensor.js';
import type { Trace } from './trace.js';
import { type Leaves, mapTree } from './tree.js';

/** What a step hands back is what it was in that step: an input, or a scalar's number. */
function isOfThisStep(leaf: Tensor): boolean {
  return leaf.source?.kind === 'placeholder' || leaf.source?.kind === 'scalar';
}

/**
 * Lazy results that the body captured are computed once, now. One that reads a parameter is refused: it would keep the
 * parameter's value of today, which nobody who wrote it means.
 */
function settleCaptured(owner: Engine, name: string, trace: Trace, outputs: readonly Tensor[]): void {
  const roots = [...outputs, ...trace.effects.flatMap(({ inputs }) => inputs)];
  const captured = new Set<Tensor>();
  const seen = new Set<Tensor>();
  for (let stack = [...roots], tensor = stack.pop(); tensor !== undefined; tensor = stack.pop()) {
    if (seen.has(tensor) || isLeaf(tensor)) continue;
    seen.add(tensor);
    if (tensor.id < trace.firstId) captured.add(tensor);
    else stack.push(...tensor.inputs);
  }
  for (const tensor of captured) {
    const parameter = parameterBelow(tensor);
    if (parameter === undefined) continue;
    throw new ValueError(
      name,
      `it captured a result of '${tensor.op.name}' ${formatShape(tensor.shape)}, made outside from parameter '${parameter.name ?? 'unnamed'}'.`,
      {
        callSite: tensor.callSite,
        mend: 'compute it inside the function, or read it before (await result.data()) to keep its value.',
      },
    );
  }
  owner.compute([...captured]);
}

function parameterBelow(root: Tensor): Parameter | undefined {
  const seen = new Set<Tensor>();
  for (let stack = [root], tensor = stack.pop(); tensor !== undefined; tensor = stack.pop()) {
    if (tensor instanceof Parameter) return tensor;
    if (seen.has(tensor) || isLeaf(tensor)) continue;
    seen.add(tensor);
    stack.push(...tensor.inputs);
  }
  return undefined;
}

/** One signature's plan with its buffers: executing it allocates nothing but the output's handles. */
export class Step<Result> {
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
  /** The id of the tensor that an input's buffer holds; 0 for other data. Ids, so that no tensor is kept alive. */
  readonly #held: number[];
  readonly #slots: Storage[];
  readonly #results: Storage[];
  readonly #rings: readonly OutputRing[];
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
      if (leaf instanceof Tensor && (!isLeaf(leaf) || isOfThisStep(leaf))) tensors.add(leaf);
      return leaf;
    });
    this.#outputs = [...tensors];
    settleCaptured(owner, name, trace, this.#outputs);
    this.#skeleton = skeletonOf(this.#outputs, trace.effects);
    this.plan = owner.planFor(this.#skeleton);
    this.#executable = new Executable(owner.device, this.plan);
    const used = new Set(this.#skeleton.leaves);
    const byIndex = new Map<number, Tensor>();
    for (const leaf of used) if (leaf.source?.kind === 'placeholder') byIndex.set(leaf.source.index, leaf);
    this.#inputs = specs.map(({ shape }, index) =>
      byIndex.has(index) ? owner.allocate(4 * sizeOf(shape), 'inputs', `${name} input ${index}`) : undefined,
    );
    this.#held = specs.map(() => 0);
    this.#slots = this.plan.slots.map((bytes) => owner.allocate(bytes, 'temporaries', `${name} temporary`));
    this.#results = this.#outputs.map((tensor) => owner.allocate(4 * tensor.size, 'outputs', `${name} output`));
    this.#rings = this.#outputs.map((tensor) => new OutputRing(owner, name, tensor));
    this.#bindings = {
      leaf: (index) => this.#leaf(index),
      output: (index) => this.#results[index] as Storage,
      slot: (index) => this.#slots[index] as Storage,
    };
  }

  /** False once it writes to buffers that are not its effects' any more: it can never run again. */
  stands(): boolean {
    return this.#trace.stands();
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
    this.#engine.reports.forget(error);
    throw error;
  }

  #bind(): GPUBindGroup[] {
    this.#captured = [];
    for (const leaf of this.#skeleton.leaves) {
      if (leaf.source?.kind === 'placeholder' || isNumber(leaf.source)) continue;
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
      leaf.assertNotFreed(this.#name);
      if (leaf.storage !== storage || storage.freed) return true;
      storage.assertFresh?.(this.#name);
    }
    return false;
  }

  execute(inputs: readonly unknown[], step: number): Result {
    const owner = this.#engine;
    const { device } = owner;
    owner.pacing.assertRoom(this.#name);
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
    owner.noteUpdates(this.#trace.effects);
    if (owner.options.anomaly) {
      this.#expect([findAnomaly(device, this.plan, this.#bindings, this.#skeleton.origins)]);
    }
    owner.pacing.submitted();
    return this.#handles(step);
  }

  /** The result with this execution's values in it. */
  #handles(step: number): Result {
    const [only] = this.#rings;
    // The usual step returns its loss alone.
    if (only !== undefined && (this.#result as unknown) === only.tensor)
      return only.handle(step, this.#report) as Result;
    const handles = new Map(this.#rings.map((ring) => [ring.tensor, ring.handle(step, this.#report)]));
    return mapTree(this.#result, (leaf) => (leaf instanceof Tensor ? (handles.get(leaf) ?? leaf) : leaf)) as Result;
  }

  /** Reports to come: the next read waits for them, whatever it reads. */
  #expect(reports: readonly Promise<CotangentError | undefined>[]): void {
    const report = firstError([...(this.#report === undefined ? [] : [this.#report]), ...reports]);
    this.#report = report;
    this.#engine.reports.watch(report);
    void report.then((error) => {
      if (error === undefined && this.#report === report) this.#report = undefined;
    });
  }

  #run(inputs: readonly unknown[]): void {
    const { device } = this.#engine;
    if (this.#groups === undefined || this.#hasMoved()) this.#groups = this.#bind();
    const groups = this.#groups;
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i];
      if (input instanceof Tensor && !isNumber(input.source)) this.#engine.materialise(input);
    }
    // All that can be refused has been: host state may move on.
    for (const effect of this.#trace.effects) effect.before?.();
    this.#executable.writeUniforms(this.#skeleton.leaves);
    const encoder = device.gpu.createCommandEncoder();
    for (let i = 0; i < inputs.length; i++) this.#input(encoder, i, inputs[i]);
    if (groups.length > 0) {
      const pass = encoder.beginComputePass();
      this.#executable.encode(pass, groups);
      pass.end();
    }
    for (let i = 0; i < this.#rings.length; i++) {
      const ring = this.#rings[i] as OutputRing;
      const value = this.plan.outputs[i];
      const at = ring.offsetOf(ring.written++);
      if (value === undefined || ring.bytes === 0) continue;
      const from = locate(this.plan, value, this.#bindings);
      encoder.copyBufferToBuffer(from.buffer, from.offset, ring.storage.buffer, at, ring.bytes);
    }
    this.#executable.encodeCopies(encoder, this.#bindings);
    device.queue.submit([encoder.finish()]);
  }

  #input(encoder: GPUCommandEncoder, index: number, value: unknown): void {
    const target = this.#inputs[index];
    // A tensor's value never changes, but for a parameter's.
    const id = value instanceof Tensor && !(value instanceof Parameter) && !isNumber(value.source) ? value.id : 0;
    if (id !== 0 && this.#held[index] === id) return;
    this.#held[index] = id;
    const { queue } = this.#engine.device;
    if (value instanceof Tensor && isNumber(value.source)) {
      const number = numberOf(value.source);
      if (target !== undefined) this.#engine.upload(target, typedArray(value.dtype, 1).fill(number));
      return;
    }
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

  dispose(): void {
    for (const storage of [...this.#inputs, ...this.#slots, ...this.#results]) storage?.free();
    for (const { storage } of this.#rings) storage.free();
    this.#executable.destroy();
  }
}
