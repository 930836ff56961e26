import type { Tensor } from '../../src/graph/tensor.js';
import * as activation from '../../src/ops/activation.js';
import * as arithmetic from '../../src/ops/arithmetic.js';
import * as casts from '../../src/ops/casts.js';
import * as comparison from '../../src/ops/comparison.js';
import type { ElementwiseFunction } from '../../src/ops/elementwise.js';
import * as exponential from '../../src/ops/exponential.js';
import * as logical from '../../src/ops/logical.js';
import * as trigonometric from '../../src/ops/trigonometric.js';
import type { Random } from '../support/random.js';

export type ElementwiseCall = ((...inputs: Tensor[]) => Tensor) & ElementwiseFunction;

const modules = { activation, arithmetic, casts, comparison, exponential, logical, trigonometric };

/** Every export with a `spec`: what `unary`, `binary` and `cast` made. */
export const elementwiseOps: readonly ElementwiseCall[] = Object.values(modules).flatMap((module) =>
  Object.values(module as Record<string, unknown>).filter(
    (value): value is ElementwiseCall => typeof value === 'function' && 'spec' in value && 'op' in value,
  ),
);

/** Away from the kinks at integers and halves, and from the other operand, by a tenth. */
const offGrid = (from: number) => (random: Random) => random.integer(-3, 3) + random.uniform(from, from + 0.05);

const between = (low: number, high: number) => (random: Random) => random.uniform(low, high);
const eitherSign = (low: number, high: number) => (random: Random) =>
  (random.below(2) === 0 ? -1 : 1) * random.uniform(low, high);

/** Where an op is smooth and differences resolve it; default: normal numbers. */
const domains: Readonly<Record<string, readonly ((random: Random) => number)[]>> = {
  log: [between(0.4, 4)],
  log1p: [between(-0.6, 3)],
  sqrt: [between(0.4, 4)],
  rsqrt: [between(0.4, 4)],
  reciprocal: [eitherSign(0.4, 3)],
  divide: [between(-2, 2), eitherSign(0.4, 3)],
  pow: [between(0.4, 2.5), between(-2, 3)],
  sin: [between(-3.1, 3.1)],
  cos: [between(-3.1, 3.1)],
  exp: [between(-4, 4)],
};

const smooth = new Set([
  'add',
  'subtract',
  'multiply',
  'square',
  'negative',
  'divide',
  'reciprocal',
  'pow',
  'exp',
  'log',
  'log1p',
  'expm1',
  'sqrt',
  'rsqrt',
  'sin',
  'cos',
  'tanh',
  'sigmoid',
  'softplus',
  'silu',
  'erf',
  'gelu',
  'geluTanh',
]);

export function isSmooth(op: ElementwiseCall): boolean {
  return smooth.has(op.spec.name);
}

export function drawFor(op: ElementwiseCall, operand: number): (random: Random) => number {
  const own = domains[op.spec.name]?.[operand];
  if (own !== undefined) return own;
  return isSmooth(op) ? (random) => random.normal() : offGrid(operand === 0 ? 0.2 : 0.35);
}
