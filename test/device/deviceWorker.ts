import { Device } from '../../src/device/device.js';

// Opens a device, takes three numbers to the GPU and back, and posts them.
const device = await Device.open();
const { buffer } = device.buffers.acquire(12);
device.queue.writeBuffer(buffer, 0, Uint32Array.of(1, 2, 3));
const bytes = await device.readback.read(buffer, 0, 12);
device.destroy();
postMessage(Array.from(new Uint32Array(bytes)));
