import { suggest, ValueError } from '../../errors.js';
import type { KernelRequest } from '../kernel/report.js';
import type { Sizes, Subject } from '../kernel/subjects.js';
import { type CommandOption, helpText, parseCommandLine } from '../terminal/commandLine.js';
import { ADAPTER_OPTION, ADAPTERS, BROWSER_OPTION, oneOf } from './oneOf.js';

export interface KernelOptions {
  readonly help: boolean;
  readonly request: KernelRequest;
  readonly adapter: (typeof ADAPTERS)[number];
  readonly browser: string | undefined;
}

type Subjects = ReadonlyMap<string, Subject>;

const OPTIONS: readonly CommandOption[] = [ADAPTER_OPTION, BROWSER_OPTION, { name: 'help', help: 'show this' }];

/** Reads the command line. @throws ValueError that says what is wrong, and what it may be. */
export function parseKernelArguments(args: readonly string[], subjects: Subjects): KernelOptions {
  const operands: string[] = [];
  const given = parseCommandLine('kernel', args, OPTIONS, operands);
  const [path, ...sizes] = operands;
  const adapter = oneOf('kernel', 'adapter', given.get('adapter') ?? 'auto', ADAPTERS);
  const browser = given.get('browser');
  if (given.has('help')) return { help: true, request: { file: '', sizes: [] }, adapter, browser };
  const file = fileOf(path, subjects);
  const subject = subjects.get(file) as Subject;
  return {
    help: false,
    request: { file, sizes: sizes.map((text) => sizesOf(text, file, subject)) },
    adapter,
    browser,
  };
}

/** The path under shaders/ of a known kernel, however it was written. */
function fileOf(path: string | undefined, subjects: Subjects): string {
  const known = [...subjects.keys()];
  const list = `it checks ${known.map((name) => `shaders/${name}`).join(', ')}.`;
  if (path === undefined) throw new ValueError('kernel', 'no kernel is named.', { mend: `name one; ${list}` });
  const file = path
    .replaceAll('\\', '/')
    .replace(/^.*shaders\//, '')
    .replace(/(?:\.wgsl)?$/, '.wgsl');
  if (subjects.has(file)) return file;
  const hint = suggest(file, known);
  const near = hint.startsWith('Did you mean') ? ` ${hint.replace("'", "'shaders/")}` : '';
  throw new ValueError('kernel', `'${path}' is no kernel that can be checked alone.${near}`, { mend: list });
}

function sizesOf(text: string, file: string, { axes }: Subject): Sizes {
  const sizes = text.split('x').map(Number);
  if (sizes.length === axes.length && sizes.every((size) => Number.isInteger(size) && size > 0)) return sizes;
  throw new ValueError('kernel', `'${text}' is no size for ${file}.`, {
    mend: `write ${axes.join('x')}, as in ${axes.map((_, i) => [128, 784, 10][i]).join('x')}.`,
  });
}

/** What `--help` prints. */
export function kernelHelp(subjects: Subjects, columns?: number): string {
  const lines = [...subjects].map(([file, { axes }]) => `  shaders/${file.padEnd(34)}${axes.join('x')}`);
  return [
    'Checks one kernel of the product in Chrome against the float64 reference of the tests, then times it.',
    '',
    '  npm run kernel -- FILE.wgsl [SIZES…] [options]',
    '',
    'Sizes around the edges of its tiles are checked, with those of the sizes to time that are small enough. SIZES',
    'are such as 512x512x512; without any, it sweeps some of its own. It runs by way of the ops that use it, if need',
    'be with the choices of another adapter. Exit code 1 when a result is wrong.',
    '',
    'The kernels and their sizes:',
    ...lines,
    '',
    'Options:',
    helpText(OPTIONS, columns),
  ].join('\n');
}
