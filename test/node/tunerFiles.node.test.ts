import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { tunerFiles } from '../../src/node/tunerFiles.js';

const root = await mkdtemp(join(tmpdir(), 'cotangent-tuner-'));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rm(root, { recursive: true }));

test('choices are a file in the cache folder, whatever the adapter calls itself', async () => {
  vi.stubEnv('XDG_CACHE_HOME', root);
  const name = '0.1.0 ../acme: GPU/9 +subgroups';
  expect(await tunerFiles.read(name)).toBeUndefined();
  await tunerFiles.write(name, '{}');
  expect(await tunerFiles.read(name)).toBe('{}');
  expect(await readdir(join(root, 'cotangent'))).toEqual(['tuner-0.1.0-..-acme-GPU-9-+subgroups.json']);
});

test('a file that cannot be read is an error, not nothing', async () => {
  vi.stubEnv('XDG_CACHE_HOME', root);
  await mkdir(join(root, 'cotangent', 'tuner-folder.json'), { recursive: true });
  await expect(tunerFiles.read('folder')).rejects.toThrow(/EISDIR/);
});
