import type { Parameter } from '../graph/parameter.js';
import type { Tensor } from '../graph/tensor.js';
import { observe } from '../graph/trace.js';

/**
 * A part of a model: a function of tensors that owns parameters, may hold other parts, and may behave
 * differently in training. Call it like a function.
 */
export interface Module {
  (x: Tensor): Tensor;
  /** All parameters, each once, in a stable order, with dotted names such as `0.weight`. */
  parameters(): Parameter[];
  /** The same by name. A tied parameter appears under its first name. */
  namedParameters(): Map<string, Parameter>;
  /** Training mode (default): dropout drops. */
  train(): Module;
  /** Evaluation mode. A compiled step follows the change with another plan. */
  eval(): Module;
  readonly training: boolean;
  /** @internal This module and all inside it. */
  modules(): Module[];
  /** @internal Its own mode alone. */
  setMode(training: boolean): void;
  /** @internal Holds its own mode, whatever it is set to, or (undefined) no more; what held before. */
  fixMode(training: boolean | undefined): boolean | undefined;
  /** What it is, for messages: `linear(784, 128)`. */
  readonly description: string;
}

export interface ModuleParts {
  readonly description: string;
  /** `training` is observed: a compiled step that called it follows the mode. */
  readonly forward: (x: Tensor, training: () => boolean) => Tensor;
  /** Own parameters by name. */
  readonly parameters?: Readonly<Record<string, Parameter>>;
  /** Parts by name. */
  readonly children?: Readonly<Record<string, Module>>;
}

/**
 * Makes a module from its parts: how users write layers of their own.
 *
 * @example
 * const scale = new Parameter([1]);
 * const layer = nn.module({ description: 'scale', parameters: { scale }, forward: (x) => multiply(x, scale) });
 */
export function module({ description, forward, parameters = {}, children = {} }: ModuleParts): Module {
  let training = true;
  let fixed: boolean | undefined;
  const mode = () => fixed ?? observe(() => training);
  const setMode = (value: boolean): Module => {
    training = value;
    for (const child of Object.values(children))
      if (value) child.train();
      else child.eval();
    return self;
  };
  const named = (): Map<string, Parameter> => {
    const found = new Map<string, Parameter>();
    const seen = new Set<Parameter>();
    const add = (name: string, parameter: Parameter) => {
      if (seen.has(parameter)) return;
      seen.add(parameter);
      found.set(name, parameter);
    };
    for (const [name, parameter] of Object.entries(parameters)) add(name, parameter);
    for (const [prefix, child] of Object.entries(children)) {
      for (const [name, parameter] of child.namedParameters()) add(`${prefix}.${name}`, parameter);
    }
    return found;
  };
  const self: Module = Object.assign((x: Tensor) => forward(x, mode), {
    parameters: () => {
      const all = named();
      // The outermost module that names it wins: its name is the longest.
      for (const [name, parameter] of all) if (name.length >= (parameter.name ?? '').length) parameter.name = name;
      return [...all.values()];
    },
    namedParameters: named,
    train: () => setMode(true),
    eval: () => setMode(false),
    modules: (): Module[] => [self, ...Object.values(children).flatMap((child) => child.modules())],
    setMode: (value: boolean) => {
      training = value;
    },
    fixMode: (value: boolean | undefined) => {
      const before = fixed;
      fixed = value;
      return before;
    },
    training,
    description,
  });
  Object.defineProperty(self, 'training', { get: () => training });
  return self;
}
