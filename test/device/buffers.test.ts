import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BufferPool } from '../../src/device/buffers.js';
import { Device } from '../../src/device/device.js';
import { DeviceLoss } from '../../src/device/recovery.js';
import { formatBytes, sizeClass } from '../../src/device/sizeClass.js';
import { complaint } from '../support/complaint.js';

let device: Device;
beforeAll(async () => {
  device = await Device.open({ limits: 'default' });
});
afterAll(() => device.destroy());

/** A pool of its own on the shared device, so that its counts begin at zero. */
function emptyPool(options = {}): BufferPool {
  return new BufferPool(device.gpu, new DeviceLoss(device.gpu), options);
}

describe('size classes', () => {
  test('hold what is asked, in multiples of 256, wasting less than 25 % above 1024', () => {
    for (let bytes = 0; bytes < 70_000; bytes++) {
      const capacity = sizeClass(bytes);
      if (capacity < bytes || capacity % 256 !== 0) expect.fail(`${bytes} bytes got ${capacity}`);
      if (bytes > 1024 && capacity >= 1.25 * bytes) expect.fail(`${bytes} bytes got ${capacity}`);
      if (bytes <= 1024 && capacity - bytes > 256) expect.fail(`${bytes} bytes got ${capacity}`);
    }
  });

  test('are fixed points, few, and work beyond 2 GiB', () => {
    const classes = new Set(Array.from({ length: 70_000 }, (_, bytes) => sizeClass(bytes)));
    // 4 up to 1024, then 4 to each of the doublings up to 65,536, and 81,920.
    expect(classes.size).toBe(4 + 4 * 6 + 1);
    for (const capacity of classes) expect(sizeClass(capacity)).toBe(capacity);
    expect(sizeClass(5 * 2 ** 30)).toBe(5 * 2 ** 30);
    expect(sizeClass(5 * 2 ** 30 + 1)).toBe(6 * 2 ** 30);
  });

  test('never exceed the limit, by 4 bytes', () => {
    expect(sizeClass(2 ** 31 - 9, 2 ** 31 - 1)).toBe(2 ** 31 - 4);
    expect(sizeClass(2 ** 27, 2 ** 27)).toBe(2 ** 27);
  });

  test.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [1_048_575, '1048575 bytes'],
    [1_572_864, '1572864 bytes (1.5 MiB)'],
    [134_217_728, '134217728 bytes (128 MiB)'],
  ])('%d is written %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('the pool', () => {
  test('lends buffers for storage and copies, zero when fresh', async () => {
    const pool = emptyPool();
    const pooled = pool.acquire(1030, 'weights');
    expect(pooled).toMatchObject({ bytes: 1030, capacity: 1280, label: 'weights' });
    expect(pooled.buffer).toMatchObject({
      label: 'weights',
      size: 1280,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    const bytes = await device.readback.read(pooled.buffer, 0, 1280);
    expect(new Uint8Array(bytes).every((byte) => byte === 0)).toBe(true);
    pool.destroy();
  });

  test('answers a request for nothing with a buffer that can be bound', () => {
    const pool = emptyPool();
    expect(pool.acquire(0)).toMatchObject({ bytes: 0, capacity: 256, label: 'buffer' });
    pool.destroy();
  });

  test('lends again what came back, as it was left', async () => {
    const pool = emptyPool();
    const first = pool.acquire(12, 'first');
    device.queue.writeBuffer(first.buffer, 0, Uint32Array.of(7, 8, 9));
    pool.release(first);
    const second = pool.acquire(200, 'second');
    expect(second.buffer).toBe(first.buffer);
    expect(second.buffer.label).toBe('second');
    expect(Array.from(new Uint32Array(await device.readback.read(second.buffer, 0, 12)))).toEqual([7, 8, 9]);
    expect(pool.acquire(200).buffer).not.toBe(second.buffer);
    pool.destroy();
  });

  test('never lends one buffer twice', () => {
    const pool = emptyPool();
    for (const round of [1, 2, 3]) {
      const lent = Array.from({ length: 40 }, (_, i) => pool.acquire(100 * i));
      expect(new Set(lent.map(({ buffer }) => buffer)).size, `round ${round}`).toBe(40);
      for (const pooled of lent) pool.release(pooled);
    }
    expect(pool.statistics.buffersCreated).toBe(40);
    pool.destroy();
  });

  test('counts what is lent and held, and the most ever held', () => {
    const pool = emptyPool();
    const a = pool.acquire(2048);
    const b = pool.acquire(1000);
    expect(pool.statistics).toEqual({
      bytesInUse: 3072,
      bytesHeld: 3072,
      highWater: 3072,
      buffersCreated: 2,
      buffersDestroyed: 0,
    });
    pool.release(a);
    expect(pool.statistics).toMatchObject({ bytesInUse: 1024, bytesHeld: 3072, highWater: 3072 });
    pool.trim();
    expect(pool.statistics).toEqual({
      bytesInUse: 1024,
      bytesHeld: 1024,
      highWater: 3072,
      buffersCreated: 2,
      buffersDestroyed: 1,
    });
    pool.release(b);
    pool.destroy();
    expect(pool.statistics).toMatchObject({ bytesInUse: 0, bytesHeld: 0, buffersDestroyed: 2 });
  });

  test('destroys the buffers that waited longest when too many bytes wait', () => {
    const pool = emptyPool({ maxFreeBytes: 3 * 1024 });
    const [a, b, c, d] = [pool.acquire(1024), pool.acquire(1024), pool.acquire(1024), pool.acquire(2048)];
    for (const pooled of [a, b, c]) pool.release(pooled);
    expect(pool.statistics.buffersDestroyed).toBe(0);
    pool.release(d);
    expect(pool.statistics).toMatchObject({ bytesHeld: 3 * 1024, buffersDestroyed: 2 });
    // a and b are gone, c and d wait.
    expect(pool.acquire(1024).buffer).toBe(c.buffer);
    expect(pool.acquire(2048).buffer).toBe(d.buffer);
    pool.destroy();
  });

  test('keeps nothing that alone exceeds the bound', () => {
    const pool = emptyPool({ maxFreeBytes: 1024 });
    pool.release(pool.acquire(2048));
    expect(pool.statistics).toMatchObject({ bytesHeld: 0, buffersDestroyed: 1 });
  });

  test('reports who holds what', () => {
    const pool = emptyPool();
    for (const label of ['weights', 'loss', 'weights']) pool.acquire(label === 'loss' ? 4 : 1000, label);
    pool.release(pool.acquire(1_000_000, 'gone'));
    expect(pool.memoryReport()).toMatchObject({
      bytesInUse: 2 * 1024 + 256,
      holders: [
        { label: 'weights', buffers: 2, bytes: 2048 },
        { label: 'loss', buffers: 1, bytes: 256 },
      ],
    });
    pool.destroy();
  });

  test('lends uniform buffers apart from storage buffers', () => {
    const pool = emptyPool();
    const uniforms = pool.createUniform(20);
    expect(uniforms.buffer).toMatchObject({ size: 256, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
    pool.release(uniforms);
    expect(pool.acquire(20).buffer).not.toBe(uniforms.buffer);
    expect(pool.createUniform(200).buffer).toBe(uniforms.buffer);
    // Ranges are bound, so 64 KiB is no bound for the whole.
    expect(pool.createUniform(100_000).capacity).toBe(114_688);
    pool.destroy();
  });

  test('a release that is not due', async () => {
    const pool = emptyPool();
    const pooled = pool.acquire(4, 'logits');
    pool.release(pooled);
    expect(await complaint(() => pool.release(pooled))).toBe(
      "ValueError: release: buffer 'logits' is not lent by this pool, or was released before.\n" +
        '  Mend: release each buffer once, to the pool that lent it.',
    );
    pool.destroy();
  });

  test('a release after the pool was destroyed is nothing to complain of', () => {
    const pool = emptyPool();
    const pooled = pool.acquire(4, 'logits');
    pool.destroy();
    pool.release(pooled);
    expect(pool.statistics).toMatchObject({ bytesInUse: 0, bytesHeld: 0, buffersDestroyed: 1 });
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('a size of %d', async (bytes) => {
    expect(await complaint(() => device.buffers.acquire(bytes, 'logits'))).toBe(
      `ValueError: logits: a buffer of ${bytes} bytes was asked for; it must be a whole number, at least 0.`,
    );
  });
});

describe('out of memory by the limits', () => {
  test('128 MiB is the largest binding by default, and fits', async () => {
    const pool = emptyPool();
    const { result, error } = device.errors.scope('acquire', () => pool.acquire(128 * 2 ** 20));
    expect(result.capacity).toBe(128 * 2 ** 20);
    expect(await error).toBe(undefined);
    pool.destroy();
  });

  test('one byte more does not, on an adapter that has no more', async () => {
    const adapterLimits = device.limits;
    expect(await complaint(() => emptyPool({ adapterLimits }).acquire(128 * 2 ** 20 + 1, 'logits'))).toBe(
      'OutOfMemoryError: logits: 134217729 bytes (128 MiB) in one buffer are more than ' +
        "this device's maxStorageBufferBindingSize of 134217728 bytes (128 MiB).\n" +
        '  Mend: use a smaller batch, or split the tensor into parts.',
    );
  });

  test('on an adapter that has more the mend is to ask for it', async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const more = (adapter?.limits.maxStorageBufferBindingSize ?? 0) >= 200 * 2 ** 20;
    expect(await complaint(() => device.buffers.acquire(200 * 2 ** 20, 'logits'))).toBe(
      'OutOfMemoryError: logits: 209715200 bytes (200 MiB) in one buffer are more than ' +
        "this device's maxStorageBufferBindingSize of 134217728 bytes (128 MiB).\n" +
        (more
          ? "  Mend: open the device with limits: 'adapter' (the default): this adapter allows it."
          : '  Mend: use a smaller batch, or split the tensor into parts.'),
    );
  });

  test('a uniform buffer beyond the largest buffer', async () => {
    expect(await complaint(() => emptyPool().createUniform(256 * 2 ** 20 + 1))).toBe(
      'OutOfMemoryError: uniforms: 268435457 bytes (256 MiB) in one buffer are more than ' +
        "this device's maxBufferSize of 268435456 bytes (256 MiB).\n" +
        '  Mend: use a smaller batch, or split the tensor into parts.',
    );
  });
});
