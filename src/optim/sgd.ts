import momentumWgsl from '../../shaders/optim/momentum.wgsl';
import sgdWgsl from '../../shaders/optim/sgd.wgsl';
import { ValueError } from '../errors.js';
import type { Parameter } from '../graph/parameter.js';
import { checkClip } from './clip.js';
import { type Hyperparameter, type ParameterGroup, resolveGroups, settingOf } from './groups.js';
import { type CommonOptions, Optimizer } from './optimizer.js';
import { checkOptions } from './options.js';

export interface SgdSettings {
  readonly learningRate: Hyperparameter;
  /** Default 0. `v <- momentum v + g`, as PyTorch. */
  readonly momentum: Hyperparameter;
  /** Looks ahead by the momentum (Nesterov 1983). Default false. */
  readonly nesterov: boolean;
  /** Default 0. */
  readonly weightDecay: Hyperparameter;
  /** 'coupled' (default, PyTorch's) adds it to the gradient; 'decoupled' shrinks the parameter. */
  readonly decay: 'coupled' | 'decoupled';
}

export type SgdOptions = Partial<SgdSettings> & CommonOptions & Pick<SgdSettings, 'learningRate'>;

/**
 * Stochastic gradient descent, with momentum and weight decay.
 * @throws ValueError for an option that is unknown or out of range.
 */
export function sgd(
  parameters: readonly Parameter[] | readonly ParameterGroup<SgdSettings>[],
  options: SgdOptions,
): Optimizer {
  const { clip, ...given } = options;
  checkOptions('optim.sgd', given, ['learningRate', 'momentum', 'nesterov', 'weightDecay', 'decay']);
  checkClip('optim.sgd', clip);
  const common: SgdSettings = { momentum: 0, nesterov: false, weightDecay: 0, decay: 'coupled', ...given };
  const { lists, settings } = resolveGroups('optim.sgd', parameters, common);
  for (const one of settings) {
    if (one.decay !== 'coupled' && one.decay !== 'decoupled') {
      throw new ValueError('optim.sgd', `decay is '${String(one.decay)}'; it must be 'coupled' or 'decoupled'.`);
    }
    if (one.learningRate === undefined) {
      throw new ValueError('optim.sgd', 'there is no learningRate.', { mend: 'set learningRate: 0.1, say.' });
    }
    if (one.nesterov && one.momentum === 0) {
      throw new ValueError('optim.sgd', 'nesterov needs a momentum above 0.', { mend: 'set momentum: 0.9.' });
    }
  }
  const of = (group: number) => settings[group] as SgdSettings;
  const decay = (kind: SgdSettings['decay']) => (group: number) =>
    of(group).decay === kind ? settingOf(of(group).weightDecay) : 0;
  const fields = [
    { name: 'learningRate', of: (group: number) => settingOf(of(group).learningRate) },
    { name: 'coupledDecay', of: decay('coupled') },
    { name: 'decoupledDecay', of: decay('decoupled') },
  ];
  const momentumFields = [
    { name: 'momentum', of: (group: number) => settingOf(of(group).momentum) },
    { name: 'nesterov', of: (group: number) => Number(of(group).nesterov) },
  ];
  // Without momentum in any group there is no state to hold, read and write.
  const rule = settings.every(({ momentum }) => momentum === 0)
    ? { name: 'sgd', wgsl: sgdWgsl, states: [], fields }
    : { name: 'sgd', wgsl: momentumWgsl, states: ['momentum'], fields: [...fields, ...momentumFields] };
  return new Optimizer(rule, lists, clip === undefined ? {} : { clip });
}
