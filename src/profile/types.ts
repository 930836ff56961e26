import type { MeasuredLimits } from '../kernels/limits.js';
import type { ChoiceOrigin } from '../kernels/variants.js';

/** One dispatch of a step: what it does and, where the GPU tells the time, how fast. */
export interface ProfiledDispatch {
  readonly label: string;
  /** The kernel's variant, as `explain` has it. */
  readonly variant?: string;
  /** Who chose it among several, as `explain` has it. */
  readonly origin?: ChoiceOrigin;
  readonly grid: readonly [number, number, number];
  /** How often a step runs it: more than once inside a repeat. What follows is of one run. */
  readonly runs: number;
  /** Read and written, as `explain` counts them. */
  readonly bytes: number;
  readonly flops: number;
  /** Which limit its share of is larger, at any speed: the roof above it. */
  readonly boundBy: 'fma' | 'bandwidth';
  /** In a pass of its own. This and what follows only where there are timestamps. */
  readonly ms?: number;
  /** How often it ran between two timestamps. */
  readonly repeats?: number;
  /** These four are absent where it took no time that could be measured. */
  readonly gflops?: number;
  readonly gbps?: number;
  readonly shareOfFma?: number;
  readonly shareOfBandwidth?: number;
}

/** Where a step's time goes. Plain data. */
export interface Profile {
  /** The compiled function's name. */
  readonly name: string;
  readonly adapter: string;
  readonly limits: MeasuredLimits;
  /** 'dispatch': each dispatch was timed; 'step': the device has no timestamps, so only whole steps were. */
  readonly timing: 'dispatch' | 'step';
  /** What the reader must know of how it was timed. */
  readonly note: string;
  /** Steps that were done for it: what a step changes has changed so often. */
  readonly steps: number;
  /** JavaScript's time of one call: encode and submit. */
  readonly cpuMs: number;
  /** From one step to the next, many in a row and none read: the pace of training. */
  readonly stepMs: number;
  /** The sum over the dispatches; absent without timestamps. */
  readonly gpuMs?: number;
  readonly dispatches: readonly ProfiledDispatch[];
}
