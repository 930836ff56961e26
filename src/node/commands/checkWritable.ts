import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ValueError } from '../../errors.js';

/** @throws ValueError when a file could not be written there: now, and not after an hour of training. */
export async function checkWritable(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new ValueError('train', `${path} cannot be written: the folder ${folder} is missing, or not ours to write.`, {
      cause,
    });
  }
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) throw new ValueError('train', `${path} is a folder; it must be a file.`);
}
