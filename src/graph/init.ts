import { checkChoices, type TunerChoices } from '../kernels/tunerChoices.js';
import { engine } from './current.js';
import { Engine, type EngineOptions } from './engine.js';
import type { MemoryReport } from './heap.js';

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

/**
 * Which variant of each kernel the current engine runs, by shape class: those timed, kept or given, and the static
 * ones that its plans were made with. Plain data; the same choices give the same bits.
 */
export function tunerChoices(): TunerChoices {
  return engine('tunerChoices').tuner.record();
}

/**
 * Makes the current engine's plans from now on with these choices, whatever `tune` says. Choices of another adapter or
 * version of the library are not taken, with a warning.
 *
 * @throws ValueError for what `tunerChoices` did not make.
 */
export function loadTunerChoices(choices: TunerChoices): void {
  engine('loadTunerChoices').tuner.take(checkChoices('loadTunerChoices', choices), 'loadTunerChoices');
}
