import {
  defaultText,
  kebabCase,
  type OptionValue,
  parameterOption,
  parseOption,
  type RunOption,
  type RunOptions,
  resolveOptions,
  runOptions,
} from '../../../demos/train/options.js';
import type { LossParameter } from '../../custom/lossArguments.js';
import { suggest, ValueError } from '../../errors.js';
import { type CommandOption, type GivenOptions, helpText, parseCommandLine } from '../terminal/commandLine.js';
import { ADAPTER_OPTION, ADAPTERS, BROWSER_OPTION, oneOf } from './oneOf.js';

/** The losses there are, each with its declared parameters. */
export type LossTable = ReadonlyMap<string, { readonly parameters: Readonly<Record<string, LossParameter>> }>;

/** What concerns the command and not the run. */
export interface CommandOptions {
  readonly json: string | undefined;
  readonly plot: string | undefined;
  readonly save: string | undefined;
  readonly resume: string | undefined;
  readonly headed: boolean;
  readonly browser: string | undefined;
  readonly adapter: 'auto' | 'hardware' | 'software';
  readonly tune: 'off' | 'cached' | 'now';
  /** Seconds that '--tune now' may take; undefined: the engine's own. */
  readonly tuningBudget: number | undefined;
}

export interface TrainRequest {
  readonly help: boolean;
  readonly command: CommandOptions;
  /** Options of the run that were given, in their types; `complete` fills in the rest. */
  readonly given: Readonly<Record<string, OptionValue>>;
  /** Parameters of the loss that were given. */
  readonly parameters: Readonly<Record<string, number>>;
}

const TUNING = ['off', 'cached', 'now'] as const;

const COMMAND_OPTIONS: readonly CommandOption[] = [
  { name: 'json', placeholder: 'FILE', help: 'write the whole run: options, adapter, versions, curve, result' },
  { name: 'plot', placeholder: 'FILE.svg', help: 'write the curves of loss and accuracy' },
  { name: 'save', placeholder: 'FILE', help: 'write a checkpoint (safetensors): model, optimizer, position' },
  { name: 'resume', placeholder: 'FILE', help: 'go on from a checkpoint; its options hold where none are given' },
  ADAPTER_OPTION,
  {
    name: 'tune',
    placeholder: 'WHEN',
    help: 'kernels by static choice, by timings kept from earlier runs, or timed now',
    choices: TUNING,
    defaultText: 'off',
  },
  { name: 'tuning-budget', placeholder: 'SECONDS', help: 'how long --tune now may take', defaultText: '2' },
  BROWSER_OPTION,
  { name: 'headed', help: 'show the window' },
  { name: 'help', help: 'show this' },
];

/** Reads the command line. @throws ValueError that says which option is wrong, and what it may be. */
export function parseTrainArguments(args: readonly string[], losses: LossTable): TrainRequest {
  const run = runOptions([...losses.keys()]);
  const parameters = parameterOptions(losses);
  const names = [...run, ...parameters.values()].map((option) => commandOption(option));
  const texts = parseCommandLine('train', args, [...names, ...COMMAND_OPTIONS]);
  const given: Record<string, OptionValue> = {};
  for (const option of run) {
    const text = texts.get(kebabCase(option.name));
    if (text !== undefined) given[option.name] = optionValue(option, text);
  }
  return {
    help: texts.has('help'),
    command: commandOptions(texts),
    given,
    parameters: Object.fromEntries(
      [...parameters].flatMap(([name]) => {
        const text = texts.get(kebabCase(name));
        return text === undefined ? [] : [[name, numberOf(name, text)]];
      }),
    ),
  };
}

/**
 * The run's options in full, the parameters checked against the loss.
 * @param saved options of a checkpoint to go on from; they hold where none were given.
 */
export function completeOptions(
  { given, parameters }: TrainRequest,
  losses: LossTable,
  saved?: RunOptions,
): RunOptions {
  const { parameters: savedParameters = {}, ...savedGiven } = saved ?? { parameters: {} };
  const draft = resolveOptions({ ...savedGiven, ...given }, {});
  const declared = losses.get(draft.loss)?.parameters ?? {};
  for (const name of Object.keys(parameters)) {
    if (declared[name] !== undefined) continue;
    const having = [...losses].filter(([, loss]) => loss.parameters[name] !== undefined).map(([loss]) => loss);
    throw new ValueError('train', `--${kebabCase(name)} is no parameter of the loss ${draft.loss}.`, {
      mend: `take --loss ${having.join(' or ')}, or leave --${kebabCase(name)} out.`,
    });
  }
  const values = Object.entries(declared).map(([name, declaration]) => {
    const kept = draft.loss === saved?.loss ? savedParameters[name] : undefined;
    const value = parameters[name] ?? kept ?? declaration.default;
    return [name, Number(optionValue(parameterOption(name, declaration), String(value)))] as const;
  });
  return { ...draft, parameters: Object.fromEntries(values) };
}

/** What `--help` prints. */
export function trainHelp(losses: LossTable, columns?: number): string {
  const section = (options: readonly CommandOption[]) => helpText(options, columns);
  const parameters = [...parameterOptions(losses)].map(([name, option]) => ({
    ...commandOption(option),
    help: `of ${[...losses]
      .filter(([, loss]) => loss.parameters[name] !== undefined)
      .map(([loss]) => loss)
      .join(', ')}`,
  }));
  return [
    'Trains a classifier in Chrome, on the page that npm start shows, and tells how it did.',
    '',
    '  npm run train -- [options]',
    '',
    'The run:',
    section(runOptions([...losses.keys()]).map(commandOption)),
    '',
    'Parameters of the loss:',
    section(parameters),
    '',
    'The command:',
    section(COMMAND_OPTIONS),
    '',
    'Ctrl-C stops after the step under way; what was asked for is still written. A second one quits at once.',
  ].join('\n');
}

/** Parameters of all losses by name; the first loss that has one gives its default. */
function parameterOptions(losses: LossTable): ReadonlyMap<string, RunOption> {
  const found = new Map<string, RunOption>();
  for (const { parameters } of losses.values()) {
    for (const [name, declaration] of Object.entries(parameters)) {
      if (!found.has(name)) found.set(name, parameterOption(name, declaration));
    }
  }
  return found;
}

function commandOption(option: RunOption): CommandOption {
  return {
    name: kebabCase(option.name),
    placeholder: option.placeholder,
    help: option.help,
    defaultText: defaultText(option),
    ...(option.kind === 'choice' ? { choices: option.choices } : {}),
  };
}

function optionValue(option: RunOption, text: string): OptionValue {
  const parsed = parseOption(option, text);
  if ('value' in parsed) return parsed.value;
  const hint = option.kind === 'choice' ? suggest(text, option.choices) : '';
  const near = hint.startsWith('Did you mean');
  throw new ValueError('train', `--${kebabCase(option.name)} ${near ? `is '${text}'. ${hint}` : parsed.complaint}`);
}

/** Its limits depend on the loss, which is known later. */
function numberOf(name: string, text: string): number {
  return Number(optionValue({ name, kind: 'number', placeholder: 'NUMBER', default: 0, help: '' }, text));
}

function commandOptions(texts: GivenOptions): CommandOptions {
  for (const name of ['json', 'plot', 'save', 'resume', 'browser']) {
    if (texts.get(name) === '') throw new ValueError('train', `--${name} is empty; it must be a path.`);
  }
  return {
    json: texts.get('json'),
    plot: texts.get('plot'),
    save: texts.get('save'),
    resume: texts.get('resume'),
    browser: texts.get('browser'),
    headed: texts.has('headed'),
    adapter: oneOf('train', 'adapter', texts.get('adapter') ?? 'auto', ADAPTERS),
    tune: oneOf('train', 'tune', texts.get('tune') ?? 'off', TUNING),
    tuningBudget: secondsOf('tuning-budget', texts),
  };
}

function secondsOf(name: string, texts: GivenOptions): number | undefined {
  const text = texts.get(name);
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (text !== '' && seconds > 0 && Number.isFinite(seconds)) return seconds;
  throw new ValueError('train', `--${name} is '${text}'; it must be a number above 0.`);
}
