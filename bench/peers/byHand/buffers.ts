/** Storage buffers of a step by hand, with a count of their bytes and a way to read them. */
export class HandBuffers {
  bytes = 0;
  readonly #gpu: GPUDevice;
  readonly #made: GPUBuffer[] = [];
  readonly #corner: GPUBuffer;

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
    this.#corner = gpu.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }

  /** Of zeros. */
  empty(length: number): GPUBuffer {
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    const buffer = this.#gpu.createBuffer({ size: 4 * length, usage: STORAGE | COPY_SRC | COPY_DST });
    this.bytes += buffer.size;
    this.#made.push(buffer);
    return buffer;
  }

  of(values: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): GPUBuffer {
    const buffer = this.empty(values.length);
    this.#gpu.queue.writeBuffer(buffer, 0, values);
    return buffer;
  }

  /** The first word of a buffer, once all that was submitted is done. */
  async corner(of: GPUBuffer): Promise<number> {
    return (await this.#map(of, this.#corner, 4))[0] ?? Number.NaN;
  }

  async read(of: GPUBuffer): Promise<Float32Array> {
    const staging = this.#gpu.createBuffer({ size: of.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const values = await this.#map(of, staging, of.size);
    staging.destroy();
    return values;
  }

  async #map(of: GPUBuffer, staging: GPUBuffer, bytes: number): Promise<Float32Array> {
    const encoder = this.#gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(of, 0, staging, 0, bytes);
    this.#gpu.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ, 0, bytes);
    const values = new Float32Array(staging.getMappedRange(0, bytes).slice(0));
    staging.unmap();
    return values;
  }

  destroy(): void {
    for (const buffer of [...this.#made, this.#corner]) buffer.destroy();
  }
}
