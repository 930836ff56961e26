import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UsageError } from './options.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** The peers weigh 300 MB, so the library's own install leaves them out; the first benchmark fetches them. */
export function installPeers(): void {
  if (installed()) return;
  console.log('Installing the peers into bench/node_modules (about 300 MB, once): npm ci');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status, error } = spawnSync(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: HERE,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    const why = error === undefined ? `npm ci ended with code ${status}` : error.message;
    throw new UsageError(
      `the peers were not installed: ${why}.\n  Mend: run npm ci in bench/, or bench with --against none.`,
    );
  }
}

/** Whether what npm last put there is what the lock file wants. */
function installed(): boolean {
  const marker = `${HERE}node_modules/.package-lock.json`;
  if (!existsSync(marker)) return false;
  const there = packagesIn(marker);
  const wanted = packagesIn(`${HERE}package-lock.json`);
  const names = ['@jax-js/jax', '@tensorflow/tfjs', '@tensorflow/tfjs-backend-webgpu'].map(
    (name) => `node_modules/${name}`,
  );
  return names.every((name) => there[name]?.version !== undefined && there[name]?.version === wanted[name]?.version);
}

function packagesIn(lockFile: string): Record<string, { version?: string }> {
  return (JSON.parse(readFileSync(lockFile, 'utf8')) as { packages: Record<string, { version?: string }> }).packages;
}
