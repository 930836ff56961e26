import type { PeerName } from './case.js';
import type { Limits, Row } from './report.js';

/** What a goal is judged by: our row of its case, any row of the run, and the run's limits. */
interface Evidence {
  readonly ours: Row;
  row(name: string, engine: Row['engine']): Row | undefined;
  readonly limits: Limits;
}

/** A figure that a case is to reach. */
interface Goal {
  /** For people, with the bound: `at least 4 x jax-js`. */
  readonly says: string;
  /** Undefined where the run did not measure it. */
  readonly figure: (evidence: Evidence) => number | undefined;
  readonly bound: (evidence: Evidence) => number;
  readonly side: 'at least' | 'at most';
}

/** A goal beside what was measured. */
export interface Verdict {
  readonly case: string;
  readonly goal: string;
  readonly measured: number;
  readonly bound: number;
  readonly met: boolean;
}

/** At least so many times as fast as a peer. */
const faster = (peer: PeerName, times: number): Goal => ({
  says: `at least ${times} x ${peer}`,
  figure: ({ ours }) => ours.ratio_to?.[peer],
  bound: () => times,
  side: 'at least',
});

/** At most so many times a peer's time. */
const nearly = (peer: PeerName, times: number): Goal => ({
  says: `at most ${times} x ${peer}`,
  figure: ({ ours }) => {
    const ratio = ours.ratio_to?.[peer];
    return ratio === undefined ? undefined : 1 / ratio;
  },
  bound: () => times,
  side: 'at most',
});

/** At most so much more than the bare loop written by hand, in the case's unit. */
const beyondHand = (most: number, perDispatch = 0): Goal => ({
  says:
    perDispatch === 0 ? `at most ${most} beyond by hand` : `at most ${most} + ${perDispatch} a dispatch beyond by hand`,
  figure: ({ ours, row }) => {
    const hand = row(ours.case, 'by-hand');
    return hand === undefined ? undefined : ours.median - hand.median;
  },
  bound: ({ ours }) => most + perDispatch * (ours.dispatches ?? 0),
  side: 'at most',
});

/** The share of a limit, given as a figure where the limit reads `where`. */
const reaching = (gflops: number, where: number): Goal => ({
  says: `at least ${gflops} GFLOP/s where fma reads ${where}`,
  figure: ({ ours }) => ours.gflops,
  bound: ({ limits }) => (gflops / where) * limits.fma_gflops,
  side: 'at least',
});

const shareOfLimit = (share: number): Goal => ({
  says: `at least ${100 * share} % of the copy kernel`,
  figure: ({ ours }) => ours.share_of_limit,
  bound: () => share,
  side: 'at least',
});

const within = (ms: number): Goal => ({
  says: `at most ${ms} ms`,
  figure: ({ ours }) => ours.median,
  bound: () => ms,
  side: 'at most',
});

const bytes = (most: number, of: string): Goal => ({
  says: `at most ${of}`,
  figure: ({ ours }) => ours.median,
  bound: () => most,
  side: 'at most',
});

const dispatches = (most: number): Goal => ({
  says: `at most ${most} dispatches`,
  figure: ({ ours }) => ours.dispatches,
  bound: () => most,
  side: 'at most',
});

/** At most so many times another case of ours. */
const timesCase = (other: string, times: number): Goal => ({
  says: `at most ${times} x ${other}`,
  figure: ({ ours, row }) => {
    const base = row(other, 'cotangent');
    return base === undefined ? undefined : ours.median / base.median;
  },
  bound: () => times,
  side: 'at most',
});

const bigProduct = [faster('jax-js', 4), faster('tfjs', 12), reaching(11, 72)];
const product = [faster('jax-js', 3)];
const convolution = [faster('jax-js', 1), faster('tfjs', 1)];
const longRows = [faster('jax-js', 3), shareOfLimit(0.45)];
const step = (jaxJs: number, tfjs: number, most: number) => [
  nearly('by-hand', 1.1),
  faster('jax-js', jaxJs),
  faster('tfjs', tfjs),
  dispatches(most),
];

/** What the engine is held to, by case. */
export const goals: Readonly<Record<string, readonly Goal[]>> = {
  'matmul/512': bigProduct,
  'matmul/512-nt': bigProduct,
  'matmul/512-tn': bigProduct,
  'matmul/1024': bigProduct,
  'matmul/1024-nt': bigProduct,
  'matmul/1024-tn': bigProduct,
  'matmul/1000x333x777': product,
  'matmul/128x784x10': product,
  'matmul/128x10x784-nt': product,
  'matmul/784x128x10-tn': product,
  'conv2d/forward': convolution,
  'conv2d/by-input': convolution,
  'conv2d/by-weight': convolution,
  'step/2-16-16-2': step(20, 100, 12),
  'step/784-128-10': step(3, 20, 8),
  'step/784-512-256-10': step(4, 24, 12),
  // The README's step.
  'step/784-128-10-adamw': [dispatches(8)],
  'cross-entropy/4096x1000': longRows,
  'cross-entropy/512x50257': longRows,
  'linear/1024x256x8192': [nearly('plain', 1.35)],
  'linear/1024x256x50257': [nearly('plain', 1.35)],
  'linear/1024x256x50257-temporaries': [bytes((2 * 4 * 1024 * 50257) / 10, 'a tenth of the logits and their gradient')],
  'overhead/encode-784-128-10': [beyondHand(20, 1)],
  'overhead/encode-2-16-16-2': [beyondHand(20, 1)],
  'overhead/garbage-784-128-10': [beyondHand(200)],
  'overhead/garbage-2-16-16-2': [beyondHand(200)],
  'overhead/first-step-784-128-10': [within(1500)],
  'scale/tensors-1000': [timesCase('scale/tensors-10', 1.2)],
};

/** Each goal of a case that was measured, with its figure; what was not measured is not judged. */
export function judgeGoals(rows: readonly Row[], limits: Limits): Verdict[] {
  const row = (name: string, engine: Row['engine']) => rows.find((one) => one.case === name && one.engine === engine);
  return rows
    .filter(({ engine }) => engine === 'cotangent')
    .flatMap((ours) =>
      (goals[ours.case] ?? []).flatMap(({ says, figure, bound, side }) => {
        const evidence = { ours, row, limits };
        const measured = figure(evidence);
        if (measured === undefined) return [];
        const limit = bound(evidence);
        const met = side === 'at least' ? measured >= limit : measured <= limit;
        return [{ case: ours.case, goal: says, measured, bound: limit, met }];
      }),
    );
}
