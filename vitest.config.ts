import { defineConfig } from 'vitest/config';
import { wgsl } from './src/node/wgsl/wgsl.js';
import { collectGarbage, crashGpuProcess } from './test/support/provider/commands.js';
import { CountReporter } from './test/support/provider/countReporter.js';
import { type PuppeteerOptions, puppeteer } from './test/support/provider/puppeteer.js';

const MODULES = '**/node_modules/**';
const NODE = 'test/**/*.node.test.ts';
const CRASH = 'test/**/*.crash.test.ts';

export default defineConfig({
  // Dependencies found late would reload the page in the middle of a run.
  optimizeDeps: { noDiscovery: true, include: [] },
  test: {
    reporters: ['default', new CountReporter({ floor: 'test/floor.json' })],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: { include: ['src/**/*.ts'] },
    projects: [
      // Files that end in .node.test.ts: the command line, the build, the rules. They need no page.
      {
        plugins: [wgsl()],
        test: {
          name: 'tools',
          include: [NODE],
          exclude: [MODULES],
          environment: 'node',
          sequence: { groupOrder: 0 },
          testTimeout: 120_000,
        },
      },
      chrome('chrome', { include: ['test/**/*.test.ts'], exclude: [MODULES, NODE, CRASH] }, 1),
      // Files that end in .crash.test.ts kill the GPU process, so they have a browser of their own.
      chrome('crash', { include: [CRASH], exclude: [MODULES] }, 2, {
        flags: ['--disable-domain-blocking-for-3d-apis', '--disable-gpu-process-crash-limit'],
      }),
    ],
  },
});

function chrome(
  name: string,
  files: { include: string[]; exclude: string[] },
  groupOrder: number,
  options: PuppeteerOptions = {},
) {
  return {
    plugins: [wgsl()],
    test: {
      // The instance below bears the name; a project and its instance may not share one.
      name: `${name} pages`,
      ...files,
      sequence: { groupOrder },
      // Projects do not inherit the limits above. Far from what any test takes: a busy machine is no failure.
      testTimeout: 60_000,
      hookTimeout: 60_000,
      // One page and one device for all files: four times as fast as a page for each.
      isolate: false,
      fileParallelism: false,
      browser: {
        enabled: true,
        provider: puppeteer(options),
        instances: [{ browser: 'chrome', name }],
        headless: true,
        ui: false,
        screenshotFailures: false,
        commands: { collectGarbage, crashGpuProcess },
        // Vitest gives up a page that took longer to appear; a busy machine does take longer.
        connectTimeout: 120_000,
      },
    },
  };
}
