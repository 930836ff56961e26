import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TunerStore } from '../index.js';
import { writeFileAtomically } from './commands/writeFileAtomically.js';

/** Kernel choices as files under `$XDG_CACHE_HOME/cotangent`, or `~/.cache/cotangent`: for runs whose browser forgets. */
export const tunerFiles: TunerStore = {
  read: async (name) => {
    try {
      return await readFile(pathOf(name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  },
  write: async (name, text) => {
    const path = pathOf(name);
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomically(path, text);
  },
};

function pathOf(name: string): string {
  const folder = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(folder, 'cotangent', `tuner ${name}.json`.replace(/[^\w.+-]+/g, '-'));
}
