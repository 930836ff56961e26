import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { inspect, type WgslDescription } from './inspect.js';
import { flatten, readSource, type WgslSource } from './source.js';

export interface WgslOptions {
  /** The folder that include paths start from. Default: the nearest folder named `shaders` above the file. */
  readonly root?: string;
}

/**
 * Vite plugin: `import kernel from './shaders/my/kernel.wgsl'` gives a `WgslModule`, read and checked at build time.
 * An include becomes an import, so each file is shipped once; builds leave comments out.
 */
export function wgsl({ root }: WgslOptions = {}): Plugin {
  let build = false;
  return {
    name: 'cotangent:wgsl',
    enforce: 'pre',
    configResolved({ command }) {
      build = command === 'build';
    },
    load: {
      filter: { id: /\.wgsl$/ },
      handler(id) {
        if (!existsSync(id)) this.error(`there is no shader ${id}.`);
        const source = readSource(id, root, libraryRoots());
        for (const { path } of flatten(source)) this.addWatchFile(path);
        return { code: moduleText(source, inspect(source, { compact: build })), map: null, moduleType: 'js' };
      },
    },
  };
}

/** The JavaScript of a module. */
function moduleText({ includes }: WgslSource, description: WgslDescription): string {
  const imports = includes.map(({ path }, index) => `import include${index} from ${JSON.stringify(path)};`);
  const names = includes.map((_, index) => `include${index}`);
  const { name, code, ...rest } = description;
  const fields = Object.entries(rest).map(([key, value]) => `  ${key}: ${JSON.stringify(value) ?? 'undefined'},`);
  return [
    ...imports,
    'export default {',
    `  name: ${JSON.stringify(name)},`,
    `  code: ${JSON.stringify(code)},`,
    `  includes: [${names.join(', ')}],`,
    ...fields,
    '};',
    '',
  ].join('\n');
}

/** The package's own shaders, for includes such as common/special.wgsl from a user's kernel. */
function libraryRoots(): string[] {
  // From dist/vite.js in the package, else from here in the repository.
  const candidates = ['../shaders', '../../../shaders'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return candidates.filter((path) => existsSync(path)).slice(0, 1);
}
