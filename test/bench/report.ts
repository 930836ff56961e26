import type { Report, Row } from '../../bench/report.js';

/** Ours at a case, unless said otherwise. */
export function row(name: string, given: Partial<Row> = {}): Row {
  return {
    case: name,
    engine: 'cotangent',
    unit: 'ms',
    median: 4,
    min: 3,
    spread: 1,
    samples: 5,
    repeats: 8,
    ...given,
  };
}

export function report(given: Partial<Report> = {}): Report {
  return {
    adapter: 'a <test> adapter',
    browser: 'Chrome/1',
    date: '2026-11-25T12:00:00.000Z',
    limits: { fma_gflops: 72, copy_gbps: 3 },
    cases: [
      row('step/small', { gflops: 6.5, share_of_limit: 0.09, ratio_to: { 'by-hand': 0.96, 'jax-js': 7.25 } }),
      row('step/small', { engine: 'by-hand', median: 3.84 }),
      row('memory/small', { unit: 'bytes', median: 2_185_000, min: 2_185_000, spread: 0, ratio_to: { tfjs: 0.5 } }),
    ],
    failures: [],
    goals: [{ case: 'step/small', goal: 'at least 3 x jax-js', measured: 7.25, bound: 3, met: true }],
    ...given,
  };
}
