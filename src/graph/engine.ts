import type { PooledBuffer } from '../device/buffers.js';
import { Device, type DeviceOptions } from '../device/device.js';
import { type CotangentError, DtypeError, formatShape, ValueError } from '../errors.js';
import { checkTuneOptions, type TuneOptions, Tuner } from '../kernels/tuner.js';
import { identityOf } from '../kernels/tunerChoices.js';
import { pageStore, type TunerStore } from '../kernels/tunerStore.js';
import { findAnomaly } from './anomaly.js';
import { type TypedArray, typedArray, viewBytes } from './dtype.js';
import type { Effect } from './effect.js';
import { Executable, locate, rangeOf } from './executable.js';
import { isLeaf } from './ir.js';
import type { BufferRange } from './lowering.js';
import { Pacing } from './pacing.js';
import { Parameter } from './parameter.js';
import { buildPlan, type Plan } from './plan.js';
import { PlanCache } from './planCache.js';
import { PooledStorage } from './pooledStorage.js';
import { Recorder } from './recorder.js';
import { firstError, Reports } from './reports.js';
import { type Runtime, runtimeInUse, setRuntime } from './runtime.js';
import { track } from './scope.js';
import { isCurrent, type Skeleton, skeletonOf } from './skeleton.js';
import type { Storage } from './storage.js';
import { callSites, clock, isNumber, numberOf, type Tensor } from './tensor.js';
import type { Trace } from './trace.js';
import { Workload } from './workload.js';

export interface EngineOptions extends DeviceOptions, TuneOptions {
  /** False gives every op a dispatch of its own: slow, for comparison. Default true. */
  readonly fusion?: boolean;
  /** False plans every graph anew. Default true. */
  readonly planCache?: boolean;
  /**
   * True checks every intermediate for NaN and infinity after each run, at a large cost, and names the first
   * op that made one, with the line that called it. Default false.
   */
  readonly anomaly?: boolean;
  /** Steps that may be under way before a further one is an error. Default 1024. */
  readonly maximumInFlight?: number;
  /** Where kernel choices are kept. Default: the page's Cache API, if there is one. */
  readonly tunerStore?: TunerStore;
}

/** Who holds GPU memory. */
export type Owner = 'tensors' | 'parameters' | 'optimizers' | 'inputs' | 'outputs' | 'temporaries';

export interface MemoryReport {
  /** Bytes in use, by holder. */
  readonly held: Readonly<Record<Owner, number>>;
  /** Sum of the above. */
  readonly bytesInUse: number;
  /** With what the pool keeps for reuse. */
  readonly bytesHeld: number;
  readonly highWater: number;
  readonly buffersCreated: number;
}

/** A device with its plans: what runs graphs. Most pages need one, made by `init`. */
export class Engine implements Runtime {
  readonly device: Device;
  readonly options: Required<Pick<EngineOptions, 'fusion' | 'planCache' | 'anomaly' | 'maximumInFlight'>>;
  /** @internal The trace under way, inside `compile`. */
  trace: Trace | undefined;
  /** @internal */
  readonly pacing: Pacing;
  /** @internal */
  readonly reports: Reports;
  /** @internal */
  readonly tuner: Tuner;
  readonly #held: Record<Owner, number> = {
    tensors: 0,
    parameters: 0,
    optimizers: 0,
    inputs: 0,
    outputs: 0,
    temporaries: 0,
  };
  readonly #plans = new PlanCache();
  /** Milliseconds from `init` to the end of the first compiled step on the GPU; undefined until it has ended. */
  firstStepMs: number | undefined;
  #began = 0;
  #stepped = false;
  #destroyed = false;
  readonly #finalizer = new FinalizationRegistry<Pick<Storage, 'free'>>((storage) => storage.free());

  private constructor(device: Device, options: EngineOptions) {
    this.device = device;
    this.options = {
      fusion: options.fusion ?? true,
      planCache: options.planCache ?? true,
      anomaly: options.anomaly ?? false,
      maximumInFlight: options.maximumInFlight ?? 1024,
    };
    this.pacing = new Pacing(device.readback, this.options.maximumInFlight, new Workload(device));
    this.reports = new Reports(device.errors);
    this.tuner = new Tuner(identityOf(device), checkTuneOptions('init', options), options.tunerStore ?? pageStore());
  }

  /** Submits of compiled steps and eager runs so far. */
  get submits(): number {
    return this.pacing.submits;
  }

  /**
   * @throws NoWebGPUError when there is no WebGPU, no adapter, or the page is insecure: each with its mend.
   */
  static async create(options: EngineOptions = {}): Promise<Engine> {
    checkOptions(options);
    const began = performance.now();
    const engine = new Engine(await Device.open(options), options);
    engine.#began = began;
    if (engine.options.anomaly) callSites.record = true;
    if (engine.tuner.options.tune !== 'off') await engine.tuner.read();
    return engine;
  }

  /** Makes this engine the one that tensors are computed on. */
  use(): this {
    setRuntime(this);
    return this;
  }

  /** Frees everything. Tensors of it cannot be read any more. */
  destroy(): void {
    this.#destroyed = true;
    if (runtimeInUse() === this) setRuntime(undefined);
    this.device.destroy();
  }

  memory(): MemoryReport {
    const { bytesHeld, highWater, buffersCreated } = this.device.buffers.statistics;
    const bytesInUse = Object.values(this.#held).reduce((sum, bytes) => sum + bytes, 0);
    return { held: { ...this.#held }, bytesInUse, bytesHeld, highWater, buffersCreated };
  }

  /** @internal Memory from the pool, counted under its owner. */
  allocate(bytes: number, owner: Owner, label: string): Storage {
    const pooled = this.device.buffers.acquire(bytes, label);
    this.#held[owner] += bytes;
    return new PooledStorage(this, pooled, () => {
      this.#held[owner] -= bytes;
      this.device.buffers.release(pooled);
    });
  }

  /** @internal Puts a value's memory under a tensor; it goes when the tensor does. */
  attach(tensor: Tensor, storage: Storage): void {
    tensor.storage = storage;
    this.#finalizer.register(tensor, storage, storage);
    track(tensor);
  }

  /** @internal Memory that goes with what holds it, once nobody can reach that. It must not lead back there. */
  hold(holder: object, memory: readonly Pick<Storage, 'free'>[]): void {
    for (const one of memory) this.#finalizer.register(holder, one);
  }

  /** @internal A tensor's memory goes elsewhere (into an arena). */
  relocate(tensor: Tensor, storage: Storage): void {
    if (tensor.storage !== undefined) {
      this.#finalizer.unregister(tensor.storage);
      tensor.storage.free();
    }
    tensor.storage = storage;
  }

  /** @internal The buffer of a leaf: uploads what is still on the host, computes a parameter's first value. */
  materialise(tensor: Tensor): Storage {
    tensor.assertNotFreed(tensor.op.name);
    if (tensor.source?.kind === 'carried' || tensor.source?.kind === 'repeated') {
      throw new ValueError('repeat', 'a state or a result was used outside the compiled function it belongs to.', {
        mend: 'return what you need from the function.',
      });
    }
    if (tensor.storage !== undefined) {
      if (tensor.storage.owner !== this) {
        const gone = (tensor.storage.owner as Engine).isGone;
        throw new ValueError(
          tensor.op.name,
          `a tensor ${formatShape(tensor.shape)} belongs to ${gone ? 'an engine whose device is gone' : 'another engine'}.`,
          {
            mend: gone
              ? 'make it anew; a parameter can be assigned, or loaded from a checkpoint.'
              : 'read it there (data) and make a tensor of it here.',
          },
        );
      }
      tensor.storage.assertFresh?.(tensor.op.name);
      return tensor.storage;
    }
    if (tensor instanceof Parameter && tensor.initial !== undefined) {
      const { initial } = tensor;
      // Its own copy: the initial tensor may be a leaf that others read too.
      const value = isLeaf(initial) ? this.copyOf(initial, 'parameters', tensor.toString()) : this.#computed(initial);
      this.attach(tensor, value);
      tensor.initial = undefined;
      return value;
    }
    if (tensor.source?.kind === 'host') {
      const storage = this.allocate(4 * tensor.size, 'tensors', 'tensor');
      this.upload(storage, tensor.source.data);
      this.attach(tensor, storage);
      return storage;
    }
    if (isNumber(tensor.source)) throw new Error(`${tensor} is a number, which no buffer holds`);
    if (tensor.source?.kind === 'placeholder') {
      throw new ValueError('compile', 'an input of a compiled function was used outside it.', {
        mend: 'return what you need from the function.',
      });
    }
    this.compute([tensor]);
    return tensor.storage as unknown as Storage;
  }

  #computed(initial: Tensor): Storage {
    this.compute([initial]);
    const storage = initial.storage as Storage | undefined;
    if (storage === undefined) throw new Error('nothing was computed');
    this.#finalizer.unregister(storage);
    initial.storage = undefined;
    return storage;
  }

  /** @internal A tensor's value, a number's too, in memory of its own. */
  copyOf(tensor: Tensor, owner: Owner, label: string): Storage {
    tensor.assertNotFreed(tensor.op.name);
    const from = hostDataOf(tensor) ?? this.materialise(tensor);
    const storage = this.allocate(4 * tensor.size, owner, label);
    if (ArrayBuffer.isView(from)) this.upload(storage, from);
    else this.copy(from, storage, 4 * tensor.size);
    return storage;
  }

  /** @internal */
  upload(range: BufferRange, data: TypedArray): void {
    if (data.length > 0) this.device.queue.writeBuffer(range.buffer, range.offset, data as GPUAllowSharedBufferSource);
  }

  /** @internal Fills with zeros: memory from the pool may hold what was there before. */
  clear(range: BufferRange): void {
    const encoder = this.device.gpu.createCommandEncoder();
    encoder.clearBuffer(range.buffer, range.offset, Math.ceil(range.bytes / 4) * 4);
    this.device.queue.submit([encoder.finish()]);
  }

  /** @internal */
  copy(from: BufferRange, to: BufferRange, bytes: number): void {
    if (bytes === 0) return;
    const encoder = this.device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, bytes);
    this.device.queue.submit([encoder.finish()]);
  }

  /** Reads a tensor back; computes it first if need be, at once, so that later assignments do not matter. */
  read(tensor: Tensor): Promise<TypedArray> {
    try {
      tensor.assertNotFreed('data');
      this.device.assertAlive('data');
      if (tensor.size === 0) return Promise.resolve(typedArray(tensor.dtype, 0));
      if (isNumber(tensor.source)) {
        return Promise.resolve(typedArray(tensor.dtype, 1).fill(numberOf(tensor.source)));
      }
      tensor.storage?.assertFresh?.('data');
      const storage = this.materialise(tensor);
      const bytes = this.device.readback.read(storage.buffer, storage.offset, 4 * tensor.size);
      const at = this.pacing.submits;
      return this.#finish(tensor, storage, bytes, at);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #finish(tensor: Tensor, storage: Storage, bytes: Promise<ArrayBuffer>, at: number): Promise<TypedArray> {
    const [data, failure] = await Promise.all([bytes, storage.failure, ...this.reports.pending]);
    // The queue runs in order: all that was submitted before this read is done.
    this.pacing.reached(at);
    if (failure !== undefined) {
      this.reports.forget(failure);
      throw failure;
    }
    const error = this.reports.take();
    if (error !== undefined) throw error;
    return viewBytes(tensor.dtype, data, tensor.size);
  }

  snapshot(parameter: Tensor): void {
    this.materialise(parameter);
  }

  compute(tensors: readonly Tensor[]): void {
    const pending = [...new Set(tensors)].filter((tensor) => !isLeaf(tensor));
    if (pending.length > 0) this.run(pending, []);
  }

  assign(parameter: Parameter, value: Tensor): void {
    this.adopt(parameter);
    const effect: Effect = {
      key: 'assign',
      inputs: [value],
      placements: [undefined],
      targets: [parameter],
      updates: [parameter],
    };
    if (value.dtype !== parameter.dtype) {
      throw new DtypeError('assign', `the parameter is ${parameter.dtype}, the value ${value.dtype}.`, {
        mend: `cast it: ${parameter.dtype === 'f32' ? 'toF32' : 'toI32'}(value).`,
      });
    }
    if (this.trace !== undefined) this.trace.effects.push(effect);
    else this.run([], [effect]);
  }

  /** @internal A parameter whose device was lost gets new memory here: its value is gone, another can be assigned. */
  adopt(parameter: Parameter): void {
    const { storage } = parameter;
    if (storage === undefined || storage.owner === this) return;
    if (!(storage.owner as Engine).isGone) return;
    const fresh = this.allocate(4 * parameter.size, 'parameters', parameter.toString());
    this.clear(fresh);
    this.attach(parameter, fresh);
  }

  /** @internal Destroyed, or its device is lost. */
  get isGone(): boolean {
    return this.#destroyed || this.device.isLost;
  }

  /** @internal Plans (or finds the plan), executes, submits. Outputs get their storage. */
  run(outputs: readonly Tensor[], effects: readonly Effect[]): void {
    this.device.assertAlive('run');
    const companions = new Set<Tensor>();
    for (const effect of effects) {
      for (const input of effect.inputs) {
        if (isLeaf(input)) continue;
        for (const one of input.companions ?? []) if (!isLeaf(one) && isCurrent(one)) companions.add(one);
      }
    }
    const wanted = [...new Set([...outputs, ...companions])];
    const skeleton = skeletonOf(wanted, effects);
    const executable = this.#plan(skeleton);
    const failure = this.#execute(executable, skeleton, wanted, effects);
    this.noteUpdates(effects);
    if (!this.options.planCache) executable.destroy();
    // Outputs carry their failure; what effects have changed may be read by anyone next.
    if (effects.length > 0) this.reports.watch(failure);
  }

  /** @internal Called after the submit of a step's first execution. */
  noteFirstStep(): void {
    if (this.#stepped) return;
    this.#stepped = true;
    const note = () => {
      this.firstStepMs = performance.now() - this.#began;
    };
    // Not a fence: that would be a submit more. Nobody waits for it, so its 2 ms do not matter; a lost device is told elsewhere.
    this.device.queue.onSubmittedWorkDone().then(note, () => undefined);
  }

  /** @internal Nodes made before now may not read the parameters that this execution changed. */
  noteUpdates(effects: readonly Effect[]): void {
    let now: number | undefined;
    for (let i = 0; i < effects.length; i++) {
      const updates = effects[i]?.updates;
      if (updates === undefined) continue;
      now ??= ++clock.assignments;
      for (let k = 0; k < updates.length; k++) (updates[k] as Parameter).assignedAt = now;
    }
  }

  #plan(skeleton: Skeleton): Executable {
    const { planCache } = this.options;
    // Other choices of kernels make another plan.
    const key = `${this.tuner.revision} ${skeleton.key}`;
    const cached = planCache ? this.#plans.get(key) : undefined;
    if (cached !== undefined) return cached;
    const executable = new Executable(this.device, this.planFor(skeleton));
    if (planCache) this.#plans.add(key, executable);
    return executable;
  }

  /** @internal */
  planFor(skeleton: Skeleton, tune = this.tuner.options.tune): Plan {
    return buildPlan(this.device, {
      outputs: skeleton.outputs,
      effects: skeleton.effects,
      fusion: { enabled: this.options.fusion && !this.options.anomaly },
      keepAll: this.options.anomaly,
      choose: (question) => this.tuner.choose(question, tune),
    });
  }

  #execute(
    executable: Executable,
    skeleton: Skeleton,
    outputs: readonly Tensor[],
    effects: readonly Effect[],
  ): Promise<CotangentError | undefined> {
    const { plan } = executable;
    const leaves = skeleton.leaves.map((leaf) => (isNumber(leaf.source) ? undefined : this.materialise(leaf)));
    executable.writeTurn(skeleton.leaves);
    const results = outputs.map((tensor) => this.allocate(4 * tensor.size, 'tensors', tensor.op.name));
    const slots = plan.slots.map((bytes) => this.device.buffers.acquire(bytes, 'temporary'));
    const bindings = {
      leaf: (index: number) => leaves[index] as Storage,
      output: (index: number) => results[index] as Storage,
      slot: (index: number) => rangeOf(slots[index] as PooledBuffer),
    };
    // All that can be refused has been: host state may move on.
    for (const { advance } of effects) advance?.();
    const { result: compiled, error } = this.device.errors.scope('run', () => {
      const reports = executable.ensurePipelines();
      const recorder = new Recorder(this.device, this.pacing.workload, [executable]);
      const groups = executable.bind(bindings);
      if (groups.length > 0) executable.encode(recorder.pass, groups);
      // Equal outputs share a value: the second gets a copy.
      plan.outputs.forEach((value, i) => {
        const at = locate(plan, value, bindings);
        const own = results[i] as Storage;
        if (at.buffer !== own.buffer) recorder.copy(at, own.buffer, own.offset, own.bytes);
      });
      executable.encodeCopies(recorder, bindings);
      recorder.submit();
      return reports;
    });
    this.pacing.submitted();
    const anomaly = this.options.anomaly ? findAnomaly(this.device, plan, bindings, skeleton.origins) : undefined;
    // The queue runs in order, so what comes next may write to these already.
    for (const slot of slots) this.device.buffers.release(slot);
    const failure = firstError([...compiled, error, ...(anomaly ? [anomaly] : [])]);
    outputs.forEach((tensor, i) => {
      const storage = results[i] as PooledStorage;
      storage.failure = failure;
      this.attach(tensor, storage);
    });
    return failure;
  }

  /** Resolves when few enough steps are under way; undefined when that is so already. */
  pace(): Promise<void> | undefined {
    return this.pacing.wait();
  }

  /**
   * Resolves when all that was submitted is done.
   * @throws what the GPU reported meanwhile.
   */
  async ready(): Promise<void> {
    this.device.assertAlive('ready');
    await Promise.all([this.pacing.fence(), ...this.reports.pending]);
    const error = this.reports.take();
    if (error !== undefined) throw error;
  }
}

/** A value that the host has. */
function hostDataOf({ source, dtype }: Tensor): TypedArray | undefined {
  if (isNumber(source)) return typedArray(dtype, 1).fill(numberOf(source));
  return source?.kind === 'host' ? source.data : undefined;
}

function checkOptions(options: EngineOptions): void {
  checkTuneOptions('init', options);
  const { maximumInFlight = 1 } = options;
  if (!Number.isInteger(maximumInFlight) || maximumInFlight < 1) {
    throw new ValueError('init', `maximumInFlight is ${maximumInFlight}; it must be an integer of at least 1.`);
  }
}
