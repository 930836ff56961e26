import { type CotangentError, findCallSite, KernelError } from '../errors.js';
import { type ErrorSink, wording } from './errorSink.js';
import { STAGE_COMPUTE } from './flags.js';
import type { DeviceLoss } from './recovery.js';

/**
 * How a kernel uses a buffer; binding i of group 0 is of the i-th kind. A `uniform_at` is a uniform whose offset is given
 * with the bind group, at each dispatch.
 */
export type BindingKind = 'uniform' | 'uniform_at' | 'read' | 'read_write';

/** Where a line of assembled WGSL came from; lines count from 1. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
}

export interface PipelineDescription {
  /** The kernel's name: in errors it stands for the file of lines that `lineMap` does not place. */
  readonly label: string;
  /** The whole WGSL, includes resolved. */
  readonly code: string;
  readonly entryPoint: string;
  /** Values of the `override` constants by name. */
  readonly constants: Readonly<Record<string, number>>;
  readonly signature: readonly BindingKind[];
  /** Names the user's file and line for a line of `code` (from 1); undefined for a line of ours. */
  readonly lineMap?: ((line: number) => SourceLine | undefined) | undefined;
}

export interface KernelLayout {
  readonly bindGroupLayout: GPUBindGroupLayout;
  readonly pipelineLayout: GPUPipelineLayout;
}

/** A pipeline made synchronously, whose verdict comes later. */
export interface CreatedPipeline {
  readonly pipeline: GPUComputePipeline;
  /**
   * Resolves, never rejects: undefined when the pipeline is valid. Dispatching an invalid one does nothing
   * and leaves an uncaptured error, so await this before trusting what the dispatch wrote.
   */
  readonly error: Promise<CotangentError | undefined>;
}

const BUFFER_TYPES: Record<BindingKind, GPUBufferBindingType> = {
  uniform: 'uniform',
  uniform_at: 'uniform',
  read: 'read-only-storage',
  read_write: 'storage',
};

/** Compilation errors shown at most: later ones are mostly consequences. */
const SHOWN = 5;

/** Shader modules, layouts and pipelines, each made once. A pipeline that fails is forgotten, so it can be tried again. */
export class PipelineCache {
  readonly #gpu: GPUDevice;
  readonly #loss: DeviceLoss;
  readonly #errors: ErrorSink;
  readonly #layouts = new Map<string, KernelLayout>();
  readonly #modules = new Map<string, { readonly id: number; readonly module: GPUShaderModule }>();
  readonly #pipelines = new Map<string, CreatedPipeline>();
  readonly #pending = new Map<string, Promise<GPUComputePipeline>>();
  #nextModule = 0;
  #created = 0;

  constructor(gpu: GPUDevice, loss: DeviceLoss, errors: ErrorSink) {
    this.#gpu = gpu;
    this.#loss = loss;
    this.#errors = errors;
  }

  /** Pipelines whose creation was begun so far, failed ones too. */
  get pipelinesCreated(): number {
    return this.#created;
  }

  /**
   * The layouts of a signature, shared by all its kernels: so one bind group may serve several.
   *
   * @throws KernelError for more storage buffers than the device binds.
   */
  layout(signature: readonly BindingKind[]): KernelLayout {
    const key = signature.join();
    const known = this.#layouts.get(key);
    if (known !== undefined) return known;
    this.#checkCount(signature);
    const bindGroupLayout = this.#gpu.createBindGroupLayout({
      label: key,
      entries: signature.map((kind, binding) => ({
        binding,
        visibility: STAGE_COMPUTE,
        buffer: { type: BUFFER_TYPES[kind], hasDynamicOffset: kind === 'uniform_at' },
      })),
    });
    const pipelineLayout = this.#gpu.createPipelineLayout({ label: key, bindGroupLayouts: [bindGroupLayout] });
    const made = { bindGroupLayout, pipelineLayout };
    this.#layouts.set(key, made);
    return made;
  }

  /** The pipeline if it exists already. */
  get(description: PipelineDescription): GPUComputePipeline | undefined {
    return this.#find(description)?.pipeline;
  }

  /**
   * Makes the pipeline now (or gives the one made before, with its verdict); its first dispatch waits for the
   * compiler. Prefer `createAsync` wherever awaiting is possible.
   *
   * @throws KernelError for more storage buffers than the device binds; DeviceLostError.
   */
  create(description: PipelineDescription): CreatedPipeline {
    this.#loss.assertAlive(description.label);
    const { pipelineLayout } = this.layout(description.signature);
    const known = this.#find(description);
    if (known !== undefined) return known;
    const callSite = findCallSite();
    this.#created += 1;
    const { result, error } = this.#errors.scope(description.label, () => {
      const { id, module } = this.#module(description);
      const pipeline = this.#gpu.createComputePipeline(describe(description, module, pipelineLayout));
      return { key: keyOf(id, description), module, pipeline };
    });
    const { key, module, pipeline } = result;
    const verdict = error.then(async (refusal) => {
      if (refusal === undefined) return undefined;
      this.#pipelines.delete(key);
      // Only a refusal can be about the WGSL; lost devices and full memory speak for themselves.
      if (!(refusal instanceof KernelError)) return refusal;
      return explain(description, module, callSite, refusal.cause ?? refusal);
    });
    const made = { pipeline, error: verdict };
    this.#pipelines.set(key, made);
    return made;
  }

  /**
   * Makes the pipeline without blocking; different ones compile in parallel, and calls for the same one share it.
   *
   * @throws (rejects) KernelError with the offending lines of WGSL; DeviceLostError.
   */
  createAsync(description: PipelineDescription): Promise<GPUComputePipeline> {
    const callSite = findCallSite();
    const module = this.#modules.get(description.code);
    const pending = module && this.#pending.get(keyOf(module.id, description));
    return pending ?? this.#begin(description, callSite);
  }

  async #begin(description: PipelineDescription, callSite: string | undefined): Promise<GPUComputePipeline> {
    this.#loss.assertAlive(description.label);
    const { pipelineLayout } = this.layout(description.signature);
    const known = this.#find(description);
    if (known !== undefined) {
      const refusal = await known.error;
      if (refusal !== undefined) throw refusal;
      return known.pipeline;
    }
    // A module's own errors are repeated by its pipeline, with its compilation messages.
    const { result: entry } = this.#errors.scope(description.label, () => this.#module(description));
    const key = keyOf(entry.id, description);
    this.#created += 1;
    const made = this.#compile(description, entry.module, pipelineLayout, callSite).then(
      (pipeline) => {
        this.#pending.delete(key);
        if (!this.#pipelines.has(key)) this.#pipelines.set(key, { pipeline, error: Promise.resolve(undefined) });
        return pipeline;
      },
      (refusal: unknown) => {
        this.#pending.delete(key);
        throw refusal;
      },
    );
    this.#pending.set(key, made);
    return made;
  }

  async #compile(
    description: PipelineDescription,
    module: GPUShaderModule,
    layout: GPUPipelineLayout,
    callSite: string | undefined,
  ): Promise<GPUComputePipeline> {
    let pipeline: GPUComputePipeline;
    try {
      pipeline = await this.#gpu.createComputePipelineAsync(describe(description, module, layout));
    } catch (cause) {
      // A wrong kernel is known at once; any other failure may be the first sign of a lost device.
      const wrong = (cause as Partial<GPUPipelineError>).reason === 'validation';
      if (this.#loss.isLost || (!wrong && (await this.#loss.explains()))) throw this.#loss.error(description.label);
      throw await explain(description, module, callSite, cause);
    }
    // A lost device resolves with a pipeline that does nothing.
    this.#loss.assertAlive(description.label);
    return pipeline;
  }

  #find(description: PipelineDescription): CreatedPipeline | undefined {
    const entry = this.#modules.get(description.code);
    return entry && this.#pipelines.get(keyOf(entry.id, description));
  }

  #module({ code, label }: PipelineDescription): { readonly id: number; readonly module: GPUShaderModule } {
    const known = this.#modules.get(code);
    if (known !== undefined) return known;
    const made = { id: this.#nextModule++, module: this.#gpu.createShaderModule({ label, code }) };
    this.#modules.set(code, made);
    return made;
  }

  #checkCount(signature: readonly BindingKind[]): void {
    const storage = signature.filter((kind) => BUFFER_TYPES[kind] !== 'uniform').length;
    const most = this.#gpu.limits.maxStorageBuffersPerShaderStage;
    if (storage <= most) return;
    throw new KernelError(
      'layout',
      `a kernel binds ${storage} storage buffers, but this device's maxStorageBuffersPerShaderStage is ${most}.`,
      { mend: 'split the kernel, or pack several operands into one buffer.' },
    );
  }
}

function keyOf(moduleId: number, { entryPoint, constants, signature }: PipelineDescription): string {
  const values = Object.keys(constants)
    .sort()
    .map((name) => `${name}=${constants[name]}`);
  return `${moduleId} ${entryPoint} ${signature.join()} ${values.join()}`;
}

function describe(
  { label, entryPoint, constants }: PipelineDescription,
  module: GPUShaderModule,
  layout: GPUPipelineLayout,
): GPUComputePipelineDescriptor {
  return { label, layout, compute: { module, entryPoint, constants } };
}

const messagesByModule = new WeakMap<GPUShaderModule, Promise<readonly GPUCompilationMessage[]>>();

/** The compiler's errors, asked for once a module: Chrome leaves a second question open until other work stirs it. */
function compilationErrors(module: GPUShaderModule): Promise<readonly GPUCompilationMessage[]> {
  const known = messagesByModule.get(module);
  if (known !== undefined) return known;
  const asked = module.getCompilationInfo().then(
    ({ messages }) => messages.filter((message) => message.type === 'error'),
    () => [],
  );
  messagesByModule.set(module, asked);
  return asked;
}

/** The compiler's messages as one KernelError; without any, the GPU's own words about the pipeline. */
async function explain(
  description: PipelineDescription,
  module: GPUShaderModule,
  callSite: string | undefined,
  cause: unknown,
): Promise<KernelError> {
  const [first, ...rest] = await compilationErrors(module);
  if (first === undefined) return new KernelError(description.label, wording(cause), { callSite, cause });
  const source = description.code.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/);
  const blocks = [`${first.message.trim()}${excerpt(description, source, first)}`];
  for (const message of rest.slice(0, SHOWN - 1)) {
    blocks.push(`${place(description, message)}: ${message.message.trim()}${excerpt(description, source, message)}`);
  }
  if (rest.length >= SHOWN) blocks.push(`and ${rest.length - SHOWN + 1} more errors`);
  return new KernelError(place(description, first), blocks.join('\n'), { callSite, cause });
}

/** `focal.wgsl:14:9`; without a position, the kernel's label. */
function place(description: PipelineDescription, { lineNum, linePos }: GPUCompilationMessage): string {
  if (lineNum === 0) return description.label;
  const mapped = description.lineMap?.(lineNum);
  return `${mapped?.file ?? description.label}:${mapped?.line ?? lineNum}:${linePos}`;
}

/** The offending line with its number, and carets under the offence. */
function excerpt(description: PipelineDescription, source: readonly string[], message: GPUCompilationMessage): string {
  const line = source[message.lineNum - 1];
  if (line === undefined) return '';
  const number = String(description.lineMap?.(message.lineNum)?.line ?? message.lineNum);
  const start = Math.max(0, message.linePos - 1);
  const carets = '^'.repeat(Math.max(1, Math.min(message.length, line.length - start)));
  // Tabs stay tabs before the carets, so that they stand under the offence at any width.
  const indent = line.slice(0, start).replace(/[^\t]/g, ' ');
  return `\n  ${number} | ${line}\n  ${' '.repeat(number.length)} | ${indent}${carets}`;
}
