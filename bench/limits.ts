import copyWgsl from './limits/copy.wgsl?raw';
import fmaWgsl from './limits/fma.wgsl?raw';
import fmaNarrowWgsl from './limits/fmaNarrow.wgsl?raw';
import type { Limits } from './report.js';

const SAMPLES = 5;
/** So long that the wait at the end and the clock's steps do not show. */
const SHORTEST_MS = 40;
/** Beyond what the caches of most processors hold. */
const COPIED_BYTES = 1 << 25;
const INVOCATIONS = 1 << 14;
const FLOPS_PER_TURN = 64 * 4 * 2;
const FACTOR = 0.5;
const SUMMAND = 1;

/** What the adapter can do at most, measured by two plain kernels on a device of their own. */
export class LimitProbe {
  limits: Limits = { fma_gflops: 0, copy_gbps: 0 };
  readonly #device: GPUDevice;
  readonly #staging: GPUBuffer;

  private constructor(device: GPUDevice) {
    this.#device = device;
    this.#staging = device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }

  static async open(): Promise<LimitProbe> {
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (adapter === null) throw new Error('the browser has no WebGPU adapter.');
    return new LimitProbe(await adapter.requestDevice({ label: 'limits' }));
  }

  /** Measures once more; the best so far is the limit, for other work on the machine only slows things down. */
  async measure(): Promise<void> {
    this.#device.pushErrorScope('validation');
    const fma = Math.max(await this.#fma(fmaWgsl, 8), await this.#fma(fmaNarrowWgsl, 2));
    const copy = await this.#copy();
    const error = await this.#device.popErrorScope();
    if (error !== null) throw new Error(`measuring the limits: ${error.message}`);
    const { fma_gflops, copy_gbps } = this.limits;
    this.limits = { fma_gflops: Math.max(fma, fma_gflops), copy_gbps: Math.max(copy, copy_gbps) };
  }

  async #fma(code: string, chains: number): Promise<number> {
    const turns = 64;
    const sizes = new ArrayBuffer(16);
    new Uint32Array(sizes, 0, 1).set([turns]);
    new Float32Array(sizes, 4, 2).set([FACTOR, SUMMAND]);
    const uniforms = this.#buffer(16, GPUBufferUsage.UNIFORM);
    const result = this.#buffer(16 * INVOCATIONS, GPUBufferUsage.STORAGE);
    this.#device.queue.writeBuffer(uniforms, 0, sizes);
    const ms = await this.#time(code, [uniforms, result], INVOCATIONS / 64);
    // Each chain is at its fixed point by then.
    await this.#check(result, chains * (SUMMAND / (1 - FACTOR)), 'fma');
    uniforms.destroy();
    result.destroy();
    return (INVOCATIONS * turns * FLOPS_PER_TURN) / (ms * 1e6);
  }

  async #copy(): Promise<number> {
    const original = this.#buffer(COPIED_BYTES, GPUBufferUsage.STORAGE);
    const copied = this.#buffer(COPIED_BYTES, GPUBufferUsage.STORAGE);
    const last = new Float32Array([Math.random()]);
    this.#device.queue.writeBuffer(original, COPIED_BYTES - 4, last);
    const ms = await this.#time(copyWgsl, [original, copied], COPIED_BYTES / 16 / 64);
    await this.#check(copied, last[0] ?? Number.NaN, 'copy');
    original.destroy();
    copied.destroy();
    return (2 * COPIED_BYTES) / (ms * 1e6);
  }

  #buffer(size: number, usage: GPUBufferUsageFlags): GPUBuffer {
    return this.#device.createBuffer({ size, usage: usage | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
  }

  /** The best of some samples, in ms for one dispatch. */
  async #time(code: string, buffers: readonly GPUBuffer[], workgroups: number): Promise<number> {
    const pipeline = await this.#device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: this.#device.createShaderModule({ code }) },
    });
    const group = this.#device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    let repeats = 1;
    const sample = async () => {
      const start = performance.now();
      const encoder = this.#device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let i = 0; i < repeats; i++) pass.dispatchWorkgroups(workgroups);
      pass.end();
      encoder.copyBufferToBuffer(buffers[1] as GPUBuffer, 0, this.#staging, 0, 4);
      this.#device.queue.submit([encoder.finish()]);
      await this.#staging.mapAsync(GPUMapMode.READ);
      this.#staging.unmap();
      return performance.now() - start;
    };
    for (;;) {
      const ms = await sample();
      if (ms >= SHORTEST_MS) break;
      repeats = Math.ceil((1.2 * repeats * SHORTEST_MS) / Math.max(ms, 1));
    }
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < SAMPLES; i++) best = Math.min(best, await sample());
    return best / repeats;
  }

  /** A kernel that did nothing would be the fastest. */
  async #check(buffer: GPUBuffer, expected: number, name: string): Promise<void> {
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, buffer.size - 4, this.#staging, 0, 4);
    this.#device.queue.submit([encoder.finish()]);
    await this.#staging.mapAsync(GPUMapMode.READ);
    const [value = Number.NaN] = new Float32Array(this.#staging.getMappedRange());
    this.#staging.unmap();
    if (!(Math.abs(value - expected) <= 1e-5)) {
      throw new Error(`limits: the ${name} kernel gave ${value} where ${expected} was expected.`);
    }
  }
}
