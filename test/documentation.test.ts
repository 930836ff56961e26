import { describe, expect, test } from 'vitest';
import page from '../docs/losses.md?raw';
import type { Parameter, Tensor } from '../src/index.js';
import { codeBlocks, runBlock } from './support/documentation.js';
import { useEngine } from './support/engine.js';
import { random } from './support/random.js';

useEngine();

const FEATURES = 20;
const CLASSES = 5;
/** Written in the page. */
const RATE = 0.05;

interface Examples {
  readonly inputs: Float32Array;
  readonly labels: Int32Array;
}

/** Gaussian blobs around five centres; a part of the training labels is drawn anew. */
function blobs(seed: number, noise: number): { train: Examples; heldOut: Examples } {
  const draw = random(seed);
  const centres = Array.from({ length: CLASSES }, () => Array.from({ length: FEATURES }, () => 0.7 * draw.normal()));
  const examples = (count: number, wrong: number): Examples => {
    const inputs = new Float32Array(count * FEATURES);
    const labels = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const label = draw.below(CLASSES);
      for (let j = 0; j < FEATURES; j++) inputs[i * FEATURES + j] = (centres[label]?.[j] ?? 0) + draw.normal();
      labels[i] = draw.unit() < wrong ? draw.below(CLASSES) : label;
    }
    return { inputs, labels };
  };
  return { train: examples(1024, noise), heldOut: examples(256, 0) };
}

const softplus = (x: number) => Math.log1p(Math.exp(x));
const norm = (values: readonly number[]) => Math.hypot(...values);

/** Gradient of the mean comp-sum loss by the weight, in float64. */
function slopeOf({ inputs, labels }: Examples, weight: readonly number[], tau: number): number[] {
  const slope = new Array<number>(weight.length).fill(0);
  labels.forEach((label, i) => {
    const x = inputs.subarray(i * FEATURES, (i + 1) * FEATURES);
    const scores = Array.from({ length: CLASSES }, (_, k) =>
      x.reduce((total, value, j) => total + value * (weight[j * CLASSES + k] ?? 0), 0),
    );
    const top = Math.max(...scores);
    const exponentials = scores.map((z) => Math.exp(z - top));
    const total = exponentials.reduce((a, b) => a + b);
    const p = exponentials.map((e) => e / total);
    const share = (p[label] ?? 0) ** (tau - 1) / labels.length;
    p.forEach((pk, k) => {
      const residual = share * (pk - (k === label ? 1 : 0));
      x.forEach((value, j) => {
        slope[j * CLASSES + k] = (slope[j * CLASSES + k] ?? 0) + value * residual;
      });
    });
  });
  return slope;
}

const directionOf = (train: Examples, weight: readonly number[], free: number): number[] => {
  const slope = slopeOf(train, weight, softplus(free));
  return slope.map((s) => s / norm(slope));
};

/** The page's step. */
type Step = (...inputs: unknown[]) => { heldOut: Tensor; tau: Tensor };

async function start() {
  const block = codeBlocks(page).having('heldOutLabels');
  const found = await runBlock(block, { features: FEATURES, classes: CLASSES }, 'step, weight, free');
  return found as { step: Step; weight: Parameter; free: Parameter };
}

const fed = ({ inputs, labels }: Examples) => [{ data: inputs, shape: [labels.length, FEATURES] }, labels];

describe('the page of the losses learns tau on held-out data', () => {
  test.each([3, 40])('its gradient is that of float64, after %d steps', async (steps) => {
    const { step, weight, free } = await start();
    const { train, heldOut } = blobs(11, 0.4);
    for (let i = 0; i < steps; i++) step(...fed(train), ...fed(heldOut));
    const [at, before] = [Array.from((await weight.data()) as Float32Array), await free.item()];
    step(...fed(train), ...fed(heldOut));
    const moved = (before - (await free.item())) / 20;

    const [ahead, behind] = [1e-5, -1e-5].map((h) => directionOf(train, at, before + h));
    const turn = (ahead ?? []).map((d, i) => (d - (behind?.[i] ?? 0)) / 2e-5);
    const direction = directionOf(train, at, before);
    const next = at.map((w, i) => w - RATE * (direction[i] ?? 0));
    const slope = slopeOf(heldOut, next, 1);
    const wanted = -RATE * turn.reduce((total, t, i) => total + t * (slope[i] ?? 0), 0);
    // Sums of a thousand terms in blocks and a dozen ops more: 64 roundings of what the inner product would be without
    // cancellation; and free itself is rounded when the step is taken from it.
    const limit = 2 ** -24 * (64 * RATE * norm(turn) * norm(slope) + Math.abs(before) / 20);
    expect(Math.abs(wanted)).toBeGreaterThan(10 * limit);
    expect(Math.abs(moved - wanted), `${moved} for ${wanted}`).toBeLessThanOrEqual(limit);
  });

  test.each([1, 2, 3])('and wrong labels drive tau up, as the page says: seed %d', async (seed) => {
    const { step } = await start();
    const { train, heldOut } = blobs(seed, 0.4);
    let tau: Tensor | undefined;
    for (let i = 0; i < 150; i++) tau = step(...fed(train), ...fed(heldOut)).tau;
    const value = await tau?.item();
    console.log(`seed ${seed}: tau ${value}`);
    expect(value).toBeGreaterThan(1.5);
  });
});
