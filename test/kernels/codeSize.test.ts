import { expect, test, vi } from 'vitest';
import { buildPlan, type Plan } from '../../src/graph/plan.js';
import { skeletonOf } from '../../src/graph/skeleton.js';
import {
  argmax,
  cumulativeSum,
  grad,
  losses,
  matmul,
  nn,
  optim,
  relu,
  softmax,
  sum,
  tensor,
  trainingStep,
} from '../../src/index.js';
import { type Choose, first } from '../../src/kernels/variants.js';
import { useEngine } from '../support/engine.js';
import { quads } from '../support/quads.js';

const engine = useEngine();

/**
 * Characters of WGSL without comments and indents. The largest kernel is a row loss that gives value and gradient:
 * 17,200, for its special functions and online statistics; a first step with it in takes a second here. What once
 * took Chrome 17 s were unrolled tails with guards, several times this: a kernel that needs more wants loops.
 */
const BOUND = 20_000;

function sizesOf({ dispatches }: Plan): [string, number][] {
  return dispatches.map(({ label, variant, code }) => {
    const text = code.replace(/\/\/.*$/gm, '').replace(/\s+/g, ' ');
    return [`${label} (${variant})`, text.length];
  });
}

test('no variant of an op has more code than a page can compile in a moment', () => {
  const x = tensor(new Float32Array(64 * 64), { shape: [64, 64] });
  const labels = tensor(new Int32Array(64), { shape: [64] });
  const loss = losses.compSum(x, labels, { tau: 1.5 });
  const heavy = [relu(matmul(x, x)), sum(x, { axes: -1 }), argmax(x, -1), cumulativeSum(x), softmax(x)];
  const { outputs } = skeletonOf([...heavy, loss, ...grad(loss, [x])], []);
  const sizes = new Map<string, number>();
  for (let taken = 0; taken < 16; taken++) {
    const choose: Choose = ({ variants }) => ({ variant: variants[taken] ?? first(variants), origin: 'static' });
    const plan = buildPlan(engine().device, { outputs, effects: [], fusion: { enabled: true }, choose });
    for (const [name, size] of sizesOf(plan)) sizes.set(name, size);
  }
  expect(sizes.size).toBeGreaterThan(quads ? 30 : 20);
  expect([...sizes].filter(([, size]) => size > BOUND)).toEqual([]);
});

test('nor has a kernel of a training step, whatever was fused into it', () => {
  const model = nn.sequential(nn.linear(784, 128), nn.gelu(), nn.linear(128, 10));
  const optimizer = optim.adamw(model.parameters(), { learningRate: 1e-3 });
  const step = trainingStep({ model, optimizer, loss: losses.crossEntropy });
  const planned = vi.spyOn(engine(), 'planFor');
  step.explain({ data: new Float32Array(128 * 784), shape: [128, 784] }, { data: new Uint32Array(128), shape: [128] });
  const sizes = planned.mock.results.flatMap(({ value }) => sizesOf(value as Plan));
  planned.mockRestore();
  expect(sizes.map(([name]) => name).join()).toContain('matmul');
  expect(sizes.filter(([, size]) => size > BOUND)).toEqual([]);
});
