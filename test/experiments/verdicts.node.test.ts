import { describe, expect, test } from 'vitest';
import { type BoundsFound, bounds } from '../../experiments/bounds.js';
import type { Verdict } from '../../experiments/experiment.js';
import { labelNoise } from '../../experiments/labelNoise.js';
import { spreadOf } from '../../experiments/statistics.js';
import { tauAccuracy } from '../../experiments/tauAccuracy.js';
import type { TunedFound, TunedTrial } from '../../experiments/tuned.js';

/** Results of every trial: tuning is best at `rate`, and each seed's accuracy as planted. */
function plant<Case extends { name: string; tau: number }>(
  trials: readonly TunedTrial<Case>[],
  accuracy: (condition: Case, seed: number) => number,
  rate = 0.1,
): Map<string, TunedFound> {
  return new Map(
    trials.map((trial) => [
      trial.key,
      trial.rate === null
        ? { rate, accuracy: accuracy(trial.condition, trial.seed), loss: 1 }
        : { rate: trial.rate, accuracy: trial.rate === rate ? 0.9 : 0.5, loss: 1 },
    ]),
  );
}

const shownOf = (verdicts: readonly Verdict[]) => verdicts.map(({ shown }) => shown);

describe('tau-accuracy', () => {
  const { settings } = tauAccuracy;
  const judge = (accuracy: (condition: { task: string; tau: number }, seed: number) => number, rate?: number) =>
    tauAccuracy.summarise(settings, plant(tauAccuracy.trials(settings), accuracy, rate));
  /** As recalled: a peak at 1, and with 100 classes nothing at 2. */
  const recalled = ({ task, tau }: { task: string; tau: number }) =>
    task === 'pairs' && tau === 2 ? 0.02 : 0.95 - 0.1 * Math.abs(tau - 1);

  test('shows what is there', () => {
    expect(shownOf(judge(recalled).verdicts)).toEqual([true, true, true]);
  });

  test('not best near 1: one task at a time', () => {
    const off = (name: string) => (one: { task: string; tau: number }) =>
      one.task === name && one.tau === 1.5 ? 0.99 : recalled(one);
    expect(shownOf(judge(off('digits')).verdicts)).toEqual([false, true, true]);
    expect(shownOf(judge(off('pairs')).verdicts)).toEqual([true, false, true]);
  });

  test.each([
    // Seeds 0, 1, 2 give mean +- 0.02, so each mean has the error 0.02 / sqrt(3), their difference 0.02 sqrt(2 / 3) = 0.0163.
    [0.016, true],
    [0.017, false],
  ])('tau 1 is %d below the best, where the standard error of the difference is 0.0163: %s', (behind, shown) => {
    const { verdicts } = judge((one, seed) => {
      if (one.task !== 'digits' || (one.tau !== 1 && one.tau !== 1.5)) return recalled(one) - 0.2;
      return 0.9 - (one.tau === 1 ? behind : 0) + 0.02 * (seed - 1);
    });
    expect(verdicts[0]?.shown).toBe(shown);
  });

  test('no breakdown: neither when tau 2 learns with 100 classes, nor when it fails with 10 too', () => {
    expect(judge((one) => (one.tau === 2 ? 0.5 : recalled(one))).verdicts[2]?.shown).toBe(false);
    expect(judge((one) => (one.tau === 2 ? 0.02 : recalled(one))).verdicts[2]?.shown).toBe(false);
  });

  test('a rate on the edge of the grid is noted, in the table too', () => {
    const inside = judge(recalled);
    const edge = judge(recalled, 3);
    expect(inside.notes).toEqual([]);
    expect(edge.notes).toHaveLength(10);
    expect(edge.notes[0]).toBe(
      "digits, tau 0: the chosen rate 3 lies on the grid's edge; a better one may lie beyond.",
    );
    expect(edge.tables[0]?.rows[0]).toEqual(['0', '85.00 ± 0.00 %', '3 (edge)', '85.00 ± 0.00 %', '3 (edge)']);
    expect(inside.tables[0]?.rows[0]).toEqual(['0', '85.00 ± 0.00 %', '0.1', '85.00 ± 0.00 %', '0.1']);
  });
});

describe('label-noise', () => {
  const { settings } = labelNoise;
  const judge = (accuracy: (condition: { noise: number; tau: number }, seed: number) => number) =>
    labelNoise.summarise(settings, plant(labelNoise.trials(settings), accuracy));

  test('a win from the noise on where there is one', () => {
    // Leads of -0.06, -0.01, 0.04 and 0.09, where two standard errors are 0.0327.
    const { verdicts } = judge(({ noise, tau }, seed) => (tau > 1 ? 0.9 : 0.96 - noise / 4) + 0.02 * (seed - 1));
    expect(shownOf(verdicts)).toEqual([false, false, true, true]);
    expect(verdicts.map(({ because }) => because.split(':')[0])).toEqual([
      'It loses',
      'It neither wins nor loses',
      'It wins',
      'It wins',
    ]);
  });

  test.each([
    // As above: the standard error of the difference is 0.0163, twice that is 0.0327.
    [0.034, 'It wins'],
    [0.032, 'It neither wins nor loses'],
    [-0.032, 'It neither wins nor loses'],
    [-0.034, 'It loses'],
  ])('a lead of %d: %s', (lead, word) => {
    const { verdicts } = judge(({ tau }, seed) =>
      tau === 1 || tau === 2 ? 0.8 + (tau === 2 ? lead : 0) + 0.02 * (seed - 1) : 0.5,
    );
    for (const { because, shown } of verdicts) {
      expect(because.split(':')[0]).toBe(word);
      expect(shown).toBe(word === 'It wins');
    }
  });

  test('the tables have a row for each noise and a column for each tau', () => {
    const { tables } = judge(({ noise, tau }) => noise + tau / 10);
    expect(tables[0]?.head).toEqual(['wrong labels', 'tau 0.5', 'tau 1', 'tau 1.5', 'tau 2']);
    expect(tables[0]?.rows[1]).toEqual(['20 %', ...[25, 30, 35, 40].map((accuracy) => `${accuracy}.00 ± 0.00 %`)]);
  });
});

describe('bounds', () => {
  const { settings } = bounds;
  const sound: BoundsFound = {
    steps: [0, 20],
    left: [0.3, 0.1],
    right: [1, 0.4],
    regret: [0.5, 0.1],
    gap: 0.1,
    method: 'planted.',
  };
  const judge = (odd: Partial<BoundsFound>) => {
    const trials = bounds.trials(settings);
    const found = new Map(trials.map(({ key }, i) => [key, i === 3 ? { ...sound, ...odd } : sound]));
    return bounds.summarise(settings, found);
  };

  test('no violation', () => {
    const { verdicts, tables } = judge({});
    expect(verdicts).toEqual([
      {
        claim: 'left <= right at every look',
        shown: true,
        because: '0 of 60 looks violate it; the largest left - right is -0.300.',
      },
    ]);
    expect(tables[0]?.rows.map((row) => row.at(-1))).toEqual(Array.from({ length: 10 }, () => '0'));
  });

  test.each([
    ['left above right at one look', { left: [0.3, 0.41] }, 1],
    ['above by what rounding explains', { left: [0.3, 0.4 + 5e-15] }, 0],
    ['above by more than rounding', { left: [0.3, 0.4 + 2e-14] }, 1],
    ['NaN, which is no bound', { right: [Number.NaN, 0.4] }, 1],
    ['both looks', { left: [1.1, 0.5] }, 2],
  ])('%s', (_, odd, count) => {
    const { verdicts, tables } = judge(odd);
    expect(verdicts[0]?.shown).toBe(count === 0);
    expect(verdicts[0]?.because).toContain(`${count} of 60 looks`);
    expect(tables[0]?.rows[1]?.at(-1)).toBe(String(count));
  });
});

test('mean, standard deviation and error', () => {
  // 1, 2, 3: the squares about 2 add up to 2, over n - 1 = 2.
  expect(spreadOf([1, 2, 3])).toEqual({ mean: 2, deviation: 1, error: 1 / Math.sqrt(3) });
  expect(spreadOf([5])).toEqual({ mean: 5, deviation: 0, error: 0 });
});
