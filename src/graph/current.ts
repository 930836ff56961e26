import type { Engine } from './engine.js';
import { runtime, runtimeInUse } from './runtime.js';

// The runtime by its full type: only engines register themselves there.

/** @internal The engine in use. */
export function engine(op: string): Engine {
  return runtime(op) as Engine;
}

/** @internal The engine in use, if any. */
export function engineInUse(): Engine | undefined {
  return runtimeInUse() as Engine | undefined;
}
