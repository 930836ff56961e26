import { ValueError } from '../../errors.js';
import { repeat } from '../../graph/repeat.js';
import type { Tensor } from '../../graph/tensor.js';
import { add, divide, floor, multiply, sign, subtract } from '../../ops/arithmetic.js';
import { reshapeExactly } from '../../ops/broadcast.js';
import { toF32 } from '../../ops/casts.js';
import { greaterEqual, less } from '../../ops/comparison.js';
import { indices } from '../../ops/create.js';
import { sqrt } from '../../ops/exponential.js';
import { and, where } from '../../ops/logical.js';
import { defaultGenerator, type Generator } from '../../ops/random.js';
import { type Attack, attackOf, type Victim } from './attack.js';
import { type Found, foundAt, stronger } from './found.js';
import { type Objective, objectiveOf } from './objective.js';
import { ofIteration } from './schedule.js';
import {
  checkCount,
  checkOptionNames,
  project,
  THREAT_OPTIONS,
  type Threat,
  type ThreatOptions,
  threatOf,
} from './threat.js';

export interface RandomSearchOptions extends ThreatOptions {
  /** Proposals. Default 200. */
  readonly steps?: number;
  /** The share of an example that the first windows cover, in (0, 1]; halved after each fifth. Default 0.3. */
  readonly window?: number;
  /** What is maximised; it needs no gradient. Default 'logitMargin'. */
  readonly objective?: Objective;
  /** Where the draws come from. Default: the default generator (`random.seed`). */
  readonly generator?: Generator;
}

/**
 * A search without gradients, which masked ones cannot mislead: in each step a random window of every example (a square
 * of an image `[n, height, width, channels]`, else a stretch of the flat example) is proposed at the ball's corner (l2:
 * pushed by epsilon and projected), and taken where it makes the row stronger. In the manner of Square Attack, but not it.
 *
 * @throws ValueError for an option that is unknown or out of range.
 * @source Andriushchenko, Croce, Flammarion and Hein 2020, for the idea.
 * @example const attacked = attacks.randomSearch({ epsilon: 8 / 255 })(model, images, labels);
 */
export function randomSearch(options: RandomSearchOptions): Attack {
  const op = 'attacks.randomSearch';
  checkOptionNames(op, options, [...THREAT_OPTIONS, 'steps', 'window', 'objective', 'generator']);
  const { steps = 200, window = 0.3, objective = 'logitMargin', generator } = options;
  const threat = threatOf(op, options);
  checkCount(op, 'steps', steps);
  if (!(window > 0 && window <= 1)) {
    throw new ValueError(op, `window is ${String(window)}; it must be above 0, and at most 1.`);
  }
  const rows = objectiveOf(op, objective);
  return attackOf({
    op,
    threat,
    steps,
    vary: (changes) => randomSearch({ ...options, ...changes }),
    run: (victim) => {
      const draws = generator ?? defaultGenerator();
      const { center } = victim;
      const start = add(center, multiply(threat.epsilon / spread(center, threat), randomSigns(draws, center.shape)));
      const first = foundAt(victim, project(start, center, threat), rows);
      const share = (i: number) => window * 0.5 ** Math.floor((5 * i) / steps);
      const propose = (best: Found, index: Tensor) => {
        const inputs = proposal(victim, best.inputs, threat, draws, (of) => ofIteration(index, (i) => of(share(i))));
        return stronger(best, foundAt(victim, inputs, rows));
      };
      return stronger(foundAt(victim, project(center, center, threat), rows), repeat(steps, propose, first)).inputs;
    },
  });
}

/** What a corner of the cube in the ball is shorter by, per element. */
function spread(center: Tensor, { norm }: Threat): number {
  return norm === 'linf' ? 1 : Math.sqrt(Math.max(1, center.size / Math.max(1, center.shape[0] ?? 1)));
}

function randomSigns(draws: Generator, shape: readonly number[]): Tensor {
  return sign(subtract(draws.uniform(shape), 0.5));
}

function proposal(
  { center }: Victim,
  best: Tensor,
  threat: Threat,
  draws: Generator,
  ofShare: (of: (share: number) => number) => Tensor,
): Tensor {
  const { shape } = center;
  const rows = shape[0] ?? 0;
  const isImage = shape.length === 4;
  const [, height = 1, width = 1, channels = 1] = isImage
    ? shape
    : [rows, 1, shape.slice(1).reduce((a, b) => a * b, 1), 1];
  // Along each axis the window's length: a square of the share's area, and at least one element.
  const along = (axis: number, of: (share: number) => number) => {
    const length = ofShare((share) => Math.min(axis, Math.max(1, Math.round(of(share) * axis))));
    const first = floor(multiply(draws.uniform([rows, 1]), add(subtract(axis, length), 1)));
    const at = reshapeExactly(indices(axis, 'f32'), [1, axis]);
    return { length, inside: and(greaterEqual(at, first), less(at, add(first, length))) };
  };
  const across = along(width, (share) => (isImage ? Math.sqrt(share) : share));
  const down = isImage ? along(height, Math.sqrt) : undefined;
  const columns = reshapeExactly(across.inside, [rows, 1, width, 1]);
  const inside = down === undefined ? columns : and(columns, reshapeExactly(down.inside, [rows, height, 1, 1]));
  const signs = randomSigns(draws, [rows, 1, 1, channels]);
  const grid = [rows, height, width, channels];
  const now = reshapeExactly(best, grid);
  const base = reshapeExactly(center, grid);
  if (threat.norm === 'linf') {
    const corner = add(base, multiply(signs, threat.epsilon));
    return project(reshapeExactly(where(inside, corner, now), shape), center, threat);
  }
  const covered = multiply(multiply(across.length, down?.length ?? 1), channels);
  const push = multiply(multiply(toF32(inside), signs), divide(threat.epsilon, sqrt(covered)));
  return project(reshapeExactly(add(now, push), shape), center, threat);
}
