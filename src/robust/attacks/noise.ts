import { defaultGenerator, type Generator } from '../../ops/random.js';
import { type Attack, attackOf } from './attack.js';
import { checkOptionNames, project, THREAT_OPTIONS, type ThreatOptions, threatOf, uniformIn } from './threat.js';

export interface NoiseOptions extends ThreatOptions {
  /** Where the draws come from. Default: the default generator (`random.seed`). */
  readonly generator?: Generator;
}

/**
 * No attack but its yardstick: a point of the ball, all equally likely, cut by the bounds.
 * @throws ValueError for an option that is unknown or out of range.
 * @example const noisy = attacks.noise({ epsilon: 8 / 255 })(model, images, labels);
 */
export function noise(options: NoiseOptions): Attack {
  const op = 'attacks.noise';
  checkOptionNames(op, options, [...THREAT_OPTIONS, 'generator']);
  const threat = threatOf(op, options);
  return attackOf({
    op,
    threat,
    steps: 1,
    vary: ({ epsilon = options.epsilon }) => noise({ ...options, epsilon }),
    run: ({ center }) => project(uniformIn(center, threat, options.generator ?? defaultGenerator()), center, threat),
  });
}
