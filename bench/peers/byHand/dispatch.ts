import { type KernelBinding, specialise } from '../../../src/kernels/specialise.js';
import type { WgslModule } from '../../../src/kernels/wgslModule.js';

/** One of the product's kernels with its buffers. */
export interface HandKernel {
  readonly kernel: WgslModule;
  /** Whole declarations by name: its hooks. */
  readonly replace?: Readonly<Record<string, string>>;
  readonly appended?: WgslModule;
  /** Buffers by the name of their binding, those of `extra` among them; the rest of the kernel's are dropped. */
  readonly buffers: Readonly<Record<string, GPUBuffer>>;
  /** Storage buffers of f32 that the hooks use besides. */
  readonly extra?: Readonly<Record<string, 'read' | 'read_write'>>;
  /** Of the kernel's `sizes`. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly overrides: Readonly<Record<string, number>>;
  readonly workgroups: readonly [number, number, number];
}

/** All that encoding it takes. */
export interface HandDispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

type Pipelines = Map<string, Promise<GPUComputePipeline>>;

/** Makes all that the pass needs; kernels that differ in nothing but their buffers and sizes share a pipeline. */
export function handDispatches(gpu: GPUDevice, kernels: readonly HandKernel[]): Promise<HandDispatch[]> {
  const pipelines: Pipelines = new Map();
  return Promise.all(kernels.map((kernel) => handDispatch(gpu, kernel, pipelines)));
}

async function handDispatch(gpu: GPUDevice, given: HandKernel, pipelines: Pipelines): Promise<HandDispatch> {
  const { kernel, buffers, workgroups } = given;
  const unused = Object.keys(kernel.bindings).filter((name) => name !== 'sizes' && buffers[name] === undefined);
  const extra: KernelBinding[] = Object.entries(given.extra ?? {}).map(([name, access]) => ({
    name,
    access,
    type: 'array<f32>',
  }));
  const { code, entryPoint, bindings } = specialise(kernel, {
    replace: given.replace ?? {},
    dropBindings: new Set(unused),
    extraBindings: extra,
    includes: [],
    appended: given.appended,
    prelude: '',
  });
  const key = `${code} ${JSON.stringify(given.overrides)}`;
  const compiling =
    pipelines.get(key) ??
    gpu.createComputePipelineAsync({
      label: `by hand: ${kernel.name}`,
      layout: 'auto',
      compute: { module: gpu.createShaderModule({ code }), entryPoint, constants: { ...given.overrides } },
    });
  pipelines.set(key, compiling);
  const pipeline = await compiling;
  const sizes = uniformOf(gpu, kernel, given.sizes);
  const group = gpu.createBindGroup({
    label: kernel.name,
    layout: pipeline.getBindGroupLayout(0),
    entries: bindings.map(({ name }, binding) => ({
      binding,
      resource: { buffer: name === 'sizes' ? sizes : (buffers[name] as GPUBuffer) },
    })),
  });
  return { pipeline, group, workgroups };
}

function uniformOf(gpu: GPUDevice, { uniforms }: WgslModule, values: Readonly<Record<string, number>>): GPUBuffer {
  const { size, fields } = uniforms.sizes as NonNullable<typeof uniforms.sizes>;
  const words = new DataView(new ArrayBuffer(Math.ceil(size / 16) * 16));
  for (const [name, value] of Object.entries(values)) {
    const { offset, type } = fields[name] as (typeof fields)[string];
    if (type === 'u32') words.setUint32(offset, value, true);
    else if (type === 'i32') words.setInt32(offset, value, true);
    else words.setFloat32(offset, value, true);
  }
  const buffer = gpu.createBuffer({
    size: words.byteLength,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  gpu.queue.writeBuffer(buffer, 0, words.buffer);
  return buffer;
}

/** The bare loop: one pass and one submit of what was made before. */
export function submitDispatches(gpu: GPUDevice, dispatches: readonly HandDispatch[]): void {
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (let i = 0; i < dispatches.length; i++) {
    const { pipeline, group, workgroups } = dispatches[i] as HandDispatch;
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
  }
  pass.end();
  gpu.queue.submit([encoder.finish()]);
}
