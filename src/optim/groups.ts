import type { Parameter } from '../graph/parameter.js';
import { isNumber, numberOf, Tensor } from '../graph/tensor.js';
import { checkOptions } from './options.js';
import type { Schedule } from './schedules.js';

/** What may differ between groups of parameters; each may be a number or change with the count of updates. */
export type Hyperparameter = number | Schedule | Tensor;

/** Parameters with settings of their own. */
export interface ParameterGroup<Settings> {
  readonly parameters: readonly Parameter[];
  readonly settings?: Partial<Settings>;
}

/** A number that stays, or one for each count of updates done before. */
export type Setting = number | ((count: number) => number);

/** A hyperparameter as a setting. The kernel of each parameter's gradient asks a schedule for itself. */
export function settingOf(value: Hyperparameter): Setting {
  if (typeof value === 'number' || typeof value === 'function') return value;
  const { source } = value;
  if (!isNumber(source)) throw new Error(`checkOptions let ${value} through`);
  return () => numberOf(source);
}

/** Splits what users give (parameters, or groups with settings) into lists and their full settings. */
export function resolveGroups<Settings extends object>(
  op: string,
  given: readonly Parameter[] | readonly ParameterGroup<Settings>[],
  common: Settings,
): { readonly lists: Parameter[][]; readonly settings: Settings[] } {
  const groups: { readonly parameters: readonly Parameter[]; readonly settings?: Partial<Settings> }[] = isGroups(given)
    ? [...given]
    : [{ parameters: given as readonly Parameter[] }];
  for (const { settings = {} } of groups) checkOptions(op, settings, Object.keys(common));
  return {
    lists: groups.map((group) => [...group.parameters]),
    settings: groups.map((group) => ({ ...common, ...group.settings })),
  };
}

function isGroups<Settings>(
  given: readonly Parameter[] | readonly ParameterGroup<Settings>[],
): given is readonly ParameterGroup<Settings>[] {
  const [first] = given;
  return first !== undefined && !(first instanceof Tensor) && 'parameters' in first;
}

/** The usual two groups: weights decay, biases and other vectors do not. */
export function decayWeightsOnly(
  parameters: readonly Parameter[],
): readonly ParameterGroup<{ readonly weightDecay: Hyperparameter }>[] {
  const weights = parameters.filter((parameter) => parameter.rank >= 2);
  const others = parameters.filter((parameter) => parameter.rank < 2);
  const groups = [{ parameters: weights }, { parameters: others, settings: { weightDecay: 0 } }];
  return groups.filter((group) => group.parameters.length > 0);
}
