import { expect, test } from 'vitest';
import { commands } from 'vitest/browser';

test.each([1, 2, 3])('the GPU process is killed and a new adapter comes, time %i', async () => {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter?.requestDevice();
  await commands.crashGpuProcess();
  expect((await device?.lost)?.reason).toBe('unknown');
  expect(await navigator.gpu.requestAdapter()).not.toBeNull();
});
