import { describe, expect, test } from 'vitest';
import {
  add,
  compile,
  grad,
  losses,
  measureLimits,
  multiply,
  nn,
  optim,
  type Profile,
  profile,
  repeat,
  type Tensor,
  tensor,
} from '../../src/index.js';
import { complaint } from '../support/complaint.js';
import { useEngine, useOwnEngine } from '../support/engine.js';
import { random } from '../support/random.js';

const timestamps = (await navigator.gpu.requestAdapter())?.features.has('timestamp-query') === true;

const BATCH = 16;
const draw = random(11);
const images = { data: draw.floats(BATCH * 20, (r) => r.normal()), shape: [BATCH, 20] };
const labels = Uint32Array.from({ length: BATCH }, () => draw.below(3));

/** Training of a small net; two of them start alike. */
function training() {
  const model = nn.sequential(nn.linear(20, 33), nn.relu(), nn.linear(33, 3));
  const parameters = model.parameters();
  const optimizer = optim.adamw(parameters, { learningRate: 0.01 });
  const step = compile(
    (x: Tensor, y: Tensor) => {
      const loss = losses.crossEntropy(model(x), y);
      optimizer.update(grad(loss, parameters));
      return loss;
    },
    { name: 'training' },
  );
  return { step, parameters };
}

/** `4.2 M`, as explain writes numbers. */
function scaled(value: number): string {
  const power = value >= 1e9 ? 3 : value >= 1e6 ? 2 : value >= 1e3 ? 1 : 0;
  return `${Number((value / 1000 ** power).toPrecision(3))} ${['', 'k', 'M', 'G'][power]}`;
}

function expectPlausible({ limits, cpuMs, stepMs, dispatches }: Profile): void {
  expect(limits.fmaGflops).toBeGreaterThan(0.1);
  expect(limits.copyGbps).toBeGreaterThan(0.01);
  expect(stepMs).toBeGreaterThan(0);
  expect(cpuMs).toBeGreaterThanOrEqual(0);
  expect(cpuMs).toBeLessThanOrEqual(stepMs);
  for (const { bytes, flops } of dispatches) {
    expect(bytes).toBeGreaterThan(0);
    expect(flops).toBeGreaterThanOrEqual(0);
  }
}

describe('profile', () => {
  const engine = useEngine();

  test('has a row for each dispatch that explain lists, with its bytes and flops', async () => {
    const { step } = training();
    const text = step.explain(images, labels);
    const found = await profile(step, images, labels);
    expectPlausible(found);
    expect(found.name).toBe('training');
    expect(found.adapter).toBe(engine().device.facts.name);
    const rows = found.dispatches.map(({ label, variant, origin, grid, bytes, flops }, i) => {
      const chosen = variant === undefined ? '' : ` (${variant}${origin === undefined ? '' : `, ${origin}`})`;
      return `${String(i).padStart(3)}  ${label}${chosen}  grid ${grid.join('x')}  ${scaled(bytes)}B  ${scaled(flops)}flop`;
    });
    expect(rows).toEqual(text.split('\n').filter((line) => /^ *\d+ {2}/.test(line)));
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  test.runIf(timestamps)('times each dispatch, and the rates are those of its time', async () => {
    const { step } = training();
    const { timing, dispatches, gpuMs = Number.NaN, limits, note } = await profile(step, images, labels);
    expect(timing).toBe('dispatch');
    expect(note).toMatch(/^The (median|mean) of \d+ runs, each dispatch in a pass of its own/);
    expect(dispatches.reduce((sum, { ms = Number.NaN, runs }) => sum + runs * ms, 0)).toBeCloseTo(gpuMs, 9);
    expect(gpuMs).toBeGreaterThan(0);
    for (const { ms = Number.NaN, repeats, bytes, flops, boundBy, ...rates } of dispatches) {
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThan(1000);
      expect(repeats).toBeGreaterThanOrEqual(1);
      expect(boundBy).toBe(flops / limits.fmaGflops > bytes / limits.copyGbps ? 'fma' : 'bandwidth');
      if (ms === 0) continue;
      expect(rates.gflops).toBeCloseTo(flops / ms / 1e6, 6);
      expect(rates.gbps).toBeCloseTo(bytes / ms / 1e6, 6);
      expect(rates.shareOfFma).toBeCloseTo(flops / ms / 1e6 / limits.fmaGflops, 6);
      expect(rates.shareOfBandwidth).toBeCloseTo(bytes / ms / 1e6 / limits.copyGbps, 6);
    }
  });

  test('leaves parameters and state as so many ordinary steps would, to the bit', async () => {
    const profiled = training();
    const plain = training();
    for (const [i, parameter] of profiled.parameters.entries()) {
      plain.parameters[i]?.assign(tensor(await parameter.data(), { shape: parameter.shape }));
    }
    const { steps } = await profile(profiled.step, images, labels);
    expect(steps).toBeGreaterThan(5);
    expect(profiled.step.count).toBe(steps);
    for (let i = 0; i < steps; i++) {
      plain.step(images, labels);
      if (i % 16 === 0) await plain.step.ready();
    }
    // One step more: the optimizer's state shows in it.
    const losses = [profiled.step(images, labels), plain.step(images, labels)];
    const [got, wanted] = await Promise.all(losses.map((loss) => loss.item()));
    expect(got).toBe(wanted);
    for (const [i, parameter] of profiled.parameters.entries()) {
      expect(await parameter.data()).toEqual(await plain.parameters[i]?.data());
    }
  });

  test('knows how often a step runs what is inside its repeats, and leaves their result alone', async () => {
    const step = compile((x: Tensor) =>
      add(
        repeat(3, (value) => multiply(value, 2), x),
        1,
      ),
    );
    const x = new Float32Array(1000).fill(1);
    const { dispatches, gpuMs, steps } = await profile(step, x);
    expect(dispatches.map(({ label, runs }) => [label, runs])).toEqual([
      ['multiply', 3],
      ['add', 1],
    ]);
    const total = dispatches.reduce((sum, { ms = 0, runs }) => sum + runs * ms, 0);
    if (timestamps) expect(gpuMs).toBeCloseTo(total, 9);
    expect(steps).toBe(step.count);
    expect(await step(x).data()).toEqual(new Float32Array(1000).fill(9));
  });

  test('a step without a dispatch has no rows', async () => {
    const { timing, dispatches, gpuMs = 0, steps } = await profile(compile(() => 7));
    expect({ dispatches, gpuMs }).toEqual({ dispatches: [], gpuMs: 0 });
    expect(timing).toBe(timestamps ? 'dispatch' : 'step');
    expect(steps).toBeGreaterThan(0);
  });

  test('refuses what compile did not make, and a call inside a compiled function', async () => {
    expect(await complaint(() => profile((() => 1) as never))).toBe(
      'ValueError: profile: its first argument was not made by compile.\n  Mend: profile(compile(step), …inputs).',
    );
    const inner = compile((x: Tensor) => x, { name: 'inner' });
    let inside: Promise<unknown> = Promise.resolve();
    const outer = compile((x: Tensor) => {
      inside = profile(inner, x);
      inside.catch(() => undefined);
      return x;
    });
    outer(new Float32Array(1));
    expect(await complaint(() => inside)).toBe(
      'ValueError: profile: it was called inside a compiled function.\n  Mend: call it outside.',
    );
  });

  test('measured limits never fall', async () => {
    const first = await measureLimits();
    const second = await measureLimits();
    expect(second.fmaGflops).toBeGreaterThanOrEqual(first.fmaGflops);
    expect(second.copyGbps).toBeGreaterThanOrEqual(first.copyGbps);
  });
});

describe('without timestamp queries', () => {
  useOwnEngine({ withoutFeatures: ['timestamp-query'] });

  test('whole steps are timed, and the profile says so', async () => {
    const { step } = training();
    const found = await profile(step, images, labels);
    expectPlausible(found);
    expect(found.timing).toBe('step');
    expect(found.note).toBe('This device has no timestamp queries: whole steps were timed, and no dispatch.');
    expect(found.gpuMs).toBeUndefined();
    expect(found.dispatches.length).toBeGreaterThan(3);
    for (const row of found.dispatches) expect([row.ms, row.gflops, row.shareOfFma]).toEqual(Array(3).fill(undefined));
  });
});
