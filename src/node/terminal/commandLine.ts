import { suggest, ValueError } from '../../errors.js';

/** An option as the command line sees it; its name is in kebab-case, without dashes. */
export interface CommandOption {
  readonly name: string;
  readonly help: string;
  /** What stands for the value in help: `FILE`. Undefined: a flag, which takes none. */
  readonly placeholder?: string;
  readonly defaultText?: string;
  /** The values it may have, for help. */
  readonly choices?: readonly string[];
}

/** Options as given: the text of each, '' for a flag. */
export type GivenOptions = ReadonlyMap<string, string>;

/**
 * Splits `--name value`, `--name=value` and flags into a map; what they mean is another's.
 * @param operands takes the words that belong to no option; without it, such a word is an error.
 * @throws ValueError for an unknown option (naming the nearest), one given twice, a value too many or missing.
 */
export function parseCommandLine(
  command: string,
  args: readonly string[],
  options: readonly CommandOption[],
  operands?: string[],
): GivenOptions {
  const given = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] as string;
    if (argument === '-h') {
      given.set('help', '');
      continue;
    }
    if (!/^-/.test(argument) && operands !== undefined) {
      operands.push(argument);
      continue;
    }
    if (!/^--[^-]/.test(argument)) {
      throw new ValueError(command, `'${argument}' belongs to no option.`, {
        mend: `write options as --name value; npm wants them after a '--', as in npm run ${command} -- --epochs 3.`,
      });
    }
    const [, name = '', inline] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(argument) ?? [];
    const option = options.find((one) => one.name === name);
    if (option === undefined) throw unknownOption(command, name, options);
    if (given.has(name)) throw new ValueError(command, `--${name} is given twice.`);
    if (option.placeholder === undefined) {
      if (inline !== undefined) throw new ValueError(command, `--${name} takes no value, but has '${inline}'.`);
      given.set(name, '');
      continue;
    }
    const next = args[i + 1];
    // A negative number is a value; another option is not.
    if (inline === undefined && (next === undefined || /^--[^-]/.test(next))) {
      throw new ValueError(command, `--${name} needs a value: --${name} ${option.placeholder}.`);
    }
    given.set(name, inline ?? (next as string));
    if (inline === undefined) i++;
  }
  return given;
}

function unknownOption(command: string, name: string, options: readonly CommandOption[]): ValueError {
  const names = options.map((option) => option.name);
  const hint = suggest(name, names);
  const text = hint.startsWith('Did you mean') ? hint.replace(/'(.*)'/, "'--$1'") : '';
  return new ValueError(command, `unknown option '--${name}'.${text === '' ? '' : ` ${text}`}`, {
    mend: `npm run ${command} -- --help lists the options.`,
  });
}

const LEFT = 30;

/** The options as a text, one or two lines each, with their defaults. */
export function helpText(options: readonly CommandOption[], columns = 100): string {
  return options
    .map(({ name, placeholder, help, choices, defaultText }) => {
      const left = `  --${name}${placeholder === undefined ? '' : ` ${placeholder}`}`;
      const offered = choices === undefined ? '' : `: ${choices.join(', ')}`;
      const standard = defaultText === undefined ? '' : ` [${defaultText}]`;
      const lines = wrap(`${help}${offered}${standard}`, Math.max(40, columns - LEFT));
      const indent = ' '.repeat(LEFT);
      const [first = '', ...rest] = lines;
      const head = left.length < LEFT - 1 ? `${left.padEnd(LEFT)}${first}` : `${left}\n${indent}${first}`;
      return [head, ...rest.map((line) => indent + line)].join('\n');
    })
    .join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) as string;
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
