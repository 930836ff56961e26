import { describe, expect, test } from 'vitest';
import { compile, grad, losses, nn, optim, tensor, theory } from '../../src/index.js';
import { useEngine } from '../support/engine.js';
import { random, seedOf } from '../support/random.js';
import { drawDistribution } from './pairs.js';

useEngine();

const EPSILON = 2 ** -24;

/**
 * How far the GPU's conditional risk may be off. As in test/losses/compSum.test.ts: c carries the roundings of z - m, of
 * a sum of exponentials and of log; e^((1 - tau) c) multiplies its error by |1 - tau| c, and exp adds 3 + 2 |x| ulp. One
 * more for the weight.
 */
function allowedError(p: ArrayLike<number>, z: ArrayLike<number>, tau: number): number {
  return Array.from(p).reduce((sum, py, y) => {
    const certain = Array.from(z, (_, j) => (j === y ? 1 : 0));
    const c = theory.conditionalRisk(certain, z, { tau: 1 });
    const value = py * theory.conditionalRisk(certain, z, { tau });
    return sum + EPSILON * (25 + 2 * Math.sqrt(z.length) + 10 * Math.abs(1 - tau) * c) * value + 1e-37;
  }, 0);
}

describe.each([0, 0.5, 1, 1.5, 2, 3])('tau %f', (tau) => {
  test.each([1, 2, 10, 65])('the GPU loss, weighed by label, has the conditional risk: %i classes', async (classes) => {
    const seed = seedOf(`agreement ${tau} ${classes}`);
    const draw = random(seed);
    const inputs = 20;
    const scores = Array.from({ length: inputs }, () => draw.floats(classes, ({ normal }) => 2 * normal()));
    const conditionals = scores.map(() => Float32Array.from(drawDistribution(draw, classes, 'mild')));
    // Every input once for each label, with the label's probability as weight.
    const data = Float32Array.from(scores.flatMap((row) => Array.from({ length: classes }, () => [...row]).flat()));
    const labels = Int32Array.from({ length: inputs * classes }, (_, i) => i % classes);
    const values = losses.compSum(tensor(data, { shape: [inputs * classes, classes] }), labels, {
      tau,
      reduction: 'none',
      sampleWeights: Float32Array.from(conditionals.flatMap((row) => [...row])),
    });
    const weighed = await values.data();
    scores.forEach((z, x) => {
      const p = conditionals[x] ?? [];
      const risk = Array.from(weighed.slice(x * classes, (x + 1) * classes)).reduce((sum, value) => sum + value, 0);
      const wanted = theory.conditionalRisk(p, z, { tau });
      expect(Math.abs(risk - wanted), `seed ${seed}, input ${x}: ${risk} for ${wanted}`).toBeLessThanOrEqual(
        allowedError(p, z, tau),
      );
    });
  });
});

test.each([0, 0.5, 1, 1.5, 2, 3])('tau %f: soft targets have the conditional risk', async (tau) => {
  const seed = seedOf(`soft agreement ${tau}`);
  const draw = random(seed);
  const [inputs, classes] = [50, 10];
  const scores = Array.from({ length: inputs }, () => draw.floats(classes, ({ normal }) => 2 * normal()));
  const conditionals = scores.map(() => Float32Array.from(drawDistribution(draw, classes, 'mild')));
  const table = (rows: Float32Array[]) =>
    tensor(Float32Array.from(rows.flatMap((row) => [...row])), { shape: [inputs, classes] });
  const risks = await losses.compSum(table(scores), table(conditionals), { tau, reduction: 'none' }).data();
  scores.forEach((z, x) => {
    const p = conditionals[x] ?? [];
    const off = Math.abs((risks[x] ?? Number.NaN) - theory.conditionalRisk(p, z, { tau }));
    expect(off, `seed ${seed}, input ${x}`).toBeLessThanOrEqual(allowedError(p, z, tau));
  });
});

test.each([0.5, 1, 1.5])('tau %f: the bound holds while a model trains, and both sides fall', async (tau) => {
  const draw = random(29);
  const [count, classes] = [6, 3];
  const inputs = drawDistribution(draw, count, 'mild');
  const conditionals = Array.from({ length: count }, () => drawDistribution(draw, classes, 'mild'));
  // One weight for each input and class: the set of all functions of these inputs.
  const oneHot = Float32Array.from({ length: count * count }, (_, i) => (i % (count + 1) === 0 ? 1 : 0));
  const at = tensor(oneHot, { shape: [count, count] });
  const model = nn.linear(count, classes);
  const optimizer = optim.adam(model.parameters(), { learningRate: 0.1 });
  const labels = Int32Array.from({ length: count * classes }, (_, i) => i % classes);
  const weights = Float32Array.from(labels, (y, i) => {
    const x = Math.floor(i / classes);
    return (inputs[x] ?? 0) * (conditionals[x]?.[y] ?? 0);
  });
  // Row x * classes + y is input x with label y.
  const repeated = Float32Array.from({ length: count * classes * count }, (_, i) =>
    Math.floor(i / count / classes) === i % count ? 1 : 0,
  );
  const step = compile(() => {
    const rows = tensor(repeated, { shape: [count * classes, count] });
    const loss = losses.compSum(model(rows), labels, { tau, sampleWeights: weights, reduction: 'sum' });
    optimizer.update(grad(loss, model.parameters()));
    return loss;
  });
  const seen: { left: number; right: number }[] = [];
  for (let i = 0; i < 200; i++) {
    if (i % 20 === 0) {
      const scores = model(at);
      const bound = theory.bound({ inputs, conditionals }, { data: await scores.data(), shape: scores.shape }, { tau });
      const loss = await step().item();
      // The loss of this very model, before its update: 18 rows, each within some dozens of roundings.
      expect(Math.abs(loss - bound.compSum.risk)).toBeLessThan(100 * EPSILON * bound.compSum.risk);
      expect(bound.left).toBeLessThanOrEqual(bound.right + 1e-14);
      seen.push(bound);
    } else {
      step();
    }
  }
  await step.ready();
  expect(seen.at(-1)?.right).toBeLessThan(0.2 * (seen[0]?.right ?? 0));
  expect(seen.at(-1)?.left).toBe(0);
  expect(seen[0]?.left).toBeGreaterThan(0);
});
