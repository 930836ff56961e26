import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PooledBuffer } from '../../src/device/buffers.js';
import { Device } from '../../src/device/device.js';
import { Readback } from '../../src/device/readback.js';
import { DeviceLoss } from '../../src/device/recovery.js';
import { complaint } from '../support/complaint.js';

let device: Device;
beforeAll(async () => {
  device = await Device.open();
});
afterAll(() => device.destroy());

afterEach(async () => {
  await device.readback.fence();
  expect(device.errors.takeUncaptured()).toBe(undefined);
});

/** A buffer of `count` u32: `start`, `start` + 1, ... */
function counting(count: number, start = 0): PooledBuffer {
  const pooled = device.buffers.acquire(4 * count, 'counting');
  device.queue.writeBuffer(
    pooled.buffer,
    0,
    Uint32Array.from({ length: count }, (_, i) => start + i),
  );
  return pooled;
}

/** A ring of its own on the shared device, so that its count begins at zero. */
function emptyRing(): Readback {
  return new Readback(device.gpu, new DeviceLoss(device.gpu), device.errors);
}

describe('read', () => {
  test('gives the bytes as written', async () => {
    const { buffer } = counting(1000, 5);
    const bytes = await device.readback.read(buffer, 0, 4000);
    expect(new Uint32Array(bytes)).toEqual(Uint32Array.from({ length: 1000 }, (_, i) => 5 + i));
  });

  test.each([
    [0, 1],
    [1, 1],
    [3, 2],
    [3, 1],
    [5, 10],
    [4, 7],
    [0, 0],
    [256, 0],
    [255, 1],
    [249, 7],
  ])('from byte %d, %d bytes', async (offset, count) => {
    const { buffer } = device.buffers.acquire(256);
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    device.queue.writeBuffer(buffer, 0, bytes);
    expect(new Uint8Array(await device.readback.read(buffer, offset, count))).toEqual(
      bytes.slice(offset, offset + count),
    );
  });

  test.each([
    [253, 4],
    [-4, 4],
    [0, -4],
    [0, 1.5],
    [0, Number.NaN],
  ])('refuses %d, %d outside the buffer', async (offset, count) => {
    const { buffer } = device.buffers.acquire(256, 'logits');
    expect(await complaint(() => device.readback.read(buffer, offset, count))).toBe(
      `ValueError: read: ${count} bytes from offset ${offset} do not lie in buffer 'logits' of 256 bytes.`,
    );
  });

  test('rejects when the GPU refuses the copy, instead of giving zeros', async () => {
    const buffer = device.gpu.createBuffer({ label: 'gone', size: 16, usage: GPUBufferUsage.COPY_SRC });
    buffer.destroy();
    expect(await complaint(() => device.readback.read(buffer, 0, 16))).toMatch(
      /^KernelError: gone: the GPU refused it: .*destroyed/s,
    );
    const unreadable = device.gpu.createBuffer({ label: 'mute', size: 16, usage: GPUBufferUsage.COPY_DST });
    expect(await complaint(() => device.readback.read(unreadable, 0, 16))).toMatch(
      /^KernelError: mute: the GPU refused it: .*usage/is,
    );
  });

  test('sees the state at its call, not later writes', async () => {
    const { buffer } = counting(4, 1);
    const before = device.readback.read(buffer, 0, 16);
    device.queue.writeBuffer(buffer, 0, new Uint32Array(4));
    const after = device.readback.read(buffer, 0, 16);
    expect(Array.from(new Uint32Array(await before))).toEqual([1, 2, 3, 4]);
    expect(Array.from(new Uint32Array(await after))).toEqual([0, 0, 0, 0]);
  });
});

describe('the ring', () => {
  test('keeps many reads in flight apart', async () => {
    const ring = emptyRing();
    const { buffer } = counting(64 * 100);
    for (const round of [1, 2, 3]) {
      const reads = Array.from({ length: 100 }, (_, i) => ring.read(buffer, 256 * i, 256));
      for (const [i, bytes] of (await Promise.all(reads)).entries()) {
        const expected = Uint32Array.from({ length: 64 }, (_, j) => 64 * i + j);
        expect(new Uint32Array(bytes), `round ${round}, read ${i}`).toEqual(expected);
      }
      // One staging buffer for each read in flight, and none in later rounds.
      expect(ring.buffersCreated).toBe(100);
    }
    ring.destroy();
  });

  test('serves reads in turn from one buffer', async () => {
    const ring = emptyRing();
    const { buffer } = counting(64);
    for (let i = 0; i < 20; i++) {
      expect(Array.from(new Uint32Array(await ring.read(buffer, 4 * i, 4)))).toEqual([i]);
    }
    await ring.fence();
    expect(ring.buffersCreated).toBe(1);
    ring.destroy();
  });

  test('what was read stays when the staging buffer serves the next', async () => {
    const ring = emptyRing();
    const first = await ring.read(counting(2, 10).buffer, 0, 8);
    await ring.read(counting(2, 20).buffer, 0, 8);
    expect(Array.from(new Uint32Array(first))).toEqual([10, 11]);
    ring.destroy();
  });
});

describe('stage', () => {
  test('copies in the caller’s encoder', async () => {
    const { buffer } = counting(8, 100);
    const encoder = device.gpu.createCommandEncoder();
    const whole = device.readback.stage(encoder, buffer, 0, 32);
    const part = device.readback.stage(encoder, buffer, 6, 2);
    const nothing = device.readback.stage(encoder, buffer, 8, 0);
    encoder.clearBuffer(buffer);
    device.queue.submit([encoder.finish()]);
    const [a, b, c] = await Promise.all([whole.map(), part.map(), nothing.map()]);
    expect(Array.from(new Uint32Array(a))).toEqual([100, 101, 102, 103, 104, 105, 106, 107]);
    expect(Array.from(new Uint8Array(b))).toEqual([0, 0]);
    expect(c.byteLength).toBe(0);
  });

  test('gives its bytes once', async () => {
    const { buffer } = counting(1);
    const encoder = device.gpu.createCommandEncoder();
    const staged = device.readback.stage(encoder, buffer, 0, 4);
    device.queue.submit([encoder.finish()]);
    await staged.map();
    staged.cancel();
    expect(await complaint(() => staged.map())).toBe(
      'ValueError: read: this staged read was mapped or cancelled before.',
    );
  });

  test('can be given up', async () => {
    const { buffer } = counting(1);
    const staged = device.readback.stage(device.gpu.createCommandEncoder(), buffer, 0, 4);
    staged.cancel();
    expect(await complaint(() => staged.map())).toBe(
      'ValueError: read: this staged read was mapped or cancelled before.',
    );
  });
});

describe('fence', () => {
  test('resolves after the work submitted before it', async () => {
    const { pipeline, error } = device.pipelines.create({
      label: 'slow',
      code: `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
        @compute @workgroup_size(1) fn main() {
          for (var i = 0u; i < 2000000u; i++) { x[i % 64u] = fma(x[(i + 1u) % 64u], 0.5, 1.0); }
        }`,
      entryPoint: 'main',
      constants: {},
      signature: ['read_write'],
    });
    const { buffer } = device.buffers.acquire(256);
    const mappable = device.gpu.createBuffer({ size: 256, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const layout = device.pipelines.layout(['read_write']).bindGroupLayout;
    pass.setBindGroup(0, device.gpu.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(buffer, 0, mappable, 0, 256);
    device.queue.submit([encoder.finish()]);
    const order: string[] = [];
    await Promise.all([
      device.readback.fence().then(() => order.push('fence')),
      mappable.mapAsync(GPUMapMode.READ).then(() => order.push('work')),
    ]);
    expect(order).toEqual(['work', 'fence']);
    expect(await error).toBe(undefined);
    mappable.destroy();
  });

  test('many may wait', async () => {
    const ring = emptyRing();
    await Promise.all(Array.from({ length: 30 }, () => ring.fence()));
    expect(ring.buffersCreated).toBe(30);
    ring.destroy();
  });
});
