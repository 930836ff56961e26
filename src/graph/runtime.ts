import { ValueError } from '../errors.js';
import type { TypedArray } from './dtype.js';
import type { Tensor } from './tensor.js';

/** What tensors ask of the engine. It stands below them, so it registers itself here. */
export interface Runtime {
  read(tensor: Tensor): Promise<TypedArray>;
  assign(parameter: Tensor, value: Tensor): void;
  /** Gives a parameter its first value now. */
  snapshot(parameter: Tensor): void;
  /** Computes tensors now (a graph that grew too deep). */
  compute(tensors: readonly Tensor[]): void;
}

let current: Runtime | undefined;

export function setRuntime(runtime: Runtime | undefined): void {
  current = runtime;
}

export function runtime(op: string): Runtime {
  if (current === undefined) {
    throw new ValueError(op, 'no engine is running.', { mend: 'call await init() first.' });
  }
  return current;
}

export function runtimeInUse(): Runtime | undefined {
  return current;
}
