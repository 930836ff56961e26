import { afterEach, expect, test, vi } from 'vitest';
import { Device } from '../../src/device/device.js';
import { complaint } from '../support/complaint.js';

// What only a page has: an origin, workers.

afterEach(() => {
  vi.unstubAllGlobals();
});

test('an insecure page', async () => {
  vi.stubGlobal('navigator', {});
  vi.stubGlobal('isSecureContext', false);
  expect(await complaint(() => Device.open())).toBe(
    `NoWebGPUError: init: WebGPU exists only in secure contexts, and ${location.origin} is not one.\n` +
      '  Mend: serve the page over https, or from localhost.',
  );
});

test('opens in a worker', async () => {
  const worker = new Worker(new URL('./deviceWorker.ts', import.meta.url), { type: 'module' });
  const answer = await new Promise((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<unknown>) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.terminate();
  expect(answer).toEqual([1, 2, 3]);
});
