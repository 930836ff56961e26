import type { PooledBuffer } from '../device/buffers.js';
import { Device, type DeviceOptions } from '../device/device.js';
import { type CotangentError, checkCounts, DtypeError } from '../errors.js';
import { checkTuneOptions, type TuneOptions, Tuner } from '../kernels/tuner.js';
import { identityOf } from '../kernels/tunerChoices.js';
import { pageStore, type TunerStore } from '../kernels/tunerStore.js';
import { findAnomaly } from './anomaly.js';
import { type TypedArray, typedArray } from './dtype.js';
import type { Effect } from './effect.js';
import { bytesOf, decode } from './encoding.js';
import { Executable, locate, rangeOf } from './executable.js';
import { Heap, type MemoryReport } from './heap.js';
import { isLeaf } from './ir.js';
import { Pacing } from './pacing.js';
import type { Parameter } from './parameter.js';
import { buildPlan, type Plan } from './plan.js';
import { PlanCache } from './planCache.js';
import type { PooledStorage } from './pooledStorage.js';
import { Recorder } from './recorder.js';
import { firstError, Reports } from './reports.js';
import { type Runtime, runtimeInUse, setRuntime } from './runtime.js';
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

/** A device with its heap and its plans: what runs graphs. Most pages need one, made by `init`. */
export class Engine implements Runtime {
  readonly device: Device;
  readonly options: Required<Pick<EngineOptions, 'fusion' | 'planCache' | 'anomaly' | 'maximumInFlight'>>;
  /** @internal Where values lie, and who holds them. */
  readonly heap: Heap;
  /** @internal The trace under way, inside `compile`. */
  trace: Trace | undefined;
  /** @internal */
  readonly pacing: Pacing;
  /** @internal */
  readonly reports: Reports;
  /** @internal */
  readonly tuner: Tuner;
  readonly #plans = new PlanCache();
  /** Milliseconds from `init` to the end of the first compiled step on the GPU; undefined until it has ended. */
  firstStepMs: number | undefined;
  #began = 0;
  #stepped = false;

  private constructor(device: Device, options: EngineOptions) {
    this.device = device;
    this.heap = new Heap(device, (tensors) => this.compute(tensors));
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
    if (runtimeInUse() === this) setRuntime(undefined);
    this.device.destroy();
  }

  /** What it holds on the GPU, and for whom. */
  memory(): MemoryReport {
    return this.heap.report();
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
      const storage = this.heap.materialise(tensor);
      const bytes = this.device.readback.read(storage.buffer, storage.offset, bytesOf(tensor, this.device));
      const at = this.pacing.submits;
      this.#hearComplaints();
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
    return decode(tensor.dtype, data, tensor.size, this.device);
  }

  snapshot(parameter: Tensor): void {
    this.heap.materialise(parameter);
  }

  compute(tensors: readonly Tensor[]): void {
    const pending = [...new Set(tensors)].filter((tensor) => !isLeaf(tensor));
    if (pending.length > 0) this.run(pending, []);
  }

  assign(parameter: Parameter, value: Tensor): void {
    this.heap.adopt(parameter);
    const effect: Effect = {
      key: 'assign',
      inputs: [value],
      placements: [undefined],
      targets: [parameter],
      updates: [parameter],
    };
    if (value.dtype !== parameter.dtype) {
      const { dtype } = parameter;
      throw new DtypeError('assign', `the parameter is ${dtype}, the value ${value.dtype}.`, {
        mend: `cast it: to${dtype.charAt(0).toUpperCase()}${dtype.slice(1)}(value).`,
      });
    }
    if (this.trace !== undefined) this.trace.effects.push(effect);
    else this.run([], [effect]);
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
    const executable = this.#plan(skeleton, effects);
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

  #plan(skeleton: Skeleton, effects: readonly Effect[]): Executable {
    const { planCache } = this.options;
    const plans = effects.find((effect) => effect.plans !== undefined)?.plans ?? this.#plans;
    // Other choices of kernels make another plan.
    const key = `${this.tuner.revision} ${skeleton.key}`;
    const cached = planCache ? plans.get(key) : undefined;
    if (cached !== undefined) return cached;
    const executable = new Executable(this.device, this.planFor(skeleton));
    if (executable.uniforms !== undefined) this.heap.hold(executable, [executable.uniforms]);
    if (planCache) plans.add(key, executable);
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
    const leaves = skeleton.leaves.map((leaf) => (isNumber(leaf.source) ? undefined : this.heap.materialise(leaf)));
    executable.writeTurn(skeleton.leaves);
    const results = outputs.map((tensor) =>
      this.heap.allocate(bytesOf(tensor, this.device), 'tensors', tensor.op.name),
    );
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
      this.heap.attach(tensor, storage);
    });
    return failure;
  }

  /** What kernels complained of is an error of the read at hand. A device lost meanwhile is that read's own error. */
  #hearComplaints(): void {
    const { complaints } = this.device;
    if (complaints.armed) this.reports.watch(complaints.look().catch(() => undefined));
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
    this.#hearComplaints();
    await Promise.all([this.pacing.fence(), ...this.reports.pending]);
    const error = this.reports.take();
    if (error !== undefined) throw error;
  }
}

function checkOptions(options: EngineOptions): void {
  checkTuneOptions('init', options);
  const { maximumInFlight = 1 } = options;
  checkCounts('init', { maximumInFlight });
}
