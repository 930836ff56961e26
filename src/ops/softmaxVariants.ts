import type { Device } from '../device/device.js';

export interface SoftmaxChoice {
  readonly variant: 'serial' | 'workgroup';
  /** Workgroups before folding. */
  readonly groups: number;
  readonly constants: Readonly<Record<string, number>>;
  readonly replace: Readonly<Record<string, string>>;
}

/** One thread a row where rows are many, or threads are lanes of a CPU; else a workgroup a row. */
export function softmaxVariant(_device: Device, name: string, rows: number, _columns: number): SoftmaxChoice {
  const result = { softmax: 'SOFTMAX', logSoftmax: 'LOG_SOFTMAX', logsumexp: 'LOGSUMEXP' }[name];
  return {
    variant: 'serial',
    groups: Math.ceil(rows / 64),
    constants: { WORKGROUP_SIZE: 64 },
    replace: { RESULT: `const RESULT = ${result};` },
  };
}
