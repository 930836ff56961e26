// Runs a TypeScript command in this very process: `node src/node/run.mjs src/node/commands/train.ts --epochs 3`.
// Node 20 strips no types, so Vite's module runner, which is here anyway, transforms each file as it is imported.
// Signals, exit codes and stdin reach the command, and stack traces name its own lines.
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createRunnableDevEnvironment, resolveConfig } from 'vite';

const [file, ...rest] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node src/node/run.mjs FILE.ts [arguments]');
  process.exit(2);
}

let shaders;
const lazyWgsl = {
  name: 'cotangent:lazy-wgsl',
  enforce: 'pre',
  load: {
    filter: { id: /\.wgsl$/ },
    async handler(id) {
      // The plugin is TypeScript too, and few commands import a shader.
      shaders ??= environment.runner.import(fileURLToPath(new URL('wgsl/wgsl.ts', import.meta.url)));
      return (await shaders).wgsl().load.handler.call(this, id);
    },
  },
};

const config = await resolveConfig(
  {
    configFile: false,
    envDir: false,
    logLevel: 'error',
    plugins: [lazyWgsl],
    environments: {
      command: {
        consumer: 'server',
        dev: { moduleRunnerTransform: true },
        resolve: { external: true, mainFields: [], conditions: ['node'] },
      },
    },
  },
  'serve',
);
const environment = createRunnableDevEnvironment('command', config, {
  runnerOptions: { hmr: false, sourcemapInterceptor: 'prepareStackTrace' },
  hot: false,
});
await environment.init();

const path = resolve(file);
process.argv = [process.execPath, path, ...rest];
try {
  await environment.runner.import(pathToFileURL(path).href);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
