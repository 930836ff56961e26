import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// `npm run test:node`: the browser's tests in Node, on Dawn. For quick loops; Chrome decides.

const FOLDER = 'test/node';
const ICD = 'vk_swiftshader_icd.json';

if (!existsSync(join(FOLDER, 'node_modules', 'webgpu'))) {
  console.log('test:node: installing the npm package webgpu (132 MB), this once');
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', FOLDER], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}

const env: NodeJS.ProcessEnv = { ...process.env };
if (process.platform === 'linux' && env.COTANGENT_ADAPTER !== 'hardware' && env.VK_ICD_FILENAMES === undefined) {
  const folder = await softwareFolder();
  // Both are read when Node starts, so they cannot be set from inside.
  env.VK_ICD_FILENAMES = join(folder, ICD);
  env.LD_LIBRARY_PATH = [folder, env.LD_LIBRARY_PATH].filter((path) => path).join(':');
}
const child = spawn(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.node.config.ts', ...process.argv.slice(2)],
  { stdio: 'inherit', env },
);
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});

/** A Chromium's folder that has the software adapter. */
async function softwareFolder(): Promise<string> {
  const installed = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome', tmpdir()];
  const found = installed.find((folder) => existsSync(join(folder, ICD)));
  if (found !== undefined) return found;
  const { default: chromium } = await import('@sparticuz/chromium');
  // It unpacks the adapter beside the browser.
  await chromium.executablePath();
  return tmpdir();
}
