import { DeviceLostError } from '../errors.js';

/** How long a rejected map or pipeline waits for `device.lost`, in ms: the two may arrive in either order. */
const LOSS_GRACE = 100;

/**
 * Watches one device for its loss and turns it into `DeviceLostError`. Nothing here opens another device:
 * who holds the engine decides that.
 */
export class DeviceLoss {
  /** Resolves (never rejects) once, when the device is lost or destroyed. */
  readonly lost: Promise<DeviceLostError>;
  #why: { readonly destroyed: boolean; readonly message: string } | undefined;

  constructor(gpu: GPUDevice) {
    this.lost = gpu.lost.then((info) => {
      this.#why ??= { destroyed: info.reason === 'destroyed', message: info.message };
      return this.error('device');
    });
  }

  get isLost(): boolean {
    return this.#why !== undefined;
  }

  /** Makes the loss known at once; `device.lost` itself resolves only in a later turn. */
  declareDestroyed(): void {
    this.#why ??= { destroyed: true, message: '' };
  }

  /** The loss as an error of `op`; call it only when lost. */
  error(op: string): DeviceLostError {
    if (this.#why?.destroyed === true) {
      return new DeviceLostError(op, 'the GPU device was destroyed; its tensors are gone.', {
        mend: 'make a new engine with await init(), and destroy an engine only after its last use.',
      });
    }
    const said = (this.#why?.message ?? '')
      .trim()
      .replace(/[.\s]+$/, '')
      .replace(/\s+/g, ' ');
    return new DeviceLostError(
      op,
      `the GPU device was lost (${said === '' ? 'the browser gave no reason' : said}); its tensors are gone.`,
      { mend: 'make a new engine with await init() and resume from the last checkpoint.' },
    );
  }

  /** @throws DeviceLostError when the device is lost. */
  assertAlive(op: string): void {
    if (this.isLost) throw this.error(op);
  }

  /** After an operation failed: whether the device's loss is the cause, waiting at most 100 ms to know. */
  async explains(): Promise<boolean> {
    if (this.isLost) return true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LOSS_GRACE);
    });
    await Promise.race([this.lost, grace]);
    clearTimeout(timer);
    return this.isLost;
  }
}
