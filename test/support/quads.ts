import { test } from 'vitest';
import { Device } from '../../src/device/device.js';
import { hasQuads } from '../../src/ops/matmul/quadTiles.js';

const device = await Device.open();
/** Whether the adapter runs the kernels of four lanes a core: SwiftShader, of those known. */
export const quads = hasQuads(device);
device.destroy();

/** A test that forces such a kernel: skipped, and counted so, on other adapters. */
export const testOfQuads = test.skipIf(!quads);
