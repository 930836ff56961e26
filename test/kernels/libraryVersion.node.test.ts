import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { LIBRARY_VERSION } from '../../src/kernels/libraryVersion.js';

test("the version that kernel choices bear is the package's", async () => {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  expect(LIBRARY_VERSION).toBe((JSON.parse(text) as { version: string }).version);
});
