import { ValueError } from '../../errors.js';

export const ADAPTERS = ['auto', 'hardware', 'software'] as const;

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
