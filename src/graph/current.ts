import { ValueError } from '../errors.js';
import type { Engine } from './engine.js';

let current: Engine | undefined;

/** @internal */
export function setEngine(engine: Engine | undefined): void {
  current = engine;
}

/** @internal The engine in use. */
export function engine(op: string): Engine {
  if (current === undefined) {
    throw new ValueError(op, 'no engine is running.', { mend: 'call await init() first.' });
  }
  return current;
}

/** @internal The engine in use, if any. */
export function engineInUse(): Engine | undefined {
  return current;
}
