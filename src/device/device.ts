import { type DeviceLostError, NoWebGPUError } from '../errors.js';
import { BufferPool } from './buffers.js';
import { Complaints } from './complaints.js';
import { ErrorSink, wording } from './errorSink.js';
import { PipelineCache } from './pipelines.js';
import { Readback } from './readback.js';
import { DeviceLoss } from './recovery.js';
// Types only, for whoever reads our declarations.
import './webgpu.js';

export interface DeviceOptions {
  /** Which GPU of several. Default 'high-performance'. */
  powerPreference?: 'high-performance' | 'low-power';
  /**
   * 'auto' (default) takes what the browser gives; 'hardware' refuses a software adapter with NoWebGPUError;
   * 'software' wants the fallback adapter, which runs on the CPU, and takes no other.
   */
  adapter?: 'auto' | 'hardware' | 'software';
  /**
   * 'adapter' (default): sizes of buffers, bindings and workgroups as high as the adapter has them;
   * 'default': WebGPU's default limits, as on the weakest device.
   */
  limits?: 'adapter' | 'default';
  /** Optional features to leave out, e.g. ['subgroups'] to test fallbacks. Default none. */
  withoutFeatures?: readonly OptionalFeature[];
  /** Where WebGPU comes from. Default `navigator.gpu`. */
  gpu?: GPU;
}

/** `M` x `K` by `K` x `N`, of one component type, summed in another. */
export interface SubgroupMatrix {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly componentType: string;
  readonly resultComponentType: string;
}

/** What is known of the adapter; empty strings for what the browser hides. */
export interface AdapterFacts {
  /** For people: the description, or the best there is. */
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** It runs on the CPU: SwiftShader, llvmpipe, WARP and the like. */
  readonly software: boolean;
  /** Lanes in the smallest and largest subgroup; absent where the adapter has no subgroups. */
  readonly subgroupMinSize?: number;
  readonly subgroupMaxSize?: number;
  /** Products of small matrices that a subgroup does at once; none where the adapter lacks the feature. */
  readonly subgroupMatrices: readonly SubgroupMatrix[];
  /** All that the adapter offers, sorted; what the device has is `Device.features`. */
  readonly features: readonly string[];
}

/** Chrome offers it where the page's flags allow experiments. */
export const SUBGROUP_MATRIX = 'chromium-experimental-subgroup-matrix';

const FEATURES = ['timestamp-query', 'subgroups', 'shader-f16', SUBGROUP_MATRIX] as const;

/** Features that kernels have variants for. */
export type OptionalFeature = (typeof FEATURES)[number];

/** Limits worth raising. Not maxStorageBuffersPerShaderStage: a kernel with more than 8 would run only here. */
const RAISED = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxUniformBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/** Whether what an adapter calls itself is the name of one that runs on the CPU. */
export const isSoftware = (name: string) => /swiftshader|llvmpipe|lavapipe|softpipe|\bwarp\b|basic render/i.test(name);

const SUPPORT = 'use Chrome or Edge 113, Safari 26 or Firefox 141 or later, on a system where WebGPU is on';
const SOFTWARE_MEND = "turn on the browser's hardware acceleration and update the GPU driver, or take adapter: 'auto'.";

/** One open GPU device with all that works on it: buffers, pipelines, readback, errors, loss. */
export class Device {
  readonly gpu: GPUDevice;
  readonly queue: GPUQueue;
  readonly facts: AdapterFacts;
  readonly features: ReadonlySet<string>;
  readonly limits: GPUSupportedLimits;
  readonly buffers: BufferPool;
  readonly pipelines: PipelineCache;
  readonly readback: Readback;
  readonly errors: ErrorSink;
  readonly complaints: Complaints;
  readonly #loss: DeviceLoss;

  private constructor(gpu: GPUDevice, adapter: GPUAdapter) {
    this.gpu = gpu;
    this.queue = gpu.queue;
    this.facts = factsOf(adapter);
    this.features = gpu.features;
    this.limits = gpu.limits;
    this.#loss = new DeviceLoss(gpu);
    this.errors = new ErrorSink(gpu, this.#loss);
    this.buffers = new BufferPool(gpu, this.#loss, { adapterLimits: adapter.limits });
    this.pipelines = new PipelineCache(gpu, this.#loss, this.errors);
    this.readback = new Readback(gpu, this.#loss, this.errors);
    this.complaints = new Complaints(gpu, this.readback);
  }

  /**
   * Finds an adapter and opens a device on it, in a page, a worker, or Node with Dawn.
   *
   * @throws (rejects) NoWebGPUError that says why: an insecure page, a browser without WebGPU, no adapter,
   *   a software adapter where hardware was asked for, or a device refused; each with its mend.
   */
  static async open(options: DeviceOptions = {}): Promise<Device> {
    const gpu = options.gpu ?? browserGpu();
    const adapter = await findAdapter(gpu, options);
    const raised: Record<string, number> = {};
    if (options.limits !== 'default') for (const name of RAISED) raised[name] = adapter.limits[name];
    const without = new Set(options.withoutFeatures);
    // The one brings the other.
    if (without.has('subgroups')) without.add(SUBGROUP_MATRIX);
    const wanted = FEATURES.filter((name) => adapter.features.has(name) && !without.has(name));
    const requiredFeatures = wanted as readonly string[] as GPUFeatureName[];
    let device: GPUDevice;
    try {
      device = await adapter.requestDevice({ label: 'cotangent', requiredFeatures, requiredLimits: raised });
    } catch (cause) {
      throw new NoWebGPUError('init', `adapter ${factsOf(adapter).name} gave no device: ${wording(cause)}`, {
        mend: 'reload the page; if it happens again, restart the browser and update the GPU driver.',
        cause,
      });
    }
    return new Device(device, adapter);
  }

  /** Resolves (never rejects) when the device is lost or destroyed. */
  get lost(): Promise<DeviceLostError> {
    return this.#loss.lost;
  }

  get isLost(): boolean {
    return this.#loss.isLost;
  }

  /** @throws DeviceLostError, with the reason and the mend, as an error of `op`, when the device is lost. */
  assertAlive(op: string): void {
    this.#loss.assertAlive(op);
  }

  /** Frees everything on the device at once; what is in flight rejects with DeviceLostError. */
  destroy(): void {
    this.#loss.declareDestroyed();
    this.buffers.destroy();
    this.readback.destroy();
    this.gpu.destroy();
  }
}

function browserGpu(): GPU {
  const gpu: GPU | undefined = typeof navigator === 'undefined' ? undefined : navigator.gpu;
  if (gpu !== undefined) return gpu;
  if (globalThis.isSecureContext === false) {
    const origin = typeof location === 'undefined' ? 'this page' : location.origin;
    throw new NoWebGPUError('init', `WebGPU exists only in secure contexts, and ${origin} is not one.`, {
      mend: 'serve the page over https, or from localhost.',
    });
  }
  throw new NoWebGPUError('init', 'this browser has no WebGPU (navigator.gpu is undefined).', {
    mend: `${SUPPORT}; in Node, pass the gpu option from the webgpu package.`,
  });
}

async function findAdapter(gpu: GPU, options: DeviceOptions): Promise<GPUAdapter> {
  const powerPreference = options.powerPreference ?? 'high-performance';
  const kind = options.adapter ?? 'auto';
  const adapter = await requestAdapter(gpu, { powerPreference, forceFallbackAdapter: kind === 'software' });
  const facts = adapter === null ? undefined : factsOf(adapter);
  // Some browsers ignore the wish for a fallback adapter and give another.
  if (kind === 'software' && facts?.software !== true) {
    throw new NoWebGPUError('init', 'this browser has no software adapter.', {
      mend: "take adapter: 'auto', or start Chrome with --use-webgpu-adapter=swiftshader --enable-unsafe-webgpu.",
    });
  }
  if (adapter === null || facts === undefined) {
    throw new NoWebGPUError('init', 'the browser has WebGPU but found no adapter for it.', {
      mend: "turn on the browser's hardware acceleration and update the GPU driver; chrome://gpu tells what is blocked.",
    });
  }
  if (kind === 'hardware' && facts.software) {
    throw new NoWebGPUError('init', `only a software adapter was found (${facts.name}), and hardware was asked for.`, {
      mend: SOFTWARE_MEND,
    });
  }
  return adapter;
}

async function requestAdapter(gpu: GPU, options: GPURequestAdapterOptions): Promise<GPUAdapter | null> {
  try {
    return await gpu.requestAdapter(options);
  } catch (cause) {
    throw new NoWebGPUError('init', `the browser failed to look for an adapter: ${wording(cause)}`, {
      mend: 'reload the page, or restart the browser.',
      cause,
    });
  }
}

function factsOf(adapter: GPUAdapter): AdapterFacts {
  const { info } = adapter;
  const { vendor, architecture, device, description } = info;
  const name = description || device || [vendor, architecture].filter((part) => part !== '').join(' ') || 'unnamed';
  const subgroups = adapter.features.has('subgroups')
    ? { subgroupMinSize: info.subgroupMinSize, subgroupMaxSize: info.subgroupMaxSize }
    : {};
  return {
    name,
    vendor,
    architecture,
    device,
    description,
    // isFallbackAdapter is young: where it is missing the names decide.
    software: info.isFallbackAdapter === true || isSoftware(`${vendor} ${architecture} ${device} ${description}`),
    ...subgroups,
    subgroupMatrices: matricesOf(info),
    features: [...adapter.features].sort(),
  };
}

/** Copied out of the browser's own objects, which JSON and spreading find empty. */
function matricesOf(info: GPUAdapterInfo): SubgroupMatrix[] {
  const { subgroupMatrixConfigs = [] } = info as { readonly subgroupMatrixConfigs?: Iterable<SubgroupMatrix> };
  return Array.from(subgroupMatrixConfigs, ({ M, N, K, componentType, resultComponentType }) => ({
    M,
    N,
    K,
    componentType,
    resultComponentType,
  }));
}
