import { describe, expect, test } from 'vitest';
import { attacks, random as draws, losses, negative, type nn, robust } from '../../src/index.js';
import { useEngine } from '../support/engine.js';
import { balanced, examplesOf, logitsOf, modelOf, type SmallNet, smallNet } from './small.js';

useEngine();

const { data, rows } = examplesOf(129, 9, 3, 72);
const net = balanced(smallNet([9, 12, 3], 71), rows);
const labels = Uint32Array.from(rows, (row) => {
  const z = logitsOf(net, row);
  return z.indexOf(Math.max(...z));
});
const dataset = { images: { data, shape: [129, 9] }, labels };

const scaled = (given: SmallNet, by: number): nn.Module =>
  modelOf({ ...given, w2: given.w2.map((one) => by * one), b2: given.b2.map((one) => by * one) });

async function verdicts(model: nn.Module, options: robust.SanityOptions) {
  const checks = await robust.sanityChecks(model, dataset, options);
  return {
    passed: Object.fromEntries(checks.map(({ check, passed }) => [check, passed])),
    report: JSON.stringify(checks),
  };
}

const sound = () => ({ epsilon: 0.1, steps: 10, generator: draws.generator(3) });

describe('an attack that works passes', () => {
  test.each(['linf', 'l2'] as const)('%s', async (norm) => {
    const attack = attacks.pgd({ ...sound(), norm, epsilon: norm === 'linf' ? 0.1 : 0.3 });
    const transferModel = modelOf(smallNet([9, 12, 3], 99));
    const { passed, report } = await verdicts(modelOf(net), { attack, transferModel });
    expect(passed, report).toEqual({ ball: true, steps: true, radius: true, noise: true, transfer: true });
  });
});

test('one example tells nothing of chance: no attack is stronger than noise by it', async () => {
  const one = { images: { data: data.slice(0, 9), shape: [1, 9] }, labels: labels.slice(0, 1) };
  const checks = await robust.sanityChecks(modelOf(net), one, { attack: attacks.pgd(sound()) });
  const { passed, figures } = checks.find(({ check }) => check === 'noise') ?? expect.fail('there is no such check');
  expect(figures.difference).toBeGreaterThan(0);
  expect([passed, figures.standardError]).toEqual([false, Number.POSITIVE_INFINITY]);
});

describe('planted faults are found', () => {
  test('steps of size 0: no radius is wide enough, and noise is as good', async () => {
    const attack = attacks.pgd({ ...sound(), stepSize: 0 });
    const { passed, report } = await verdicts(modelOf(net), { attack });
    expect(passed, report).toEqual({ ball: true, steps: true, radius: false, noise: false });
  });

  test('gradients masked by a saturated scale: noise is as good, a transferred attack stronger', async () => {
    const attack = attacks.pgd({ ...sound(), randomStart: 'none' });
    const masked = scaled(net, 1e4);
    const { passed, report } = await verdicts(masked, { attack, transferModel: modelOf(net) });
    expect(passed, report).toMatchObject({ radius: false, noise: false, transfer: false });
    // The mend: an objective that does not saturate.
    const better = attacks.pgd({ ...sound(), randomStart: 'none', objective: 'logitMargin' });
    const mended = await verdicts(masked, { attack: better, transferModel: modelOf(net) });
    expect(mended.passed, mended.report).toEqual({
      ball: true,
      steps: true,
      radius: true,
      noise: true,
      transfer: true,
    });
  });

  test('an attack that leaves its ball, and one that further steps weaken', async () => {
    const wide = attacks.pgd({ ...sound(), epsilon: 0.2 });
    const cheat = Object.assign((...given: Parameters<attacks.Attack>) => wide(...given), {
      ...wide,
      threat: { ...wide.threat, epsilon: 0.1 },
    });
    const first = await verdicts(modelOf(net), { attack: cheat });
    expect(first.passed.ball, first.report).toBe(false);
    // Climbs for its ten steps, and with more of them goes down.
    const climbing = attacks.pgd(sound());
    const descending = attacks.pgd({
      ...sound(),
      objective: (z, y) => negative(losses.crossEntropy(z, y, { reduction: 'none' })),
    });
    const turning = Object.assign((...given: Parameters<attacks.Attack>) => climbing(...given), {
      ...climbing,
      vary: (changes: { epsilon?: number; steps?: number }) =>
        changes.steps === undefined ? climbing.vary(changes) : descending.vary(changes),
    });
    const second = await verdicts(modelOf(net), { attack: turning });
    expect(second.passed.steps, second.report).toBe(false);
  });
});
