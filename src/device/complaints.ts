import type { CotangentError } from '../errors.js';
import { BUFFER_COPY_DST, BUFFER_COPY_SRC, BUFFER_STORAGE } from './flags.js';
import type { Readback } from './readback.js';

/** Bindings begin at multiples of it. */
const STRIDE = 256;
const PLACES = 256;

/** Words of a buffer for one kind of complaint. */
export interface ComplaintPlace {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * What kernels find wrong with their data. A kernel says so in a word of its own (`shaders/common/complain.wgsl`);
 * nobody reads it back at once: whoever reads something later, or waits for the GPU, hears of it then.
 */
export class Complaints {
  /** A kernel that may complain has been submitted since the last look. */
  armed = false;
  readonly #gpu: GPUDevice;
  readonly #readback: Readback;
  #buffer: GPUBuffer | undefined;
  /** By its key, so that plans made again and again share one. */
  readonly #places = new Map<string, { readonly words: number; readonly error: ErrorOf }>();

  constructor(gpu: GPUDevice, readback: Readback) {
    this.#gpu = gpu;
    this.#readback = readback;
  }

  /** The buffer that kernels which complain bind; undefined as long as there are none. */
  get buffer(): GPUBuffer | undefined {
    return this.#buffer;
  }

  /**
   * A place for the complaints of a kind; undefined when there are more kinds than places: those go unheard.
   *
   * @param key one for all kernels whose complaints read alike.
   * @param error of a word and the least number (a row, say) that was complained of.
   */
  claim(key: string, words: number, error: ErrorOf): ComplaintPlace | undefined {
    if (!this.#places.has(key)) {
      if (this.#places.size === PLACES) return undefined;
      this.#places.set(key, { words, error });
    }
    const index = [...this.#places.keys()].indexOf(key);
    this.#buffer ??= this.#gpu.createBuffer({
      label: 'complaints',
      size: STRIDE * PLACES,
      usage: BUFFER_STORAGE | BUFFER_COPY_SRC | BUFFER_COPY_DST,
    });
    return { buffer: this.#buffer, offset: STRIDE * index, bytes: 4 * words };
  }

  /** The first complaint of the work submitted so far, if any; each is heard once. */
  async look(): Promise<CotangentError | undefined> {
    const buffer = this.#buffer;
    this.armed = false;
    if (buffer === undefined) return undefined;
    const encoder = this.#gpu.createCommandEncoder({ label: 'complaints' });
    const staged = this.#readback.stage(encoder, buffer, 0, STRIDE * this.#places.size);
    encoder.clearBuffer(buffer);
    this.#gpu.queue.submit([encoder.finish()]);
    const found = new Uint32Array(await staged.map());
    let at = 0;
    for (const { words, error } of this.#places.values()) {
      for (let word = 0; word < words; word++) {
        const said = found[at + word] ?? 0;
        if (said !== 0) return error(word, 0xffffffff - said);
      }
      at += STRIDE / 4;
    }
    return undefined;
  }
}

type ErrorOf = (word: number, found: number) => CotangentError;
