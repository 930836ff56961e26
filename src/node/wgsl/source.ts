import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { KernelError } from '../../errors.js';

/** One .wgsl file and the files it includes. */
export interface WgslSource {
  readonly path: string;
  /** Path under the folder of shaders, without extension: 'matmul/register'. */
  readonly name: string;
  /** The file's text; an include line is left empty, so that lines keep their numbers. */
  readonly code: string;
  /** Direct includes, in order. */
  readonly includes: readonly WgslSource[];
}

/** `// include common/special.wgsl       what it brings` */
const INCLUDE = /^[ \t]*\/\/[ \t]*include[ \t]+(\S+\.wgsl)\b.*$/gm;

/** The folder that include paths start from: the nearest one above the file that is named `shaders`, else its own. */
export function shaderRootOf(path: string): string {
  const parts = dirname(resolve(path)).split(sep);
  const index = parts.lastIndexOf('shaders');
  return index < 0 ? dirname(resolve(path)) : parts.slice(0, index + 1).join(sep);
}

/**
 * Reads a .wgsl file and all that it includes.
 * @param root the folder that include paths start from.
 * @param library where an include is looked for that is not under `root`.
 * @throws KernelError for an include that is missing, doubled or circular.
 */
export function readSource(path: string, root = shaderRootOf(path), library: readonly string[] = []): WgslSource {
  const known = new Map<string, WgslSource>();
  const roots = [root, ...library];

  const read = (file: string, chain: readonly string[]): WgslSource => {
    const done = known.get(file);
    if (done !== undefined) return done;
    const text = readFileSync(file, 'utf8').replace(/\r\n/g, '\n');
    const includes: WgslSource[] = [];
    const code = text.replace(INCLUDE, (_line: string, wanted: string, offset: number) => {
      const found = roots.map((folder) => join(folder, wanted)).find((candidate) => existsSync(candidate));
      if (found === undefined) {
        throw wgslError(
          file,
          lineAt(text, offset),
          `cannot include '${wanted}': there is no such file under ${shown(root)}.`,
          {
            mend: 'write the path from the folder of shaders, such as common/special.wgsl.',
          },
        );
      }
      const circle = [...chain, file];
      if (circle.includes(found)) {
        const names = [...circle.slice(circle.indexOf(found)), found].map((each) => nameOf(each, roots));
        throw wgslError(file, lineAt(text, offset), `includes go in a circle: ${names.join(' -> ')}.`, {
          mend: 'move what both need into a third file.',
        });
      }
      if (includes.some((include) => include.path === found)) {
        throw wgslError(file, lineAt(text, offset), `'${wanted}' is included twice.`, {
          mend: 'drop one of the two lines.',
        });
      }
      includes.push(read(found, circle));
      return '';
    });
    const source = { path: file, name: nameOf(file, roots), code, includes };
    known.set(file, source);
    return source;
  };

  return read(resolve(path), []);
}

/** The source and all it includes, each once, an include before what needs it. */
export function flatten(source: WgslSource, into: WgslSource[] = []): WgslSource[] {
  if (into.includes(source)) return into;
  for (const include of source.includes) flatten(include, into);
  if (!into.includes(source)) into.push(source);
  return into;
}

/** A complaint about a shader: names file and line, and the mend. */
export function wgslError(
  path: string,
  line: number,
  sentence: string,
  details: { mend: string; cause?: unknown },
): KernelError {
  return new KernelError(`${nameOf(path, [shaderRootOf(path)])}.wgsl`, sentence, {
    ...details,
    callSite: `${shown(path)}:${line}`,
  });
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function nameOf(path: string, roots: readonly string[]): string {
  const root = roots.find((folder) => path.startsWith(folder + sep)) ?? dirname(path);
  return relative(root, path).slice(0, -extname(path).length).split(sep).join('/');
}

function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short.split(sep).join('/');
}
