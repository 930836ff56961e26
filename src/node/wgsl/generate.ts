import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { declarationFile } from './declarationFile.js';
import { inspect } from './inspect.js';
import { readSource } from './source.js';

// Writes NAME.d.wgsl.ts beside each shader, and removes those whose shader is gone.
const ROOT = 'shaders';
const TYPES = 'src/kernels/wgslModule.js';

const files = existsSync(ROOT) ? readdirSync(ROOT, { recursive: true, encoding: 'utf8' }) : [];
const complaints: string[] = [];
let written = 0;
for (const file of files) {
  const path = join(ROOT, file);
  if (file.endsWith('.d.wgsl.ts') && !existsSync(path.replace(/\.d\.wgsl\.ts$/, '.wgsl'))) rmSync(path);
  if (!file.endsWith('.wgsl')) continue;
  try {
    const types = relative(dirname(path), TYPES).split(sep).join('/');
    const text = declarationFile(inspect(readSource(path, join(process.cwd(), ROOT))), types);
    const target = path.replace(/\.wgsl$/, '.d.wgsl.ts');
    // An unchanged file keeps its time, so that watchers stay quiet.
    if (existsSync(target) && readFileSync(target, 'utf8') === text) continue;
    writeFileSync(target, text);
    written++;
  } catch (error) {
    complaints.push(String(error));
  }
}
for (const complaint of complaints) console.error(`${complaint}\n`);
if (complaints.length > 0) process.exitCode = 1;
else if (written > 0)
  console.log(`generate: ${written} ${written === 1 ? 'declaration file' : 'declaration files'} written`);
