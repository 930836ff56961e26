import adamWgsl from '../../shaders/optim/adam.wgsl';
import { ValueError } from '../errors.js';
import type { Parameter } from '../graph/parameter.js';
import { checkClip } from './clip.js';
import { type Hyperparameter, type ParameterGroup, resolveGroups, settingOf } from './groups.js';
import { type CommonOptions, Optimizer } from './optimizer.js';
import { checkOptions } from './options.js';

export interface AdamSettings {
  /** Default 1e-3. */
  readonly learningRate: Hyperparameter;
  /** Decay of the first moment. Default 0.9. */
  readonly beta1: number;
  /** Decay of the second moment. Default 0.999. */
  readonly beta2: number;
  /** Default 1e-8. */
  readonly epsilon: number;
  /** adam: default 0, added to the gradient. adamw: default 0.01, taken off the parameter. */
  readonly weightDecay: Hyperparameter;
}

export type AdamOptions = Partial<AdamSettings> & CommonOptions;

/** What a moment that began at 0 lacks. Of beta as the kernel has it, in f32: else the first steps are off by 6e-6. */
function correction(beta: number): (count: number) => number {
  return (count) => 1 - Math.fround(beta) ** (count + 1);
}

function make(
  name: 'adam' | 'adamw',
  parameters: readonly Parameter[] | readonly ParameterGroup<AdamSettings>[],
  { clip, ...given }: AdamOptions,
): Optimizer {
  const op = `optim.${name}`;
  checkOptions(op, given, ['learningRate', 'beta1', 'beta2', 'epsilon', 'weightDecay']);
  checkClip(op, clip);
  const decoupled = name === 'adamw';
  const common: AdamSettings = {
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: decoupled ? 0.01 : 0,
    ...given,
  };
  const { lists, settings } = resolveGroups(op, parameters, common);
  for (const one of settings) {
    for (const beta of ['beta1', 'beta2'] as const) {
      if (!(one[beta] >= 0 && one[beta] < 1))
        throw new ValueError(op, `${beta} is ${one[beta]}; it must be in [0, 1).`);
    }
  }
  const of = (group: number) => settings[group] as AdamSettings;
  return new Optimizer(
    {
      name,
      wgsl: adamWgsl,
      states: ['first', 'second'],
      fields: [
        { name: 'learningRate', of: (group) => settingOf(of(group).learningRate) },
        { name: 'beta1', of: (group) => of(group).beta1 },
        { name: 'beta2', of: (group) => of(group).beta2 },
        { name: 'epsilon', of: (group) => of(group).epsilon },
        { name: 'correction1', of: (group) => correction(of(group).beta1) },
        { name: 'correction2', of: (group) => correction(of(group).beta2) },
        { name: 'coupledDecay', of: (group) => (decoupled ? 0 : settingOf(of(group).weightDecay)) },
        { name: 'decoupledDecay', of: (group) => (decoupled ? settingOf(of(group).weightDecay) : 0) },
      ],
    },
    lists,
    clip === undefined ? {} : { clip },
  );
}

/**
 * Adam (Kingma and Ba 2015); weight decay, if any, is added to the gradient, as in PyTorch's Adam.
 *
 * The correction of the moments' bias counts the optimizer's updates, not those of each parameter: one that was frozen
 * meanwhile, and thaws late, gets it as if its moments had begun with the others.
 */
export function adam(
  parameters: readonly Parameter[] | readonly ParameterGroup<AdamSettings>[],
  options: AdamOptions = {},
): Optimizer {
  return make('adam', parameters, options);
}

/**
 * AdamW (Loshchilov and Hutter 2019): weight decay apart from the gradient, times the learning rate. The correction of
 * the moments' bias counts the optimizer's updates, as in `adam`.
 */
export function adamw(
  parameters: readonly Parameter[] | readonly ParameterGroup<AdamSettings>[],
  options: AdamOptions = {},
): Optimizer {
  return make('adamw', parameters, options);
}
