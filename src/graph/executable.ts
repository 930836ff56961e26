import type { PooledBuffer } from '../device/buffers.js';
import type { Device } from '../device/device.js';
import type { CotangentError } from '../errors.js';
import { aligned } from './alignment.js';
import type { BindingSource, PlannedDispatch, UniformBlock } from './dispatch.js';
import { bytesOf } from './encoding.js';
import type { BufferRange } from './lowering.js';
import type { Plan } from './plan.js';

import { PooledStorage } from './pooledStorage.js';
import type { DispatchTimer, Recorder } from './recorder.js';
import { firstError } from './reports.js';
import type { Storage } from './storage.js';

import { isNumber, numberOf, type Tensor } from './tensor.js';

interface Field {
  readonly word: number;
  readonly type: 'u32' | 'i32' | 'f32';
  /** Another number in each turn. */
  readonly moves: boolean;
}

interface DynamicField extends Field {
  readonly read: () => number;
}

interface LeafField extends Field {
  readonly leaf: number;
}

/** How a plan that runs several times before its uniforms are written tells its runs apart. */
export interface Turns {
  /** Runs that the uniform buffer has room for. */
  readonly room: number;
  /** Whether a leaf's number may change from one run to the next. */
  readonly moves: (leaf: number) => boolean;
}

const ONCE: Turns = { room: 1, moves: () => false };

/** What stands behind a plan's leaves and outputs at one execution. */
export interface Bindings {
  /** The buffer of the k-th leaf. */
  leaf(index: number): BufferRange;
  output(index: number): BufferRange;
  slot(index: number): BufferRange;
}

/**
 * A plan on a device: its pipelines and its one uniform buffer. Encoding a pass walks a flat list; nothing
 * is created on the way but, when buffers changed, bind groups.
 *
 * With several turns, blocks whose numbers may move lie once for each behind the others, and are bound by offset.
 */
export class Executable {
  readonly plan: Plan;
  readonly #device: Device;
  readonly uniforms: Storage | undefined;
  readonly #words: ArrayBuffer;
  readonly #u32: Uint32Array;
  readonly #i32: Int32Array;
  readonly #f32: Float32Array;
  readonly #offsets: number[];
  readonly #dynamic: DynamicField[] = [];
  /** Fields whose number belongs to a leaf of the graph at hand. */
  readonly #leafFields: LeafField[] = [];
  readonly #described: readonly PlannedDispatch[];
  /** How many bindings of each dispatch take the turn's offset. */
  readonly #moving: readonly number[];
  readonly #room: number;
  /** Bytes that do not move, and those of a turn. */
  readonly #fixed: number;
  readonly #stride: number;
  /** The next turn to write. */
  #turn = 0;
  readonly #turnOffsets = new Uint32Array(2);
  #pipelines: GPUComputePipeline[] | undefined;
  #reports: readonly Promise<CotangentError | undefined>[] = [];
  #uploaded = false;
  #changed = false;
  readonly #complains: boolean;

  constructor(device: Device, plan: Plan, turns: Turns = ONCE) {
    this.plan = plan;
    this.#device = device;
    const moving = plan.blocks.map(
      ({ fields }) =>
        turns.room > 1 &&
        fields.some(
          ({ value }) => typeof value === 'function' || (typeof value === 'object' && turns.moves(value.leaf)),
        ),
    );
    let end = 0;
    const place = (moves: boolean) => (block: UniformBlock, i: number) => {
      if (moving[i] !== moves) return;
      offsets[i] = end;
      end += aligned(block.bytes);
    };
    const offsets = plan.blocks.map(() => 0);
    plan.blocks.forEach(place(false));
    this.#fixed = end;
    plan.blocks.forEach(place(true));
    this.#stride = end - this.#fixed;
    this.#offsets = offsets;
    this.#room = turns.room;
    const bytes = this.#fixed + this.#stride * turns.room;
    this.#described = plan.dispatches.map((dispatch) => withOffsets(dispatch, moving));
    this.#moving = this.#described.map(({ signature }) => signature.filter((kind) => kind === 'uniform_at').length);
    this.#words = new ArrayBuffer(bytes);
    this.#u32 = new Uint32Array(this.#words);
    this.#i32 = new Int32Array(this.#words);
    this.#f32 = new Float32Array(this.#words);
    this.uniforms = bytes === 0 ? undefined : uniformBuffer(device, bytes);
    plan.blocks.forEach((block, i) => {
      for (const { offset, type, value } of block.fields) {
        const word = ((offsets[i] ?? 0) + offset) / 4;
        const moves = moving[i] === true;
        if (typeof value === 'function') this.#dynamic.push({ word, type, read: value, moves });
        else if (typeof value === 'object') this.#leafFields.push({ word, type, leaf: value.leaf, moves });
        else for (let turn = 0; turn < (moves ? turns.room : 1); turn++) this.#write(word, type, value, turn);
      }
    });
    const { buffer } = device.complaints;
    this.#complains = plan.dispatches.some(({ sources }) =>
      sources.some((source) => source.kind === 'range' && source.range.buffer === buffer),
    );
    this.#leafFields.sort((a, b) => a.leaf - b.leaf);
  }

  /** Compiles all pipelines in parallel, off the main thread where the browser can. */
  async prepare(): Promise<void> {
    const { pipelines } = this.#device;
    this.#pipelines = await Promise.all(this.#described.map((dispatch) => pipelines.createAsync(dispatch)));
  }

  /**
   * Makes the pipelines that are missing at once.
   * @returns what their compilation reports later, to every run: the first may have thrown before it told anyone.
   */
  ensurePipelines(): readonly Promise<CotangentError | undefined>[] {
    if (this.#pipelines === undefined) {
      const made = this.#described.map((dispatch) => this.#device.pipelines.create(dispatch));
      this.#pipelines = made.map(({ pipeline }) => pipeline);
      const reports = made.map(({ error }) => error);
      this.#reports = reports;
      void firstError(reports).then((error) => {
        // Nothing is left to tell.
        if (error === undefined && this.#reports === reports) this.#reports = [];
      });
    }
    return this.#reports;
  }

  /** No turn is left: what was written must be uploaded, and used, first. */
  get isFull(): boolean {
    return this.#stride > 0 && this.#turn === this.#room;
  }

  /**
   * Asks for the numbers of the next run. They may be a user's functions, which throw: what was written until then is
   * sent with the next upload. Here and in `encode`, loops count: iterators and destructured arrays would be garbage
   * in each step until the compiler sees through them.
   */
  writeTurn(leaves: readonly Tensor[]): void {
    const turn = this.#stride > 0 ? this.#turn++ : 0;
    // Fields of one leaf stand together, so that a scalar is asked once for all the kernels that read it.
    let last = -1;
    let value = 0;
    for (let i = 0; i < this.#leafFields.length; i++) {
      const { word, type, leaf, moves } = this.#leafFields[i] as LeafField;
      if (turn > 0 && !moves) continue;
      if (leaf !== last) {
        const source = leaves[leaf]?.source;
        value = isNumber(source) ? numberOf(source) : 0;
        last = leaf;
      }
      this.#write(word, type, value, turn);
    }
    for (let i = 0; i < this.#dynamic.length; i++) {
      const { word, type, read, moves } = this.#dynamic[i] as DynamicField;
      if (turn > 0 && !moves) continue;
      this.#write(word, type, read(), turn);
    }
  }

  /** Sends what changed: one `writeBuffer`, or none. */
  upload(): void {
    const written = this.#fixed + this.#stride * this.#turn;
    this.#turn = 0;
    if (this.uniforms === undefined || (this.#uploaded && !this.#changed)) return;
    // The first time all is sent, for a buffer of the pool holds anything.
    const bytes = this.#uploaded ? written : this.#words.byteLength;
    this.#device.queue.writeBuffer(this.uniforms.buffer, 0, this.#words, 0, bytes);
    this.#uploaded = true;
    this.#changed = false;
  }

  /** Forgets the turns written and not uploaded. */
  rewind(): void {
    this.#turn = 0;
    this.#uploaded = false;
  }

  #write(word: number, type: Field['type'], value: number, turn: number): void {
    const at = word + (turn * this.#stride) / 4;
    const before = this.#u32[at];
    if (type === 'f32') this.#f32[at] = value;
    else if (type === 'i32') this.#i32[at] = value;
    else this.#u32[at] = value;
    if (this.#u32[at] !== before) this.#changed = true;
  }

  bind(bindings: Bindings): GPUBindGroup[] {
    return this.#described.map((dispatch) => {
      const { bindGroupLayout } = this.#device.pipelines.layout(dispatch.signature);
      const entries = dispatch.sources.map((source, binding) => ({
        binding,
        resource: this.#resource(source, bindings),
      }));
      return this.#device.gpu.createBindGroup({ label: dispatch.label, layout: bindGroupLayout, entries });
    });
  }

  #resource(source: BindingSource, bindings: Bindings): GPUBufferBinding {
    if (source.kind === 'uniform') {
      const bytes = this.plan.blocks[source.block]?.bytes ?? 16;
      const size = Math.ceil(bytes / 16) * 16;
      return { buffer: (this.uniforms as Storage).buffer, offset: this.#offsets[source.block] ?? 0, size };
    }
    if (source.kind === 'range') return bufferBinding(source.range, source.range.bytes);
    if (source.kind === 'scratch') return bufferBinding(bindings.slot(source.slot), source.bytes);
    const range = locate(this.plan, source.value, bindings);
    return bufferBinding(range, bytesOf(source.value.tensor, this.#device));
  }

  /** Encodes a run with the uniforms written last. */
  encode(pass: GPUComputePassEncoder, groups: readonly GPUBindGroup[]): void {
    const { dispatches } = this.plan;
    const pipelines = this.#pipelines;
    if (pipelines === undefined) throw new Error('encode before the pipelines were made');
    if (this.#stride > 0) this.#turnOffsets.fill(this.#stride * (this.#turn - 1));
    if (this.#complains) this.#device.complaints.armed = true;
    for (let i = 0; i < dispatches.length; i++) {
      const dispatch = dispatches[i] as PlannedDispatch;
      pass.setPipeline(pipelines[i] as GPUComputePipeline);
      const moving = this.#moving[i] as number;
      if (moving === 0) pass.setBindGroup(0, groups[i] as GPUBindGroup);
      else pass.setBindGroup(0, groups[i] as GPUBindGroup, this.#turnOffsets, 0, moving);
      pass.dispatchWorkgroups(dispatch.workgroups[0], dispatch.workgroups[1], dispatch.workgroups[2]);
    }
  }

  /** The same, each dispatch in a pass of its own. */
  encodeTimed(recorder: Recorder, timer: DispatchTimer, groups: readonly GPUBindGroup[]): void {
    this.#turnOffsets.fill(this.#stride * (this.#turn - 1));
    this.plan.dispatches.forEach((dispatch, i) => {
      const { around, repeats } = timer.next(dispatch);
      const pass = recorder.timedPass(around);
      const moving = this.#moving[i] as number;
      pass.setPipeline(this.#pipelines?.[i] as GPUComputePipeline);
      pass.setBindGroup(0, groups[i] as GPUBindGroup, this.#turnOffsets, 0, moving);
      for (let k = 0; k < repeats; k++) pass.dispatchWorkgroups(...dispatch.workgroups);
    });
  }

  /** Assignments: every read of the run is done. */
  encodeCopies(recorder: Recorder, bindings: Bindings): void {
    const { copies } = this.plan;
    for (let i = 0; i < copies.length; i++) {
      const { from, to } = copies[i] as Plan['copies'][number];
      // Of no elements: it has no place.
      if (from.tensor.size === 0) continue;
      const { buffer, offset } = bindings.leaf(to);
      recorder.copy(locate(this.plan, from, bindings), buffer, offset, bytesOf(from.tensor, this.#device));
    }
  }

  destroy(): void {
    this.uniforms?.free();
  }
}

/** Apart from the executable's own functions, so that nothing in it leads back there. */
function uniformBuffer(device: Device, bytes: number): Storage {
  const pooled = device.buffers.createUniform(bytes);
  return new PooledStorage(device, pooled, () => device.buffers.release(pooled));
}

/** A dispatch with those of its uniforms bound by offset that move. */
function withOffsets(dispatch: PlannedDispatch, moving: readonly boolean[]): PlannedDispatch {
  const signature = dispatch.signature.map((kind, i) => {
    const source = dispatch.sources[i];
    return source?.kind === 'uniform' && moving[source.block] === true ? 'uniform_at' : kind;
  });
  return signature.includes('uniform_at') ? { ...dispatch, signature } : dispatch;
}

/** A buffer range for a stored value. */
export function locate(plan: Plan, value: Plan['outputs'][number], bindings: Bindings): BufferRange {
  const location = plan.locations.get(value);
  if (location === undefined) throw new Error(`${value.tensor} has no place in the plan`);
  if (location.kind === 'leaf') return bindings.leaf(location.index);
  if (location.kind === 'output') return bindings.output(location.index);
  if (location.kind === 'slot') return bindings.slot(location.slot);
  return location.range;
}

function bufferBinding({ buffer, offset }: BufferRange, bytes: number): GPUBufferBinding {
  // A binding of no bytes is an error; every buffer has at least one word.
  return { buffer, offset, size: Math.max(4, bytes) };
}

export function rangeOf(pooled: PooledBuffer): BufferRange {
  return { buffer: pooled.buffer, offset: 0, bytes: pooled.bytes };
}
