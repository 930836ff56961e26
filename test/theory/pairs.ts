import type { Random } from '../support/random.js';
import { sum } from './reference.js';

export interface Pair {
  readonly label: string;
  readonly tau: number;
  readonly p: number[];
  readonly z: number[];
}

/** Where formulas change, just beside it, and anywhere. */
const TAUS = [0, 0.25, 0.5, 0.75, 1 - 1e-9, 1, 1 + 1e-9, 1.25, 1.5, 1.75, 2 - 1e-9, 2, 2.5, 3];
const DISTRIBUTIONS = ['mild', 'sharp', 'sparse', 'nearly uniform', 'two', 'tied', 'certain'] as const;
const SCORES = ['normal', 'equal', 'rounded', 'extreme', 'masked', 'nearly best', 'best but for a tie'] as const;

/** A distribution over `classes` and scores of one kind or other: most are easy for a bound, some are its worst. */
export function drawPair(draw: Random, classes: number): Pair {
  const tau = draw.unit() < 0.5 ? draw.pick(TAUS) : draw.uniform(0, 3);
  const kind = draw.pick(DISTRIBUTIONS);
  const p = drawDistribution(draw, classes, kind);
  const scores = draw.pick(SCORES);
  return { label: `tau ${tau}, p ${kind}, scores ${scores}`, tau, p, z: drawScores(draw, p, tau, scores) };
}

export function drawDistribution(
  draw: Random,
  classes: number,
  kind: (typeof DISTRIBUTIONS)[number] = draw.pick(DISTRIBUTIONS),
): number[] {
  const weights = Array.from({ length: classes }, (_, y) => {
    if (kind === 'sharp') return Math.exp(6 * draw.normal());
    if (kind === 'sparse') return y === 0 || draw.unit() < 0.3 ? draw.unit() + 0.01 : 0;
    if (kind === 'nearly uniform') return 1 + 10 ** draw.uniform(-9, -1) * draw.unit();
    if (kind === 'two') return y < 2 ? draw.unit() + 0.01 : 1e-12 * draw.unit();
    if (kind === 'tied') return 1 + draw.below(2);
    if (kind === 'certain') return y === 0 ? 1 : 0;
    return Math.exp(draw.normal());
  });
  const total = sum(weights);
  return weights.map((weight) => weight / total);
}

function drawScores(draw: Random, p: readonly number[], tau: number, kind: (typeof SCORES)[number]): number[] {
  // What minimises the risk below 2, and something sharp from there on.
  const best = p.map((py) => Math.log(Math.max(py, 1e-300)) / Math.max(2 - tau, 0.01));
  if (kind === 'nearly best') return best.map((z) => z + 10 ** draw.uniform(-9, 0) * draw.normal());
  if (kind === 'best but for a tie') {
    const top = best.indexOf(Math.max(...best));
    const rival = (top + 1 + draw.below(Math.max(1, p.length - 1))) % p.length;
    const level = draw.pick([best[top] ?? 0, ((best[top] ?? 0) + (best[rival] ?? 0)) / 2]);
    return best.map((z, y) => (y === top || y === rival ? level : z));
  }
  const unmasked = draw.below(p.length);
  return p.map((_, y) => {
    if (kind === 'equal') return 0;
    if (kind === 'rounded') return draw.below(3);
    if (kind === 'extreme') return draw.unit() < 0.5 ? draw.uniform(-1e4, 1e4) : draw.normal();
    if (kind === 'masked') return y !== unmasked && draw.unit() < 0.4 ? Number.NEGATIVE_INFINITY : draw.normal();
    return 2 * draw.normal();
  });
}
