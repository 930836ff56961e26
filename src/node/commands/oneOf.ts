import { ValueError } from '../../errors.js';
import type { CommandOption } from '../terminal/commandLine.js';

export const ADAPTERS = ['auto', 'hardware', 'software'] as const;

/** What every command that opens a browser takes. */
export const ADAPTER_OPTION: CommandOption = {
  name: 'adapter',
  placeholder: 'KIND',
  help: 'where to compute',
  choices: ADAPTERS,
  defaultText: 'auto',
};

export const BROWSER_OPTION: CommandOption = {
  name: 'browser',
  placeholder: 'PATH',
  help: "a Chrome or Chromium, or 'npm' for the packaged one",
  defaultText: 'the first found',
};

/** The choice that an option names. @throws ValueError that lists the choices. */
export function oneOf<Name extends string>(
  command: string,
  option: string,
  text: string,
  names: readonly Name[],
): Name {
  const name = names.find((one) => one === text);
  if (name !== undefined) return name;
  throw new ValueError(command, `--${option} is '${text}'; it must be one of ${names.join(', ')}.`);
}
