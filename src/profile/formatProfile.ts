import { alignColumns, digits, percent, scaled } from './table.js';
import type { Profile, ProfiledDispatch } from './types.js';

/** A chain of many ops has a long name; its beginning tells enough. */
const LONGEST_LABEL = 44;

const HEAD = [
  '',
  'dispatch',
  'variant',
  'grid',
  'runs',
  'ms',
  'of all',
  'B',
  'flop',
  'GFLOP/s',
  'of fma',
  'GB/s',
  'of copy',
  'bound by',
];

/** A profile as a table for the terminal: a line a dispatch. */
export function formatProfile(profile: Profile): string {
  const { name, adapter, limits, cpuMs, stepMs, gpuMs, steps, note, dispatches } = profile;
  const lines = dispatches.map((dispatch, i) => lineOf(dispatch, i, gpuMs));
  const gpu = gpuMs === undefined ? '' : `, dispatches together ${ms(gpuMs)} ms`;
  return [
    `${name} on ${adapter}: ${ms(stepMs)} ms a step${gpu}, a call ${ms(cpuMs)} ms of CPU time`,
    alignColumns([HEAD, ...lines], 4),
    `Limits: fma ${digits(limits.fmaGflops)} GFLOP/s, copy ${digits(limits.copyGbps)} GB/s. Steps done for this: ${steps}.`,
    note,
  ].join('\n');
}

function lineOf(dispatch: ProfiledDispatch, index: number, gpuMs: number | undefined): string[] {
  const { label, variant, grid, runs, bytes, flops, gflops, gbps, shareOfFma, shareOfBandwidth, boundBy } = dispatch;
  const number = (value: number | undefined) => (value === undefined ? '' : digits(value));
  const share = (value: number | undefined) => (value === undefined ? '' : percent(value));
  return [
    String(index),
    shorten(label),
    variant ?? '',
    grid.join('x'),
    String(runs),
    dispatch.ms === undefined ? '' : ms(dispatch.ms),
    dispatch.ms === undefined || gpuMs === undefined || gpuMs === 0 ? '' : percent((runs * dispatch.ms) / gpuMs),
    scaled(bytes),
    scaled(flops),
    number(gflops),
    share(shareOfFma),
    number(gbps),
    share(shareOfBandwidth),
    boundBy,
  ];
}

function ms(value: number): string {
  return value.toFixed(value < 100 ? 3 : 1);
}

export function shorten(label: string): string {
  return label.length <= LONGEST_LABEL ? label : `${label.slice(0, LONGEST_LABEL - 1)}…`;
}
