import { grad } from '../../autograd/grad.js';
import { ValueError } from '../../errors.js';
import { repeat } from '../../graph/repeat.js';
import type { Tensor } from '../../graph/tensor.js';
import { add, multiply } from '../../ops/arithmetic.js';
import { equal } from '../../ops/comparison.js';
import { where } from '../../ops/logical.js';
import { defaultGenerator, type Generator } from '../../ops/random.js';
import { sum } from '../../ops/reduce.js';
import { type Attack, attackOf, type Victim } from './attack.js';
import { type Found, foundAt, nothingFound, perExample, stronger } from './found.js';
import { type Objective, objectiveOf, type RowObjective } from './objective.js';
import { checkSchedule, type StepSchedule, scheduledStep } from './schedule.js';
import {
  checkCount,
  checkName,
  checkNumber,
  checkOptionNames,
  direction,
  project,
  THREAT_OPTIONS,
  type Threat,
  type ThreatOptions,
  threatOf,
  uniformIn,
} from './threat.js';

/** Where the iterations begin. */
export type RandomStart = 'none' | 'uniform' | 'normal';

export interface PgdOptions extends ThreatOptions {
  /** Default 10. */
  readonly steps?: number;
  /** Length of a step, in the norm. Default `2.5 epsilon / steps`. */
  readonly stepSize?: number;
  /** Default 'constant'. */
  readonly schedule?: StepSchedule;
  /**
   * 'uniform' (default) in the ball, 'normal' 0.001 times a standard normal draw around the inputs, as in TRADES; or
   * 'none': the inputs.
   */
  readonly randomStart?: RandomStart;
  /** Tries from different starts; the strongest of each row is kept. Default 1. */
  readonly restarts?: number;
  /** What is maximised. Default 'crossEntropy'. */
  readonly objective?: Objective;
  /** Whether a row that is misclassified stays as it is. Default false. */
  readonly earlyStop?: boolean;
  /** The iterate returned: the 'last' (default), or of each row the 'best', at one more forward pass. */
  readonly keep?: 'last' | 'best';
  /** Where the draws come from. Default: the default generator (`random.seed`). */
  readonly generator?: Generator;
}

const OPTIONS = [
  ...THREAT_OPTIONS,
  'steps',
  'stepSize',
  'schedule',
  'randomStart',
  'restarts',
  'objective',
  'earlyStop',
  'keep',
  'generator',
];

/** Of TRADES's start. */
const NORMAL_SCALE = 0.001;

/**
 * Projected gradient descent (ascent of the objective): `x <- project(x + stepSize * direction(gradient))`, `steps`
 * times. In 'linf' the direction is the gradient's sign, in 'l2' the gradient by its own length; the projection is on
 * the ball around the inputs, then on the bounds. Where the gradient is zero, infinite or NaN nothing moves.
 *
 * The iterations of all restarts are one node of the plan: JavaScript says nothing between them.
 *
 * @throws ValueError for an option that is unknown or out of range.
 * @source Madry, Makelov, Schmidt, Tsipras and Vladu 2018.
 * @example const attacked = attacks.pgd({ epsilon: 8 / 255, steps: 10 })(model, images, labels);
 */
export function pgd(options: PgdOptions): Attack {
  return pgdAs('attacks.pgd', options);
}

export type FgsmOptions = ThreatOptions & Pick<PgdOptions, 'stepSize' | 'randomStart' | 'objective' | 'generator'>;

/**
 * The fast gradient sign method: one step of length epsilon from the inputs themselves (in 'l2' along the gradient).
 * With `{ randomStart: 'uniform', stepSize: 1.25 * epsilon }` it is that of Wong, Rice and Kolter 2020.
 *
 * @throws ValueError for an option that is unknown or out of range.
 * @source Goodfellow, Shlens and Szegedy 2015.
 * @example const attacked = attacks.fgsm({ epsilon: 8 / 255 })(model, images, labels);
 */
export function fgsm(options: FgsmOptions): Attack {
  const op = 'attacks.fgsm';
  checkOptionNames(op, options, [...THREAT_OPTIONS, 'stepSize', 'randomStart', 'objective', 'generator']);
  return pgdAs(op, { stepSize: options.epsilon, randomStart: 'none', ...options, steps: 1 });
}

/** @param op whose name stands in errors. */
export function pgdAs(op: string, options: PgdOptions): Attack {
  checkOptionNames(op, options, OPTIONS);
  const settings = settingsOf(op, options);
  return attackOf({
    op,
    threat: settings.threat,
    steps: settings.steps,
    run: (victim) => maximise(victim, settings),
    vary: ({ epsilon = options.epsilon, steps = settings.steps }) => {
      const grown = options.epsilon === 0 ? 1 : epsilon / options.epsilon;
      const own = options.stepSize === undefined ? {} : { stepSize: options.stepSize * grown };
      return pgdAs(op, { ...options, epsilon, steps, ...own });
    },
  });
}

interface Settings extends Required<Omit<PgdOptions, 'epsilon' | 'norm' | 'bounds' | 'objective' | 'generator'>> {
  readonly threat: Threat;
  readonly objective: RowObjective;
  readonly generator: () => Generator;
}

function settingsOf(op: string, options: PgdOptions): Settings {
  const { steps = 10, restarts = 1, schedule = 'constant', randomStart = 'uniform' } = options;
  const { objective = 'crossEntropy', earlyStop = false, keep = 'last', generator } = options;
  const threat = threatOf(op, options);
  checkCount(op, 'steps', steps);
  checkCount(op, 'restarts', restarts);
  const { stepSize = (2.5 * threat.epsilon) / steps } = options;
  checkNumber(op, 'stepSize', stepSize, 0);
  checkSchedule(op, schedule);
  checkName(op, 'randomStart', randomStart, ['none', 'uniform', 'normal']);
  checkName(op, 'keep', keep, ['last', 'best']);
  if (restarts > 1 && randomStart === 'none') {
    throw new ValueError(op, `restarts is ${restarts}, but all would begin at the inputs.`, {
      mend: "give randomStart: 'uniform', or leave restarts out.",
    });
  }
  return {
    threat,
    steps,
    restarts,
    schedule,
    stepSize,
    randomStart,
    earlyStop,
    keep,
    objective: objectiveOf(op, objective),
    // The default one may change by the time it draws.
    generator: () => generator ?? defaultGenerator(),
  };
}

function maximise(victim: Victim, settings: Settings): Tensor {
  const { restarts, keep, objective, threat } = settings;
  if (restarts === 1 && keep === 'last') return lastOf(victim, settings);
  const attempt = () =>
    keep === 'best' ? bestOf(victim, settings) : foundAt(victim, lastOf(victim, settings), objective);
  if (restarts === 1) return attempt().inputs;
  return repeat(restarts, (best: Found) => stronger(best, attempt()), nothingFound(victim, threat)).inputs;
}

function startOf({ center }: Victim, { threat, randomStart, generator }: Settings): Tensor {
  if (randomStart === 'none') return project(center, center, threat);
  if (randomStart === 'uniform') return project(uniformIn(center, threat, generator()), center, threat);
  const noise = generator().normal(center.shape, { standardDeviation: NORMAL_SCALE });
  return project(add(center, noise), center, threat);
}

function lastOf(victim: Victim, settings: Settings): Tensor {
  const next = (x: Tensor, index: Tensor) => moved(victim, settings, x, index).inputs;
  return repeat(settings.steps, next, startOf(victim, settings));
}

/** The strongest of all iterates, the start and the last among them. */
function bestOf(victim: Victim, settings: Settings): Found {
  const next = ({ x, best }: { x: Tensor; best: Found }, index: Tensor) => {
    const { here, inputs } = moved(victim, settings, x, index);
    return { x: inputs, best: stronger(best, here) };
  };
  const initial = { x: startOf(victim, settings), best: nothingFound(victim, settings.threat) };
  const { x, best } = repeat(settings.steps, next, initial);
  return stronger(best, foundAt(victim, x, settings.objective));
}

/** The next iterate, and what the forward pass that it needs says of this one. */
function moved(victim: Victim, settings: Settings, x: Tensor, index: Tensor): { here: Found; inputs: Tensor } {
  const { threat, steps, stepSize, schedule, earlyStop, objective } = settings;
  const here = foundAt(victim, x, objective);
  const gradient = grad(sum(here.objective), x);
  const step = multiply(direction(gradient, threat.norm), scheduledStep(schedule, stepSize, index, steps));
  const inputs = project(add(x, step), victim.center, threat);
  if (!earlyStop) return { here, inputs };
  return { here, inputs: where(perExample(equal(here.wrong, 1), x), x, inputs) };
}
