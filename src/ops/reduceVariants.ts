import type { Device } from '../device/device.js';

/**
 * Whether one thread an output is better than a workgroup an output. On the software adapter a barrier costs more than a
 * short row; on GPUs (not measured) a workgroup reads a row in one stroke.
 */
export function isSerial({ facts }: Device, outputs: number, count: number): boolean {
  return facts.software ? outputs >= 16 || count < 512 : outputs >= 4096 || count < 128;
}

/** Lanes of a workgroup that reduces a row: few where they share a core. */
export function reducingLanes({ facts }: Device): number {
  return facts.software ? 8 : 64;
}
