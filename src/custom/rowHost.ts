import type { Device } from '../device/device.js';
import { foldGrid, rowsPerWorkgroup } from '../kernels/workgroups.js';

export interface RowHostChoice {
  readonly long: boolean;
  readonly variant: string;
  readonly overrides: Readonly<Record<string, number>>;
  readonly workgroups: readonly [number, number, number];
}

/** Logits that a lane of the short host holds (`ITEMS` in rowHostShort.wgsl). */
const ITEMS = 16;

/**
 * Which host kernel runs a row loss, and with how many lanes a row. Measured on the software adapter: a thread a
 * row, always the long host (memory held per thread is as dear as reading the row again), in small workgroups for
 * few rows. For GPUs, not measured: a lane for every four classes, at most 64.
 */
export function rowHost({ facts }: Device, rows: number, classes: number): RowHostChoice {
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, classes / 4)));
  const lanes = facts.software ? 1 : Math.min(64, wanted);
  const size = facts.software ? rowsPerWorkgroup(rows) : 64;
  const long = facts.software || classes > lanes * ITEMS;
  return {
    long,
    variant: `${long ? 'long' : 'short'} rows, ${lanes === 1 ? 'a thread' : `${lanes} lanes`} each`,
    overrides: { WORKGROUP_SIZE: size, LANES: lanes },
    workgroups: foldGrid(Math.ceil(rows / (size / lanes))),
  };
}
