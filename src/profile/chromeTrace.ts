import type { Profile } from './types.js';

const PROCESS = 1;
const CPU = 1;
const GPU = 2;

interface TraceEvent {
  readonly name: string;
  /** M names a process or thread, X is a stretch of time. */
  readonly ph: 'M' | 'X';
  readonly pid: number;
  readonly tid: number;
  /** In microseconds, as `dur`. */
  readonly ts: number;
  readonly dur?: number;
  readonly args?: object;
}

/**
 * One step as JSON for chrome://tracing or ui.perfetto.dev: the call on the CPU, then the dispatches one after
 * another, all runs of one together. It is laid out from the profile's typical times: it is no recording of a single step.
 */
export function chromeTrace(profile: Profile): string {
  const { name, adapter, limits, note, cpuMs, stepMs, dispatches } = profile;
  const events: TraceEvent[] = [
    { name: 'process_name', ph: 'M', pid: PROCESS, tid: CPU, ts: 0, args: { name: `${name} on ${adapter}` } },
    { name: 'thread_name', ph: 'M', pid: PROCESS, tid: CPU, ts: 0, args: { name: 'CPU' } },
    { name: 'thread_name', ph: 'M', pid: PROCESS, tid: GPU, ts: 0, args: { name: 'GPU' } },
    { name: 'encode and submit', ph: 'X', pid: PROCESS, tid: CPU, ts: 0, dur: 1000 * cpuMs },
  ];
  let at = 1000 * cpuMs;
  const put = (label: string, ms: number, args: object) => {
    events.push({ name: label, ph: 'X', pid: PROCESS, tid: GPU, ts: at, dur: 1000 * ms, args });
    at += 1000 * ms;
  };
  if (profile.timing === 'step') put('step', stepMs, { dispatches });
  else for (const { label, ms = 0, runs, ...rest } of dispatches) put(label, ms * runs, { runs, ...rest });
  return JSON.stringify({ displayTimeUnit: 'ms', otherData: { note, limits }, traceEvents: events });
}
