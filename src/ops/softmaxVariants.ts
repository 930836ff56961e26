import type { Device } from '../device/device.js';
import { rowsPerWorkgroup } from '../kernels/workgroups.js';

export interface SoftmaxChoice {
  readonly variant: 'serial' | 'workgroup';
  /** Workgroups before folding. */
  readonly groups: number;
  readonly workgroupSize: number;
}

/**
 * One thread a row where threads are lanes of a CPU (measured there: a barrier costs more than a row of a
 * hundred), or rows are short; else a workgroup a row.
 */
export function chooseSoftmax({ facts }: Device, rows: number, columns: number): SoftmaxChoice {
  if (facts.software || columns <= 32) {
    const workgroupSize = rowsPerWorkgroup(rows);
    return { variant: 'serial', groups: Math.ceil(rows / workgroupSize), workgroupSize };
  }
  return { variant: 'workgroup', groups: rows, workgroupSize: 64 };
}
