import { engine } from './current.js';
import { Engine, type EngineOptions, type MemoryReport } from './engine.js';

/**
 * Finds the GPU and makes the default engine on it; call it once, before the first value is read.
 * Again, it replaces the default engine (after a lost device, say); tensors of the former stay with that.
 *
 * @throws NoWebGPUError when there is none: no `navigator.gpu`, no adapter, an insecure page, each with its mend.
 */
export async function init(options: EngineOptions = {}): Promise<Engine> {
  return (await Engine.create(options)).use();
}

/** A further engine, with a device and memory of its own. `engine.use()` makes it the current one. */
export function createEngine(options: EngineOptions = {}): Promise<Engine> {
  return Engine.create(options);
}

/** What the current engine holds on the GPU, and for whom. */
export function memory(): MemoryReport {
  return engine('memory').memory();
}
