import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkWritable } from '../../src/node/commands/checkWritable.js';
import { writeFileAtomically } from '../../src/node/commands/writeFileAtomically.js';

const root = await mkdtemp(join(tmpdir(), 'cotangent-write-'));
afterAll(() => rm(root, { recursive: true }));

async function folder(name: string): Promise<string> {
  const path = join(root, name);
  await mkdir(path);
  return path;
}

test('writes bytes and text, and leaves nothing beside', async () => {
  const path = await folder('fresh');
  await writeFileAtomically(join(path, 'bytes'), Uint8Array.of(1, 2, 3));
  await writeFileAtomically(join(path, 'text'), 'héllo');
  expect(new Uint8Array(await readFile(join(path, 'bytes')))).toEqual(Uint8Array.of(1, 2, 3));
  expect(await readFile(join(path, 'text'), 'utf8')).toBe('héllo');
  expect((await readdir(path)).sort()).toEqual(['bytes', 'text']);
});

test('a reader sees the former file or the new one, never a part', async () => {
  const path = join(await folder('race'), 'file');
  const [former, latter] = ['a', 'b'].map((letter) => letter.repeat(4 << 20)) as [string, string];
  await writeFile(path, former);
  const writing = writeFileAtomically(path, latter);
  let done = false;
  void writing.then(() => {
    done = true;
  });
  while (!done) {
    const content = await readFile(path, 'utf8');
    expect(content === former || content === latter).toBe(true);
  }
  expect(await readFile(path, 'utf8')).toBe(latter);
});

test('a write that fails leaves the former file, and nothing beside', async () => {
  const path = await folder('failing');
  // A file cannot be renamed onto a folder that holds something.
  await mkdir(join(path, 'taken'));
  await writeFile(join(path, 'taken', 'inside'), 'kept');
  await expect(writeFileAtomically(join(path, 'taken'), 'new')).rejects.toThrow();
  expect(await readdir(path)).toEqual(['taken']);
  expect(await readFile(join(path, 'taken', 'inside'), 'utf8')).toBe('kept');
});

test('what cannot be written is known beforehand', async () => {
  await expect(checkWritable(join(root, 'missing', 'file'))).rejects.toThrow(
    `train: ${join(root, 'missing', 'file')} cannot be written: the folder ${join(root, 'missing')} is missing, or not ours to write.`,
  );
  await expect(checkWritable(root)).rejects.toThrow(`train: ${root} is a folder; it must be a file.`);
  await expect(checkWritable(join(root, 'new'))).resolves.toBeUndefined();
});
