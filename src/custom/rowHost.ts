import type { Device } from '../device/device.js';
import { foldGrid } from '../kernels/workgroups.js';

export interface RowHostChoice {
  readonly long: boolean;
  readonly variant: string;
  readonly replace: Readonly<Record<string, string>>;
  readonly overrides: Readonly<Record<string, number>>;
  readonly workgroups: readonly [number, number, number];
}

/** Which host kernel runs a row loss, and with how many lanes a row. */
export function rowHost({ facts }: Device, rows: number, _classes: number): RowHostChoice {
  // Threads are lanes of a CPU on a software adapter: one reads a row fastest, and a barrier costs most.
  const lanes = facts.software ? 1 : 64;
  const size = 64;
  return {
    long: true,
    variant: lanes === 1 ? 'thread a row' : `${lanes} lanes a row`,
    replace: {},
    overrides: { WORKGROUP_SIZE: size, LANES: lanes },
    workgroups: foldGrid(Math.ceil(rows / (size / lanes))),
  };
}
