import type { PooledBuffer } from '../device/buffers.js';
import type { Device } from '../device/device.js';
import type { CotangentError } from '../errors.js';
import { aligned } from './alignment.js';
import type { BindingSource, PlannedDispatch } from './dispatch.js';
import type { BufferRange } from './lowering.js';
import type { Plan } from './plan.js';
import { isNumber, numberOf, type Tensor } from './tensor.js';

interface DynamicField {
  readonly word: number;
  readonly type: 'u32' | 'i32' | 'f32';
  readonly read: () => number;
}

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
 */
export class Executable {
  readonly plan: Plan;
  readonly #device: Device;
  readonly #uniforms: PooledBuffer | undefined;
  readonly #words: ArrayBuffer;
  readonly #u32: Uint32Array;
  readonly #i32: Int32Array;
  readonly #f32: Float32Array;
  readonly #offsets: number[] = [];
  readonly #dynamic: DynamicField[] = [];
  /** Fields whose number belongs to a leaf of the graph at hand. */
  readonly #leafFields: { word: number; type: DynamicField['type']; leaf: number }[] = [];
  #pipelines: GPUComputePipeline[] | undefined;
  #uploaded = false;

  constructor(device: Device, plan: Plan) {
    this.plan = plan;
    this.#device = device;
    let bytes = 0;
    for (const block of plan.blocks) {
      this.#offsets.push(bytes);
      bytes += aligned(block.bytes);
    }
    this.#words = new ArrayBuffer(bytes);
    this.#u32 = new Uint32Array(this.#words);
    this.#i32 = new Int32Array(this.#words);
    this.#f32 = new Float32Array(this.#words);
    this.#uniforms = bytes === 0 ? undefined : device.buffers.createUniform(bytes);
    plan.blocks.forEach((block, i) => {
      for (const { offset, type, value } of block.fields) {
        const word = ((this.#offsets[i] ?? 0) + offset) / 4;
        if (typeof value === 'number') this.#write(word, type, value);
        else if (typeof value === 'function') this.#dynamic.push({ word, type, read: value });
        else this.#leafFields.push({ word, type, leaf: value.leaf });
      }
    });
    this.#leafFields.sort((a, b) => a.leaf - b.leaf);
  }

  /** Compiles all pipelines in parallel, off the main thread where the browser can. */
  async prepare(): Promise<void> {
    const { pipelines } = this.#device;
    this.#pipelines = await Promise.all(this.plan.dispatches.map((dispatch) => pipelines.createAsync(dispatch)));
  }

  /**
   * Makes the pipelines that are missing at once.
   * @returns what their compilation reports later.
   */
  ensurePipelines(): Promise<CotangentError | undefined>[] {
    if (this.#pipelines !== undefined) return [];
    const made = this.plan.dispatches.map((dispatch) => this.#device.pipelines.create(dispatch));
    this.#pipelines = made.map(({ pipeline }) => pipeline);
    return made.map(({ error }) => error);
  }

  /** Writes the uniforms that changed: one `writeBuffer`, or none. */
  writeUniforms(leaves: readonly Tensor[]): void {
    if (this.#uniforms === undefined) return;
    let changed = !this.#uploaded;
    // Fields of one leaf stand together, so that a scalar is asked once for all the kernels that read it.
    let last = -1;
    let value = 0;
    for (const { word, type, leaf } of this.#leafFields) {
      if (leaf !== last) {
        const source = leaves[leaf]?.source;
        value = isNumber(source) ? numberOf(source) : 0;
        last = leaf;
      }
      if (this.#write(word, type, value)) changed = true;
    }
    for (const { word, type, read } of this.#dynamic) {
      if (this.#write(word, type, read())) changed = true;
    }
    if (changed) this.#device.queue.writeBuffer(this.#uniforms.buffer, 0, this.#words);
    this.#uploaded = true;
  }

  #write(word: number, type: DynamicField['type'], value: number): boolean {
    const before = this.#u32[word];
    if (type === 'f32') this.#f32[word] = value;
    else if (type === 'i32') this.#i32[word] = value;
    else this.#u32[word] = value;
    return this.#u32[word] !== before;
  }

  bind(bindings: Bindings): GPUBindGroup[] {
    return this.plan.dispatches.map((dispatch) => {
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
      return { buffer: (this.#uniforms as PooledBuffer).buffer, offset: this.#offsets[source.block] ?? 0, size };
    }
    if (source.kind === 'range') return bufferBinding(source.range, source.range.bytes);
    if (source.kind === 'scratch') return bufferBinding(bindings.slot(source.slot), source.bytes);
    const range = locate(this.plan, source.value, bindings);
    return bufferBinding(range, 4 * source.value.tensor.size);
  }

  encode(pass: GPUComputePassEncoder, groups: readonly GPUBindGroup[]): void {
    const { dispatches } = this.plan;
    const pipelines = this.#pipelines;
    if (pipelines === undefined) throw new Error('encode before the pipelines were made');
    for (let i = 0; i < dispatches.length; i++) {
      const dispatch = dispatches[i] as PlannedDispatch;
      const [x, y, z] = dispatch.workgroups;
      pass.setPipeline(pipelines[i] as GPUComputePipeline);
      pass.setBindGroup(0, groups[i] as GPUBindGroup);
      pass.dispatchWorkgroups(x, y, z);
    }
  }

  /** Assignments: every read of the pass is done. */
  encodeCopies(encoder: GPUCommandEncoder, bindings: Bindings): void {
    for (const { from, to } of this.plan.copies) {
      const bytes = 4 * from.tensor.size;
      if (bytes === 0) continue;
      const range = locate(this.plan, from, bindings);
      const target = bindings.leaf(to);
      encoder.copyBufferToBuffer(range.buffer, range.offset, target.buffer, target.offset, bytes);
    }
  }

  destroy(): void {
    if (this.#uniforms !== undefined) this.#device.buffers.release(this.#uniforms);
  }
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
