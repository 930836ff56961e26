import type { Device } from '../device/device.js';

export interface MatmulShape {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly batches: number;
}

export interface MatmulChoice {
  readonly kernel: 'register' | 'blocked' | 'quad';
  readonly variant: string;
  readonly tile: {
    readonly constants: Readonly<Record<string, string>>;
    readonly workgroups: readonly [number, number, number];
  };
}

/** Which kernel and tile a product gets on a device. */
export function chooseTile(_device: Device, { rows, columns, batches }: MatmulShape): MatmulChoice {
  return { kernel: 'register', variant: 'naive', tile: { constants: {}, workgroups: [Math.ceil(columns / 8), Math.ceil(rows / 8), batches] } };
}
