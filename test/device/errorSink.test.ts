import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Device } from '../../src/device/device.js';
import { type CotangentError, KernelError, OutOfMemoryError } from '../../src/errors.js';
import { textOf } from '../support/complaint.js';

let device: Device;
beforeAll(async () => {
  device = await Device.open();
});
afterAll(() => device.destroy());

/** A buffer that no device allows: mappable and bindable. */
function createInvalidBuffer(): GPUBuffer {
  return device.gpu.createBuffer({ label: 'odd', size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
}

/** Uncaptured errors arrive with the readbacks that follow them, at the latest a turn after. */
async function arrival(): Promise<void> {
  await device.readback.fence();
  await new Promise((resolve) => setTimeout(resolve));
}

describe('a scope', () => {
  test('gives the result, and no error for valid work', async () => {
    const { result, error } = device.errors.scope('add', () => 42);
    expect(result).toBe(42);
    expect(await error).toBe(undefined);
  });

  test('names its work in a validation error', async () => {
    const { error } = device.errors.scope('matmul', createInvalidBuffer);
    const found = await error;
    expect(found).toBeInstanceOf(KernelError);
    expect(found).toMatchObject({ op: 'matmul' });
    expect(found?.sentence).toMatch(/^the GPU refused it: .*usage/i);
    expect(found?.cause).toBeInstanceOf(GPUValidationError);
    await arrival();
    expect(device.errors.peek()).toBe(undefined);
  });

  test('keeps apart what runs in turn and what is nested', async () => {
    let inner: Promise<CotangentError | undefined> = Promise.resolve(undefined);
    const first = device.errors.scope('first', () => undefined);
    const outer = device.errors.scope('outer', () => {
      inner = device.errors.scope('inner', createInvalidBuffer).error;
    });
    const last = device.errors.scope('last', createInvalidBuffer);
    expect(await first.error).toBe(undefined);
    expect(await outer.error).toBe(undefined);
    expect((await inner)?.op).toBe('inner');
    expect((await last.error)?.op).toBe('last');
  });

  test('passes on what its work throws, and leaves no scope open', async () => {
    const thrown = new Error('not ours');
    const run = (): never => {
      createInvalidBuffer();
      throw thrown;
    };
    expect(() => device.errors.scope('thrower', run)).toThrow(thrown);
    await arrival();
    expect(device.errors.peek()).toBe(undefined);
    await expect(device.gpu.popErrorScope()).rejects.toThrow();
  });
});

describe('errors outside scopes', () => {
  test('are kept in order until taken', async () => {
    createInvalidBuffer();
    device.gpu.createBindGroupLayout({ entries: [{ binding: 1e6, visibility: 4, buffer: {} }] });
    await arrival();
    const first = device.errors.peek();
    expect(first).toBeInstanceOf(KernelError);
    expect(first?.sentence).toMatch(/^the GPU refused it: .*usage/i);
    expect(device.errors.takeUncaptured()).toBe(first);
    expect(device.errors.takeUncaptured()?.sentence).toMatch(/binding/i);
    expect(device.errors.takeUncaptured()).toBe(undefined);
  });

  test('are bounded: the first 16 stay', async () => {
    for (let i = 0; i < 20; i++) createInvalidBuffer();
    await arrival();
    let count = 0;
    while (device.errors.takeUncaptured() !== undefined) count += 1;
    expect(count).toBe(16);
  });

  // The browser's own event on the real device: a driver cannot be made to fail at will.
  test.each([
    [
      'out of memory',
      new GPUOutOfMemoryError('Vulkan said VK_ERROR_OUT_OF_DEVICE_MEMORY'),
      OutOfMemoryError,
      'OutOfMemoryError: device: the GPU has no memory left: Vulkan said VK_ERROR_OUT_OF_DEVICE_MEMORY\n' +
        '  Mend: use a smaller batch or model, or free tensors that are no longer needed.',
    ],
    [
      'an internal error',
      new GPUInternalError('pipeline compiler gave up'),
      KernelError,
      'KernelError: device: the GPU driver failed: pipeline compiler gave up',
    ],
  ])('%s keeps its kind', (_, error, kind, text) => {
    device.gpu.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error }));
    const found = device.errors.takeUncaptured();
    expect(found).toBeInstanceOf(kind);
    expect(found && textOf(found)).toBe(text);
    expect(found?.cause).toBe(error);
  });
});
