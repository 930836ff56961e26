import { expect, test } from 'vitest';
import { launchBrowser } from '../../src/node/browser.js';
import { complaint } from '../support/complaint.js';

test('where no GPU is found for --adapter hardware, the mend names what to write', async () => {
  // A flag hides the GPU of a machine that has one.
  const text = await complaint(() =>
    launchBrowser({ adapter: 'hardware', flags: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'] }),
  );
  expect(text.replace(/: \S+ gives/, ': BROWSER gives').replace(/\(for hardware: .*\)/, '(WHAT)')).toBe(
    'NoWebGPUError: launchBrowser: BROWSER gives no hardware adapter (WHAT).\n' +
      '  Mend: install the GPU driver with Vulkan, or take the CPU: --adapter software, or COTANGENT_ADAPTER=software.',
  );
});

test('an adapter of no known kind is refused', async () => {
  expect(await complaint(() => launchBrowser({ adapter: 'fast' as 'auto' }))).toBe(
    "NoWebGPUError: launchBrowser: adapter is 'fast'; it must be one of auto, hardware, software.",
  );
});
