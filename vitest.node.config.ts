import { defineConfig } from 'vitest/config';
import { wgsl } from './src/node/wgsl/wgsl.js';
import { CountReporter } from './test/support/provider/countReporter.js';

// `npm run test:node`: the browser's tests in Node, on Dawn.
export default defineConfig({
  plugins: [wgsl()],
  test: {
    name: 'node',
    include: ['test/**/*.test.ts'],
    exclude: [
      '**/node_modules/**',
      'test/**/*.node.test.ts',
      'test/**/*.crash.test.ts',
      // Files that need a page: workers, the DOM.
      'test/**/*.page.test.ts',
    ],
    environment: 'node',
    setupFiles: ['test/node/setup.ts'],
    reporters: ['default', new CountReporter({ floor: undefined })],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // One process and one GPU for all files.
    pool: 'forks',
    isolate: false,
    maxWorkers: 1,
    fileParallelism: false,
  },
});
