import { beforeEach, describe, expect, test } from 'vitest';
import { Device } from '../../src/device/device.js';
import { complaint, textOf } from '../support/complaint.js';

const MEND = 'make a new engine with await init(), and destroy an engine only after its last use.';
const lostIn = (op: string): string =>
  `DeviceLostError: ${op}: the GPU device was destroyed; its tensors are gone.\n  Mend: ${MEND}`;

const DOUBLE = {
  label: 'double',
  code: `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
    @compute @workgroup_size(1) fn main() { x[0] = 2.0 * x[0]; }`,
  entryPoint: 'main',
  constants: {},
  signature: ['read_write'],
} as const;

let device: Device;
beforeEach(async () => {
  device = await Device.open();
});

describe('a device lost under our hands (gpu.destroy())', () => {
  test('lost resolves, and every op says so', async () => {
    const { buffer } = device.buffers.acquire(16);
    expect(device.isLost).toBe(false);
    device.assertAlive('step');
    device.gpu.destroy();
    expect(textOf(await device.lost)).toBe(lostIn('device'));
    expect(device.isLost).toBe(true);
    expect(await complaint(() => device.assertAlive('step'))).toBe(lostIn('step'));
    expect(await complaint(() => device.buffers.acquire(4, 'weights'))).toBe(lostIn('weights'));
    expect(await complaint(() => device.pipelines.create(DOUBLE))).toBe(lostIn('double'));
    expect(await complaint(() => device.pipelines.createAsync(DOUBLE))).toBe(lostIn('double'));
    expect(await complaint(() => device.readback.read(buffer, 0, 4))).toBe(lostIn('read'));
    expect(await complaint(() => device.readback.fence())).toBe(lostIn('fence'));
    for (const error of [device.errors.peek(), device.errors.takeUncaptured(), device.errors.takeUncaptured()]) {
      expect(error && textOf(error)).toBe(lostIn('device'));
    }
  });

  test('reads, fences and pipelines in flight reject', async () => {
    const { buffer } = device.buffers.acquire(16);
    const read = complaint(() => device.readback.read(buffer, 0, 16));
    const fence = complaint(() => device.readback.fence());
    const pipeline = complaint(() => device.pipelines.createAsync(DOUBLE));
    device.gpu.destroy();
    // The read's verdict comes first and bears the buffer's name.
    expect(await read).toMatch(/^DeviceLostError: (read|buffer): the GPU device was destroyed; /);
    expect(await fence).toBe(lostIn('read'));
    expect(await pipeline).toBe(lostIn('double'));
  });

  test('a scope gives the loss', async () => {
    const { error } = device.errors.scope('matmul', () => device.gpu.destroy());
    await device.lost;
    const found = await error;
    expect(found && textOf(found)).toBe(lostIn('matmul'));
  });
});

test('destroy() is known at once, may be called twice, and frees all buffers', async () => {
  const pooled = device.buffers.acquire(1000);
  device.destroy();
  expect(device.isLost).toBe(true);
  device.destroy();
  expect(device.buffers.statistics).toMatchObject({ bytesInUse: 0, bytesHeld: 0, buffersDestroyed: 1 });
  expect(await complaint(() => device.readback.read(pooled.buffer, 0, 4))).toBe(lostIn('read'));
  expect(textOf(await device.lost)).toBe(lostIn('device'));
});
