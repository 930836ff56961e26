import { Device } from '../../../src/device/device.js';

/** The device that steps by hand run on: opened as the library opens one, with the same features and limits. */
export type HandGpu = Device;

export function openByHand(): Promise<HandGpu> {
  return Device.open();
}
