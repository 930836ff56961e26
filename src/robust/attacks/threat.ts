import { checkCounts, checkNames, suggest, ValueError } from '../../errors.js';
import type { Tensor } from '../../graph/tensor.js';
import { abs, add, clamp, divide, multiply, pow, sign, square, subtract } from '../../ops/arithmetic.js';
import { greater } from '../../ops/comparison.js';
import { sqrt } from '../../ops/exponential.js';
import { isFinite as areFinite, where } from '../../ops/logical.js';
import type { Generator } from '../../ops/random.js';
import { max, sum } from '../../ops/reduce.js';

export type Norm = 'linf' | 'l2';

/** Which inputs an attack may give for an input x: a ball around it, cut by a box. */
export interface ThreatOptions {
  /** The ball's radius, at least 0, in the units of the inputs: 8 / 255 for images in [0, 1], say. */
  readonly epsilon: number;
  /** Of one example, over all axes but the first. Default 'linf'. */
  readonly norm?: Norm;
  /** The least and the greatest value of an input. They win over the ball. Default `[0, 1]`; null for none. */
  readonly bounds?: readonly [low: number, high: number] | null;
}

export type Threat = Required<ThreatOptions>;

const NORMS: readonly Norm[] = ['linf', 'l2'];

export const THREAT_OPTIONS: readonly string[] = ['epsilon', 'norm', 'bounds'];

export function threatOf(op: string, { epsilon, norm = 'linf', bounds = [0, 1] }: ThreatOptions): Threat {
  checkNumber(op, 'epsilon', epsilon, 0);
  checkName(op, 'norm', norm, NORMS);
  if (bounds !== null) {
    const [low, high] = bounds;
    if (bounds.length !== 2 || !Number.isFinite(low) || !Number.isFinite(high) || !(low < high)) {
      throw new ValueError(op, `bounds are ${JSON.stringify(bounds)}; they must be [low, high], low below high.`, {
        mend: 'give the range of the inputs, or null for none.',
      });
    }
  }
  return { epsilon, norm, bounds };
}

/** @throws ValueError for an option that nobody reads, or one that was left undefined. */
export function checkOptionNames(op: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new ValueError(op, `its options are ${String(options)}.`, { mend: `write ${op}({ epsilon: 8 / 255 }).` });
  }
  checkNames(op, options, known);
}

/** @throws ValueError unless it is a finite number of at least `least`. */
export function checkNumber(op: string, name: string, value: number, least: number): void {
  if (Number.isFinite(value) && value >= least) return;
  throw new ValueError(op, `${name} is ${String(value)}; it must be a finite number of at least ${least}.`, {
    mend: `give ${name} as a number, such as ${name === 'epsilon' ? '8 / 255' : '0.01'}.`,
  });
}

/** @throws ValueError unless it is a whole number of at least 1. */
export function checkCount(op: string, name: string, value: number): void {
  checkCounts(op, { [name]: value }, `give ${name} as a whole number, such as 10.`);
}

export function checkName(op: string, what: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  throw new ValueError(op, `unknown ${what} '${String(name)}'. ${suggest(String(name), known)}`);
}

/** Over all axes but the first, kept as axes of one: what broadcasts against the inputs. */
function itemwise(x: Tensor): { readonly axes: readonly number[]; readonly keepDims: true } {
  return { axes: x.shape.map((_, axis) => axis).slice(1), keepDims: true };
}

function lengths(x: Tensor): Tensor {
  return sqrt(sum(square(x), itemwise(x)));
}

/** The nearest inputs (in each step's own norm) that the threat allows around `center`. */
export function project(x: Tensor, center: Tensor, { norm, epsilon, bounds }: Threat): Tensor {
  const inside =
    norm === 'linf' ? clamp(x, subtract(center, epsilon), add(center, epsilon)) : shorten(x, center, epsilon);
  return bounds === null ? inside : clamp(inside, bounds[0], bounds[1]);
}

function shorten(x: Tensor, center: Tensor, epsilon: number): Tensor {
  const away = subtract(x, center);
  const length = lengths(away);
  // Both sides of a `where` are computed: an own length of 0 divides nothing that is used.
  return add(center, multiply(away, where(greater(length, epsilon), divide(epsilon, length), 1)));
}

/**
 * The step of length 1 along which a linear function with this gradient grows most: its sign, or the gradient by its own
 * length. A row (of linf: an element) whose gradient is zero, infinite or NaN stays where it is.
 */
export function direction(gradient: Tensor, norm: Norm): Tensor {
  if (norm === 'linf') {
    const sides = sign(gradient);
    return where(areFinite(gradient), sides, 0);
  }
  // By its largest element first: squares of a faint gradient (below 1e-19) would be 0 in f32.
  const scaled = divide(gradient, max(abs(gradient), itemwise(gradient)));
  const unit = divide(scaled, lengths(scaled));
  return where(areFinite(unit), unit, 0);
}

/** A point of the ball around `center`, all equally likely. */
export function uniformIn(center: Tensor, { norm, epsilon }: Threat, generator: Generator): Tensor {
  const { shape } = center;
  if (norm === 'linf') return add(center, generator.uniform(shape, -epsilon, epsilon));
  const size = shape.slice(1).reduce((product, length) => product * length, 1);
  // A normal draw has no preferred direction; the volume within radius r grows as r^size.
  const away = direction(generator.normal(shape), 'l2');
  const unit = generator.uniform(shape.map((length, axis) => (axis === 0 ? length : 1)));
  return add(center, multiply(away, multiply(epsilon, pow(unit, 1 / Math.max(1, size)))));
}

/** How far each example is from its center, `[n]`. */
export function distances(x: Tensor, center: Tensor, norm: Norm): Tensor {
  const away = subtract(x, center);
  const { axes } = itemwise(x);
  return norm === 'linf' ? max(abs(away), { axes }) : sqrt(sum(square(away), { axes }));
}
