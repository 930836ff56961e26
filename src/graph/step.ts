import { type CotangentError, formatShape, ValueError } from '../errors.js';
import type { TuneOptions } from '../kernels/tuner.js';
import { findAnomaly } from './anomaly.js';
import { fitsSpec, type InputSpec } from './compiledInput.js';
import { type TypedArray, typedArray } from './dtype.js';
import type { Effect } from './effect.js';
import { bytesOf } from './encoding.js';
import type { Engine } from './engine.js';
import { describeProgram } from './explain.js';
import type { HostArray } from './hostArray.js';
import { isLeaf } from './ir.js';
import type { BufferRange } from './lowering.js';
import { OutputRing } from './outputRing.js';
import { Parameter, parameterBelow } from './parameter.js';
import { type Part, type Program, programOf } from './program.js';
import { type DispatchTimer, Recorder } from './recorder.js';
import { firstError } from './reports.js';
import { untracked } from './scope.js';
import type { Storage } from './storage.js';
import { Temporaries } from './temporaries.js';
import { isNumber, numberOf, Tensor } from './tensor.js';
import { outsideOf, type Trace } from './trace.js';
import { type Leaves, mapTree } from './tree.js';
import { tuneParts } from './tuneParts.js';

/** What a step hands back is what it was in that step: an input, a scalar's number, what a repeat left. */
function isOfThisStep({ source }: Tensor): boolean {
  return source?.kind === 'placeholder' || source?.kind === 'scalar' || source?.kind === 'repeated';
}

/** The program has given it its place. */
function isOfARepeat({ source }: Tensor): boolean {
  return source?.kind === 'carried' || source?.kind === 'repeated';
}

/**
 * Lazy results that the body captured are computed once, now. One that reads a parameter is refused: it would keep the
 * parameter's value of today, which nobody who wrote it means.
 */
function settleCaptured(owner: Engine, name: string, trace: Trace, outputs: readonly Tensor[]): void {
  const captured = [...outsideOf(trace, outputs)].filter((tensor) => !isLeaf(tensor));
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
  untracked(() => owner.compute(captured));
}

/** One signature's plan with its buffers: executing it allocates nothing but the output's handles. */
export class Step<Result> {
  readonly program: Program;
  readonly #engine: Engine;
  readonly #name: string;
  readonly #trace: Trace;
  readonly #specs: readonly InputSpec[];
  readonly #structure: string;
  readonly #result: Result;
  readonly #effects: readonly Effect[];
  readonly #parts: readonly Part[];
  /** What all parts read, each once. */
  readonly #leaves: readonly Tensor[];
  readonly #recorder: Recorder;
  readonly #temporaries: Temporaries;
  readonly #outputs: readonly Tensor[];
  readonly #inputs: (Storage | undefined)[];
  /** The id of the tensor that an input's buffer holds; 0 for other data. Ids, so that no tensor is kept alive. */
  readonly #held: number[];
  readonly #results: readonly Storage[];
  readonly #rings: readonly OutputRing[];
  /** The tuner's revision and mode that the plans were made with. */
  readonly #choices: string;
  /** All that it holds on the GPU but the rings, which outlive it while their values are held. */
  readonly #memory: readonly Pick<Storage, 'free'>[];
  #bound = false;
  /** What the bind groups hold of captured tensors; a tensor that has moved since needs new ones. */
  #captured: { readonly leaf: Tensor; readonly storage: Storage }[] = [];
  /** What the GPU has yet to say of the first execution's kernels; undefined once they were found right. */
  #compiled: Promise<CotangentError | undefined> | undefined;
  #checked = false;
  readonly #scratchNumber = new Float32Array(1);

  constructor(
    owner: Engine,
    name: string,
    trace: Trace,
    specs: readonly InputSpec[],
    structure: string,
    result: Result,
    tune = owner.tuner.options.tune,
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
    this.#effects = trace.allEffects;
    this.#temporaries = new Temporaries(owner.options.anomaly);
    const leaf = (tensor: Tensor) => this.#leaf(tensor);
    const surroundings = { engine: owner, name, temporaries: this.#temporaries, leaf, tune };
    this.program = programOf(surroundings, trace, this.#outputs);
    this.#choices = `${owner.tuner.revision} ${tune}`;
    this.#temporaries.allocate(owner, `${name} temporary`);
    this.#parts = this.program.allParts;
    const executables = this.#parts.map(({ executable }) => executable);
    this.#recorder = new Recorder(owner.device, owner.pacing.workload, executables);
    this.#leaves = [...new Set(this.program.allLeaves)];
    const used = new Set(this.#leaves.map(({ source }) => (source?.kind === 'placeholder' ? source.index : undefined)));
    this.#inputs = specs.map((spec, index) =>
      used.has(index)
        ? owner.heap.allocate(bytesOf(spec, owner.device), 'inputs', `${name} input ${index}`)
        : undefined,
    );
    this.#held = specs.map(() => 0);
    this.#results = this.#outputs.map((tensor) => this.program.place(tensor));
    this.#rings = this.#outputs.map((tensor) => new OutputRing(owner, name, tensor));
    const inputs = this.#inputs.filter((storage) => storage !== undefined);
    this.#memory = [...inputs, ...this.#temporaries.storages, ...this.program.memory];
    owner.heap.hold(this, this.#memory);
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

  #leaf(leaf: Tensor): BufferRange {
    if (leaf.source?.kind === 'placeholder') return this.#inputs[leaf.source.index] as Storage;
    return isOfARepeat(leaf) ? (leaf.storage as Storage) : this.#engine.heap.materialise(leaf);
  }

  explain(): string {
    return describeProgram(this.program, this.#name, this.#temporaries.sizes);
  }

  /**
   * Asks the tuner, which may time kernels.
   * @returns whether other kernels may be chosen now: then `remade` has them. What has run keeps its kernels, for of
   * one step all runs give the same bits.
   */
  async tune({ tune, tuningBudgetMs }: Required<TuneOptions>): Promise<boolean> {
    const { device, tuner } = this.#engine;
    if (this.#checked) return false;
    if (tune !== 'off') await tuner.read();
    if (tune === 'now') await tuneParts(device, tuner, this.#parts, tuningBudgetMs);
    return !this.#checked && this.#choices !== `${tuner.revision} ${tune}`;
  }

  /** The same step with the kernels that the tuner chooses now, in place of this one. */
  remade(tune: Required<TuneOptions>['tune']): Step<Result> {
    this.dispose();
    return new Step(this.#engine, this.#name, this.#trace, this.#specs, this.#structure, this.#result, tune);
  }

  async prepare(): Promise<void> {
    const { error } = this.#engine.device.errors.scope(this.#name, () => {
      this.#bind();
    });
    await Promise.all(this.#parts.map(({ executable }) => executable.prepare()));
    const failure = await error;
    if (failure !== undefined) throw failure;
  }

  /** Throws what the first execution reported. */
  async report(): Promise<void> {
    const error = await this.#compiled;
    if (error === undefined) return;
    this.#engine.reports.forget(error);
    throw error;
  }

  #bind(): void {
    this.#captured = [];
    for (const leaf of this.#leaves) {
      if (leaf.source?.kind === 'placeholder' || isNumber(leaf.source) || isOfARepeat(leaf)) continue;
      // A first value that is computed now may move others, so all come to lie somewhere before any is bound.
      untracked(() => this.#engine.heap.materialise(leaf));
    }
    for (const leaf of this.#leaves) {
      if (leaf.storage !== undefined) this.#captured.push({ leaf, storage: leaf.storage });
    }
    for (const part of this.#parts) part.bind();
    this.#bound = true;
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

  execute(inputs: readonly unknown[], step: number, timer?: DispatchTimer): Result {
    const owner = this.#engine;
    const { device } = owner;
    owner.pacing.assertRoom(this.#name);
    this.#recorder.timer = timer;
    let report: Promise<CotangentError | undefined> | undefined;
    if (this.#checked) {
      this.#run(inputs);
    } else {
      const { result, error } = device.errors.scope(this.#name, () => {
        const reports = this.#parts.flatMap(({ executable }) => executable.ensurePipelines());
        this.#run(inputs);
        return reports;
      });
      report = firstError([...result, error]);
      this.#expect(report);
      owner.noteFirstStep();
    }
    owner.noteUpdates(this.#effects);
    if (owner.options.anomaly) {
      // Of this execution alone: the next may be sound.
      const anomalies = this.#parts.map(({ plan, bindings, skeleton }) =>
        findAnomaly(device, plan, bindings, skeleton.origins),
      );
      report = firstError([...(this.#compiled === undefined ? [] : [this.#compiled]), ...anomalies]);
    }
    // The next read waits for it, whatever it reads.
    if (report !== undefined) owner.reports.watch(report);
    // The first time holds the compiler's as well.
    owner.pacing.submitted(this.#checked ? this.program.assumed : undefined);
    this.#checked = true;
    return this.#handles(step, report ?? this.#compiled);
  }

  /** The result with this execution's values in it. */
  #handles(step: number, failure: Promise<CotangentError | undefined> | undefined): Result {
    const only = this.#rings[0];
    // The usual step returns its loss alone.
    if (only !== undefined && (this.#result as unknown) === only.tensor) return only.handle(step, failure) as Result;
    const handles = new Map(this.#rings.map((ring) => [ring.tensor, ring.handle(step, failure)]));
    return mapTree(this.#result, (leaf) => (leaf instanceof Tensor ? (handles.get(leaf) ?? leaf) : leaf)) as Result;
  }

  #expect(report: Promise<CotangentError | undefined>): void {
    this.#compiled = report;
    void report.then((error) => {
      if (error === undefined) this.#compiled = undefined;
    });
  }

  #run(inputs: readonly unknown[]): void {
    if (!this.#bound || this.#hasMoved()) this.#bind();
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i];
      if (input instanceof Tensor && !isNumber(input.source)) this.#engine.heap.materialise(input);
    }
    const recorder = this.#recorder;
    try {
      for (let i = 0; i < inputs.length; i++) this.#input(i, inputs[i]);
      this.program.run(recorder);
    } catch (error) {
      recorder.reset();
      // Inputs that were to be copied have not been.
      this.#held.fill(0);
      throw error;
    }
    for (let i = 0; i < this.#rings.length; i++) {
      const ring = this.#rings[i] as OutputRing;
      recorder.copy(this.#results[i] as Storage, ring.storage.buffer, ring.offsetOf(ring.written++), ring.bytes);
    }
    recorder.submit();
  }

  #input(index: number, value: unknown): void {
    const target = this.#inputs[index];
    // A tensor's value never changes, but for a parameter's.
    const id = value instanceof Tensor && !(value instanceof Parameter) && !isNumber(value.source) ? value.id : 0;
    if (id !== 0 && this.#held[index] === id) return;
    this.#held[index] = id;
    const { queue } = this.#engine.device;
    if (value instanceof Tensor && isNumber(value.source)) {
      const number = numberOf(value.source);
      if (target !== undefined) this.#engine.heap.upload(target, typedArray(value.dtype, 1).fill(number), value.dtype);
      return;
    }
    if (value instanceof Tensor) {
      const from = this.#engine.heap.materialise(value);
      if (target !== undefined)
        this.#recorder.copy(from, target.buffer, target.offset, bytesOf(value, this.#engine.device));
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
    for (const one of this.#memory) one.free();
    for (const { storage } of this.#rings) storage.free();
    this.program.free();
  }
}
