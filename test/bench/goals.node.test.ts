import { describe, expect, test } from 'vitest';
import { cases } from '../../bench/cases/index.js';
import { goals, judgeGoals } from '../../bench/goals.js';
import { row } from './report.js';

const limits = { fma_gflops: 36, copy_gbps: 3 };
const goalOf = (name: string, start: string, rows: Parameters<typeof judgeGoals>[0]) =>
  judgeGoals(rows, limits).find((one) => one.case === name && one.goal.startsWith(start));

test('every goal is of a case that exists', () => {
  const names = cases.map(({ name }) => name);
  expect(Object.keys(goals).filter((name) => !names.includes(name))).toEqual([]);
});

test('no two cases share a name', () => {
  const names = cases.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

describe('a goal, at its bound and on the wrong side of it', () => {
  test.each([
    ['at least 3 x jax-js', { ratio_to: { 'jax-js': 3 } }, { ratio_to: { 'jax-js': 2.999 } }],
    // A ratio is the hand-built step's time by ours.
    ['at most 1.1 x by-hand', { ratio_to: { 'by-hand': 1 / 1.099 } }, { ratio_to: { 'by-hand': 1 / 1.101 } }],
    ['at most 8 dispatches', { dispatches: 8 }, { dispatches: 9 }],
  ])('%s', (goal, met, missed) => {
    expect(goalOf('step/784-128-10', goal, [row('step/784-128-10', met)])?.met).toBe(true);
    expect(goalOf('step/784-128-10', goal, [row('step/784-128-10', missed)])?.met).toBe(false);
  });

  test('GFLOP/s, by what the fma limit reads in this run', () => {
    // Half of the 72 that the goal is stated for: half of 11.
    expect(goalOf('matmul/512', 'at least 11 GFLOP/s', [row('matmul/512', { gflops: 5.5 })])).toMatchObject({
      bound: 5.5,
      met: true,
    });
    expect(goalOf('matmul/512', 'at least 11 GFLOP/s', [row('matmul/512', { gflops: 5.4 })])?.met).toBe(false);
  });

  test('a share of the copy limit', () => {
    const name = 'cross-entropy/4096x1000';
    expect(goalOf(name, 'at least 45 %', [row(name, { share_of_limit: 0.45 })])?.met).toBe(true);
    expect(goalOf(name, 'at least 45 %', [row(name, { share_of_limit: 0.44 })])?.met).toBe(false);
  });

  test('µs beyond the loop by hand: 20, and 1 a dispatch', () => {
    const name = 'overhead/encode-784-128-10';
    const hand = row(name, { engine: 'by-hand', unit: 'us', median: 30 });
    const ours = (median: number) => row(name, { unit: 'us', median, dispatches: 8 });
    expect(goalOf(name, 'at most 20 + 1', [ours(58), hand])).toMatchObject({ measured: 28, bound: 28, met: true });
    expect(goalOf(name, 'at most 20 + 1', [ours(58.5), hand])?.met).toBe(false);
  });

  test('another case of ours', () => {
    const rows = (median: number) => [row('scale/tensors-10', { median: 5 }), row('scale/tensors-1000', { median })];
    expect(goalOf('scale/tensors-1000', 'at most 1.2 x', rows(6))).toMatchObject({ measured: 1.2, met: true });
    expect(goalOf('scale/tensors-1000', 'at most 1.2 x', rows(6.1))?.met).toBe(false);
  });
});

test('what the run did not measure is not judged', () => {
  expect(judgeGoals([row('step/784-128-10'), row('scale/tensors-1000')], limits)).toEqual([]);
  const peerAlone = row('matmul/512', { engine: 'jax-js', gflops: 20, ratio_to: { 'jax-js': 9 } });
  expect(judgeGoals([peerAlone], limits)).toEqual([]);
});
