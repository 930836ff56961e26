import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suggest, ValueError } from '../src/index.js';
import { ADAPTER_OPTION, ADAPTERS, BROWSER_OPTION, oneOf } from '../src/node/commands/oneOf.js';
import { type CommandOption, helpText, parseCommandLine } from '../src/node/terminal/commandLine.js';
import type { Experiment } from './experiment.js';

export interface Options {
  readonly experiment: Experiment;
  readonly quick: boolean;
  readonly fresh: boolean;
  /** Where its files lie. */
  readonly folder: string;
  readonly browser: string | undefined;
  readonly adapter: (typeof ADAPTERS)[number] | undefined;
}

/** Where full reports lie, from the repository's root. */
const REPORTS = 'docs/experiments';

const OPTIONS: readonly CommandOption[] = [
  { name: 'quick', help: 'few and small trials: shows that all works, not what is true' },
  {
    name: 'out',
    placeholder: 'DIR',
    help: 'where NAME.json, NAME.svg and NAME.md go (NAME.quick.json and so on with --quick)',
    defaultText: `${REPORTS}; for --quick a temporary folder`,
  },
  { name: 'fresh', help: 'run every trial anew, also those that are done' },
  ADAPTER_OPTION,
  BROWSER_OPTION,
  { name: 'help', help: 'show this' },
];

/** Reads the command line. @returns undefined when help is wanted. @throws ValueError that says what is wrong. */
export function parseExperimentArguments(
  args: readonly string[],
  experiments: readonly Experiment[],
  { repository, directory }: { readonly repository: string; readonly directory: string },
): Options | undefined {
  const names: string[] = [];
  const given = parseCommandLine('experiment', args, OPTIONS, names);
  if (given.has('help') || (names.length === 0 && given.size === 0)) return undefined;
  for (const name of ['out', 'browser']) {
    if (given.get(name) === '') throw new ValueError('experiment', `--${name} is empty; it must be a path.`);
  }
  const quick = given.has('quick');
  const out = given.get('out');
  const adapter = given.get('adapter');
  return {
    experiment: experimentOf(names, experiments),
    quick,
    fresh: given.has('fresh'),
    folder: out !== undefined ? resolve(directory, out) : quick ? quickFolder() : join(repository, REPORTS),
    browser: given.get('browser'),
    adapter: adapter === undefined ? undefined : oneOf('experiment', 'adapter', adapter, ADAPTERS),
  };
}

const quickFolder = () => join(tmpdir(), 'cotangent-experiments');

function experimentOf(names: readonly string[], experiments: readonly Experiment[]): Experiment {
  const known = experiments.map(({ name }) => name);
  const [name, more] = names;
  if (name === undefined || more !== undefined) {
    throw new ValueError('experiment', `${names.length} experiments are named; it must be one.`, {
      mend: `name one of ${known.join(', ')}: npm run experiment ${known[0]}.`,
    });
  }
  const found = experiments.find((one) => one.name === name);
  if (found === undefined) throw new ValueError('experiment', `unknown experiment '${name}'. ${suggest(name, known)}`);
  return found;
}

export function experimentHelp(experiments: readonly Experiment[], columns?: number): string {
  const widest = Math.max(...experiments.map(({ name }) => name.length));
  return `npm run experiment NAME [-- options]

Runs an experiment in a headless Chrome and writes its figures (JSON), a chart (SVG) and a report (Markdown), which
says when a claim does not show. Each trial is kept as soon as it is done: after Ctrl-C the same command goes on.

${experiments.map(({ name, title }) => `  ${name.padEnd(widest)}  ${title}`).join('\n')}

${helpText(OPTIONS, columns)}`;
}
