import { describe, expect, test } from 'vitest';
import { chromeTrace, formatProfile, type Profile, type ProfiledDispatch, rooflineSvg } from '../../src/index.js';

const limits = { fmaGflops: 70, copyGbps: 3 };

function row(label: string, flops: number, bytes: number, ms: number): ProfiledDispatch {
  return {
    label,
    variant: 'quad 32x16',
    grid: [8, 4, 1],
    runs: 1,
    bytes,
    flops,
    boundBy: flops / limits.fmaGflops > bytes / limits.copyGbps ? 'fma' : 'bandwidth',
    ms,
    repeats: 1,
    ...(ms === 0
      ? {}
      : {
          gflops: flops / ms / 1e6,
          gbps: bytes / ms / 1e6,
          shareOfFma: flops / ms / 1e6 / limits.fmaGflops,
          shareOfBandwidth: bytes / ms / 1e6 / limits.copyGbps,
        }),
  };
}

const timed: Profile = {
  name: 'a <step> & "more"',
  adapter: 'some adapter',
  limits,
  timing: 'dispatch',
  note: 'The median of 25 runs.',
  steps: 40,
  cpuMs: 0.25,
  stepMs: 4,
  gpuMs: 3.5,
  dispatches: [
    row('matmul', 5e7, 1e6, 2),
    row(`add+${'multiply+'.repeat(30)}relu`, 3e5, 2e6, 1.5),
    { ...row('copy', 0, 1e5, 0.05), runs: 3 },
    row('sum', 10, 40, 0),
  ],
};

const { gpuMs: _, ...rest } = timed;
const untimed: Profile = {
  ...rest,
  timing: 'step',
  note: 'No timestamps.',
  dispatches: timed.dispatches.map(({ label, grid, runs, bytes, flops, boundBy }) => ({
    label,
    grid,
    runs,
    bytes,
    flops,
    boundBy,
  })),
};
const empty: Profile = { ...timed, dispatches: [], gpuMs: 0 };
const profiles = { timed, untimed, empty };

describe.each(Object.entries(profiles))('a profile that is %s', (_name, profile) => {
  test('is a table with a line for each dispatch, as wide as its columns', () => {
    const lines = formatProfile(profile).split('\n');
    expect(lines).toHaveLength(profile.dispatches.length + 4);
    expect(lines[0]).toContain('a <step> & "more" on some adapter: 4.000 ms a step');
    profile.dispatches.forEach(({ label }, i) => {
      expect(lines[2 + i]).toMatch(new RegExp(`^${i} +${label.slice(0, 6).replaceAll('+', '\\+')}`));
    });
    expect(Math.max(...lines.slice(1, -2).map((line) => line.length))).toBeLessThan(180);
    expect(lines.join('\n')).not.toMatch(/NaN|undefined|Infinity/);
    expect(lines.at(-1)).toBe(profile.note);
  });

  test('is a Chrome trace: valid JSON, threads named, times that never go back', () => {
    const { traceEvents } = JSON.parse(chromeTrace(profile)) as {
      traceEvents: { name: string; ph: string; tid: number; ts: number; dur?: number }[];
    };
    for (const { ts } of traceEvents) expect(Number.isFinite(ts)).toBe(true);
    const stretches = traceEvents.filter(({ ph }) => ph === 'X');
    const threads = traceEvents.filter(({ name }) => name === 'thread_name').map(({ tid }) => tid);
    expect(stretches.every(({ tid }) => threads.includes(tid))).toBe(true);
    let end = 0;
    for (const { ts, dur = Number.NaN } of stretches) {
      expect(ts).toBeGreaterThanOrEqual(end - 1e-9);
      end = ts + dur;
    }
    // Microseconds: the call, then the dispatches or the step.
    const gpu =
      profile.timing === 'step'
        ? profile.stepMs
        : profile.dispatches.reduce((sum, { ms = 0, runs }) => sum + runs * ms, 0);
    expect(end).toBeCloseTo(1000 * (profile.cpuMs + gpu), 6);
  });

  test('is a roofline: well-formed SVG, nothing outside, all that was timed has its dot', () => {
    const svg = svgOf(profile);
    expect(svg.documentElement.localName).toBe('svg');
    const [, , width = 0, height = 0] = (svg.documentElement.getAttribute('viewBox') ?? '').split(' ').map(Number);
    const dots = [...svg.querySelectorAll('circle')];
    const expected = profile.timing === 'step' ? 1 : profile.dispatches.filter(({ ms = 0 }) => ms > 0).length;
    expect(dots).toHaveLength(expected);
    for (const dot of dots) {
      const [x, y] = [Number(dot.getAttribute('cx')), Number(dot.getAttribute('cy'))];
      expect(x).toBeGreaterThan(0);
      expect(x).toBeLessThan(width);
      expect(y).toBeGreaterThan(0);
      expect(y).toBeLessThan(height);
    }
    expect(svg.documentElement.outerHTML).not.toMatch(/NaN|undefined|Infinity/);
    // Nothing is fetched: it can stand in an img.
    expect(svg.documentElement.outerHTML.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(
      /https?:|<script/,
    );
  });
});

test('a dot below the roof by its share: on it when it reaches the limit', () => {
  const atLimits: Profile = {
    ...timed,
    gpuMs: 2,
    dispatches: [row('memory', 1e6, 3e6, 1), row('arithmetic', 70e6, 1e4, 1), row('copy', 0, 3e6, 1)],
  };
  const svg = svgOf(atLimits);
  const corners = (svg.querySelector('.roof')?.getAttribute('d') ?? '')
    .slice(1)
    .split('L')
    .map((point) => point.split(' ').map(Number) as [number, number]);
  const [left, ridge, right] = corners as [[number, number], [number, number], [number, number]];
  const roofAt = (x: number) =>
    x >= ridge[0] ? right[1] : left[1] + ((x - left[0]) / (ridge[0] - left[0])) * (ridge[1] - left[1]);
  const dots = [...svg.querySelectorAll('circle')];
  expect(dots).toHaveLength(3);
  for (const dot of dots) {
    // Places are rounded to a tenth.
    expect(Math.abs(Number(dot.getAttribute('cy')) - roofAt(Number(dot.getAttribute('cx'))))).toBeLessThan(0.5);
  }
});

function svgOf(profile: Profile): Document {
  const svg = new DOMParser().parseFromString(rooflineSvg(profile), 'image/svg+xml');
  expect(svg.querySelector('parsererror')).toBeNull();
  return svg;
}
