import type { Contender } from './case.js';
import type { Dispatch } from './report.js';
import { median } from './statistics.js';

/** A query set has at most 4096 entries. */
const MOST_DISPATCHES = 2048;
const RUNS = 25;

/**
 * How long each dispatch of a repetition takes, by timestamps around it. The device's encoders are replaced
 * meanwhile by ones that give each dispatch a pass of its own, which costs a little more than one pass for all.
 *
 * @returns undefined when the device has no timestamps.
 */
export async function profile(device: GPUDevice, contender: Contender, times = RUNS): Promise<Dispatch[] | undefined> {
  if (!device.features.has('timestamp-query')) return undefined;
  const stamps = new Stamps(device);
  const runs: number[][] = [];
  const create = device.createCommandEncoder;
  device.createCommandEncoder = (descriptor) => stamps.wrap(create.call(device, descriptor));
  try {
    for (let i = 0; i < times; i++) {
      contender.run();
      stamps.pause();
      await contender.settle();
      runs.push(await stamps.take());
    }
  } finally {
    device.createCommandEncoder = create;
    stamps.destroy();
  }
  return stamps.labels.map((label, i) => ({ label, ms: median(runs.map((run) => run[i] ?? Number.NaN)) }));
}

class Stamps {
  labels: string[] = [];
  #next: string[] = [];
  #paused = false;
  readonly #device: GPUDevice;
  readonly #set: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;

  constructor(device: GPUDevice) {
    const size = 16 * MOST_DISPATCHES;
    this.#device = device;
    this.#set = device.createQuerySet({ type: 'timestamp', count: 2 * MOST_DISPATCHES });
    this.#resolved = device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    this.#staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }

  /** Leaves what follows alone, up to `take`: the readback at a sample's end. */
  pause(): void {
    this.#paused = true;
  }

  wrap(encoder: GPUCommandEncoder): GPUCommandEncoder {
    if (this.#paused) return encoder;
    const begin = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = () => this.#pass(begin);
    return encoder;
  }

  /** A pass that only remembers what is set and opens a real one at each dispatch. */
  #pass(begin: GPUCommandEncoder['beginComputePass']): GPUComputePassEncoder {
    let pipeline: GPUComputePipeline | undefined;
    let group: GPUBindGroup | undefined;
    const pass = {
      setPipeline: (given: GPUComputePipeline) => {
        pipeline = given;
      },
      setBindGroup: (_index: number, given: GPUBindGroup) => {
        group = given;
      },
      dispatchWorkgroups: (x: number, y?: number, z?: number) => {
        const at = 2 * this.#next.length;
        if (at >= 2 * MOST_DISPATCHES) throw new Error(`more than ${MOST_DISPATCHES} dispatches to profile.`);
        const timed = begin({
          timestampWrites: { querySet: this.#set, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 },
        });
        timed.setPipeline(pipeline as GPUComputePipeline);
        timed.setBindGroup(0, group);
        timed.dispatchWorkgroups(x, y, z);
        timed.end();
        this.#next.push(group?.label ?? '');
      },
      end: () => undefined,
    };
    return pass as unknown as GPUComputePassEncoder;
  }

  /** The ms of each dispatch since the last take. */
  async take(): Promise<number[]> {
    const count = this.#next.length;
    this.labels = this.#next;
    this.#next = [];
    this.#paused = false;
    if (count === 0) return [];
    const encoder = GPUDevice.prototype.createCommandEncoder.call(this.#device);
    encoder.resolveQuerySet(this.#set, 0, 2 * count, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 16 * count);
    this.#device.queue.submit([encoder.finish()]);
    await this.#staging.mapAsync(GPUMapMode.READ);
    const times = new BigUint64Array(this.#staging.getMappedRange(0, 16 * count).slice(0));
    this.#staging.unmap();
    return this.labels.map((_, i) => Number((times[2 * i + 1] ?? 0n) - (times[2 * i] ?? 0n)) / 1e6);
  }

  destroy(): void {
    this.#set.destroy();
    this.#resolved.destroy();
    this.#staging.destroy();
  }
}
