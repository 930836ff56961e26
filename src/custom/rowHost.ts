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
export function rowHost(_device: Device, rows: number, _classes: number): RowHostChoice {
  const workgroups = foldGrid(Math.ceil(rows / 64));
  return { long: false, variant: 'thread a row', replace: {}, overrides: { WORKGROUP_SIZE: 64 }, workgroups };
}
