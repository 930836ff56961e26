import { afterAll, expect, test } from 'vitest';
import { startDemoServer } from '../../src/node/commands/demoServer.js';

const { server, url } = await startDemoServer({ datasets: {}, watch: false });
afterAll(() => server.close());

const get = (path: string) => fetch(new URL(path, url), { headers: { accept: 'text/html,*/*' }, redirect: 'manual' });

test('the gallery and each demo are pages of their own', async () => {
  const [gallery, trainer] = await Promise.all(['', 'train/'].map(async (path) => (await get(path)).text()));
  expect(gallery).toContain('href="./train/"');
  expect(trainer).toContain('main.ts');
  expect(trainer).not.toBe(gallery);
});

test('a folder without its slash leads to the folder', async () => {
  const response = await get('train?epochs=1');
  expect(response.status).toBe(302);
  expect(response.headers.get('location')).toBe('/train/?epochs=1');
});

test.each(['trian', 'trian/', 'train/nothing.html', 'train/nothing.js', 'data/none.safetensors'])(
  '%s is not found',
  async (path) => {
    expect((await get(path)).status).toBe(404);
  },
);
