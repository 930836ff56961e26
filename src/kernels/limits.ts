import copyWgsl from '../../shaders/limits/copy.wgsl';
import fmaWgsl from '../../shaders/limits/fma.wgsl';
import fmaNarrowWgsl from '../../shaders/limits/fmaNarrow.wgsl';
import type { Device } from '../device/device.js';
import { BUFFER_COPY_DST, BUFFER_COPY_SRC, BUFFER_STORAGE, BUFFER_UNIFORM } from '../device/flags.js';
import { KernelError } from '../errors.js';
import { specialise } from './specialise.js';
import type { WgslModule } from './wgslModule.js';
import { foldGrid } from './workgroups.js';

/** What an adapter can do at most, as plain kernels of ours reached it. */
export interface MeasuredLimits {
  /** Fused multiply-adds out of registers, two flops each. */
  readonly fmaGflops: number;
  /** A copy by a kernel, bytes read and bytes written together. */
  readonly copyGbps: number;
}

const SAMPLES = 5;
/** So long that the wait at the end and the clock's steps do not show. */
const SHORTEST_MS = 40;
const WORKGROUP_SIZE = 64;
const TURNS = 64;
const FLOPS_PER_TURN = 64 * 4 * 2;
const FACTOR = 0.5;
const SUMMAND = 1;

/** Enough to fill a processor's cores, or a GPU's. */
const INVOCATIONS = { software: 1 << 14, hardware: 1 << 20 };
/** Beyond what the caches hold. */
const COPIED_BYTES = { software: 1 << 25, hardware: 1 << 27 };

const best = new WeakMap<Device, MeasuredLimits>();

/** The limits of a device, measured once. */
export async function limitsOf(device: Device): Promise<MeasuredLimits> {
  return best.get(device) ?? probeLimits(device);
}

/** Measures once more; the best so far is the limit, for other work on the machine only slows things down. */
export async function probeLimits(device: Device): Promise<MeasuredLimits> {
  const kind = device.facts.software ? 'software' : 'hardware';
  const fmaGflops = Math.max(
    await measureFma(device, fmaWgsl, 8, INVOCATIONS[kind]),
    await measureFma(device, fmaNarrowWgsl, 2, INVOCATIONS[kind]),
  );
  const copyGbps = await measureCopy(device, Math.min(COPIED_BYTES[kind], device.limits.maxStorageBufferBindingSize));
  const before = best.get(device) ?? { fmaGflops: 0, copyGbps: 0 };
  const limits = {
    fmaGflops: Math.max(fmaGflops, before.fmaGflops),
    copyGbps: Math.max(copyGbps, before.copyGbps),
  };
  best.set(device, limits);
  return limits;
}

async function measureFma(device: Device, kernel: WgslModule, chains: number, invocations: number): Promise<number> {
  const result = buffer(device, 16 * invocations, BUFFER_STORAGE);
  const uniforms = uniform(device, kernel, { turns: TURNS, factor: FACTOR, summand: SUMMAND });
  try {
    const ms = await time(device, kernel, { sizes: uniforms, result }, foldGrid(invocations / WORKGROUP_SIZE));
    // Each chain is at its fixed point by then.
    await check(device, kernel.name, result, chains * (SUMMAND / (1 - FACTOR)));
    return (invocations * TURNS * FLOPS_PER_TURN) / (ms * 1e6);
  } finally {
    uniforms.destroy();
    result.destroy();
  }
}

async function measureCopy(device: Device, bytes: number): Promise<number> {
  const original = buffer(device, bytes, BUFFER_STORAGE);
  const copied = buffer(device, bytes, BUFFER_STORAGE);
  const workgroups = foldGrid(bytes / 16 / WORKGROUP_SIZE);
  const uniforms = uniform(device, copyWgsl, { gridWidth: workgroups[0] });
  const last = new Float32Array([1 + Math.random()]);
  device.queue.writeBuffer(original, bytes - 4, last);
  try {
    const ms = await time(device, copyWgsl, { sizes: uniforms, original, copied }, workgroups);
    await check(device, copyWgsl.name, copied, last[0] ?? Number.NaN);
    return (2 * bytes) / (ms * 1e6);
  } finally {
    for (const each of [original, copied, uniforms]) each.destroy();
  }
}

/** Not of the pool, which would keep such large ones. */
function buffer({ gpu }: Device, size: number, usage: number): GPUBuffer {
  return gpu.createBuffer({ label: 'limits', size, usage: usage | BUFFER_COPY_SRC | BUFFER_COPY_DST });
}

function uniform(device: Device, { uniforms }: WgslModule, values: Readonly<Record<string, number>>): GPUBuffer {
  const { size = 16, fields = {} } = uniforms.sizes ?? {};
  const words = new DataView(new ArrayBuffer(Math.ceil(size / 16) * 16));
  for (const [name, value] of Object.entries(values)) {
    const { offset, type } = fields[name] ?? { offset: 0, type: 'f32' };
    if (type === 'u32') words.setUint32(offset, value, true);
    else words.setFloat32(offset, value, true);
  }
  const made = buffer(device, words.byteLength, BUFFER_UNIFORM);
  device.queue.writeBuffer(made, 0, words.buffer as ArrayBuffer);
  return made;
}

/** The best of some samples, in ms for one dispatch. */
async function time(
  device: Device,
  kernel: WgslModule,
  buffers: Readonly<Record<string, GPUBuffer>>,
  workgroups: readonly [number, number, number],
): Promise<number> {
  const { code, entryPoint, bindings, lineMap } = specialise(kernel, {
    replace: {},
    dropBindings: new Set(),
    extraBindings: [],
    includes: [],
    prelude: '',
  });
  const signature = bindings.map(({ access }) => access);
  const label = kernel.name;
  const pipeline = await device.pipelines.createAsync({ label, code, entryPoint, lineMap, signature, constants: {} });
  const group = device.gpu.createBindGroup({
    layout: device.pipelines.layout(signature).bindGroupLayout,
    entries: bindings.map(({ name }, binding) => ({ binding, resource: { buffer: buffers[name] as GPUBuffer } })),
  });
  let repeats = 1;
  const sample = async () => {
    const start = performance.now();
    const { error } = device.errors.scope(label, () => {
      const encoder = device.gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let i = 0; i < repeats; i++) pass.dispatchWorkgroups(...workgroups);
      pass.end();
      device.queue.submit([encoder.finish()]);
    });
    await device.readback.fence();
    const ms = performance.now() - start;
    const refusal = await error;
    if (refusal !== undefined) throw refusal;
    return ms;
  };
  for (let ms = await sample(); ms < SHORTEST_MS; ms = await sample()) {
    repeats = Math.ceil((1.2 * repeats * SHORTEST_MS) / Math.max(ms, 1));
  }
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < SAMPLES; i++) least = Math.min(least, await sample());
  return least / repeats;
}

/** A kernel that did nothing would be the fastest. */
async function check({ readback }: Device, name: string, result: GPUBuffer, expected: number): Promise<void> {
  const [value = Number.NaN] = new Float32Array(await readback.read(result, result.size - 4, 4));
  if (Math.abs(value - expected) <= 1e-5) return;
  throw new KernelError(name, `it gave ${value} where ${expected} was expected, so its speed means nothing.`);
}
