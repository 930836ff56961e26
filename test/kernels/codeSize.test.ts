import { expect, test } from 'vitest';
import { buildPlan } from '../../src/graph/plan.js';
import { skeletonOf } from '../../src/graph/skeleton.js';
import { argmax, cumulativeSum, grad, losses, matmul, relu, softmax, sum, tensor } from '../../src/index.js';
import { type Choose, first } from '../../src/kernels/variants.js';
import { useEngine } from '../support/engine.js';

const engine = useEngine();

/**
 * Characters of WGSL without comments and indents. The largest kernel is a row loss that gives value and gradient:
 * 17,200, for its special functions and online statistics; a first step with it in takes a second here. What once
 * took Chrome 17 s were unrolled tails with guards, several times this: a kernel that needs more wants loops.
 */
const BOUND = 20_000;

test('no kernel has more code than a page can compile in a moment, whichever variant is chosen', () => {
  const x = tensor(new Float32Array(64 * 64), { shape: [64, 64] });
  const labels = tensor(new Int32Array(64), { shape: [64] });
  const loss = losses.compSum(x, labels, { tau: 1.5 });
  const heavy = [relu(matmul(x, x)), sum(x, { axes: -1 }), argmax(x, -1), cumulativeSum(x), softmax(x)];
  const { outputs } = skeletonOf([...heavy, loss, ...grad(loss, [x])], []);
  const sizes = new Map<string, number>();
  for (let taken = 0; taken < 16; taken++) {
    const choose: Choose = ({ variants }) => ({ variant: variants[taken] ?? first(variants), origin: 'static' });
    const plan = buildPlan(engine().device, { outputs, effects: [], fusion: { enabled: true }, choose });
    for (const { label, variant, code } of plan.dispatches) {
      const text = code.replace(/\/\/.*$/gm, '').replace(/\s+/g, ' ');
      sizes.set(`${label} (${variant})`, text.length);
    }
  }
  expect(sizes.size).toBeGreaterThan(30);
  expect([...sizes].filter(([, size]) => size > BOUND)).toEqual([]);
});
