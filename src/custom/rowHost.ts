import type { Device } from '../device/device.js';
import { foldGrid } from '../kernels/workgroups.js';

export interface RowHostChoice {
  readonly long: boolean;
  readonly variant: string;
  readonly overrides: Readonly<Record<string, number>>;
  readonly workgroups: readonly [number, number, number];
}

/** Logits that a lane of the short host holds (`ITEMS` in rowHostShort.wgsl). */
const ITEMS = 16;
const WORKGROUP_SIZE = 64;

/** Which host kernel runs a row loss, and with how many lanes a row. */
export function rowHost({ facts }: Device, rows: number, classes: number): RowHostChoice {
  // On a software adapter threads are lanes of a CPU: one reads a row fastest, and a barrier costs most.
  // On a GPU, a lane for every four classes, at least: 10 classes do not waste a workgroup.
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, classes / 4)));
  const lanes = facts.software ? 1 : Math.min(WORKGROUP_SIZE, wanted);
  const long = classes > lanes * ITEMS;
  const workgroups = foldGrid(Math.ceil(rows / (WORKGROUP_SIZE / lanes)));
  return {
    long,
    variant: `${long ? 'long' : 'short'} rows, ${lanes === 1 ? 'a thread' : `${lanes} lanes`} each`,
    overrides: { WORKGROUP_SIZE, LANES: lanes },
    workgroups,
  };
}
