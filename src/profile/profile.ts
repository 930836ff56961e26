import { ValueError } from '../errors.js';
import { type CompiledFunction, compiledBehind } from '../graph/compile.js';
import type { Input } from '../graph/compiledInput.js';
import { engine } from '../graph/current.js';
import { limitsOf, type MeasuredLimits } from '../kernels/limits.js';
import { middle } from './middle.js';
import { chooseRepeats, isCoarse, tickOf } from './stamps.js';
import { type PlannedRow, rowsOf, StepTimer } from './stepTimer.js';
import type { Profile, ProfiledDispatch } from './types.js';

/** Timed runs of the whole step: fewer when they take long. */
const RUNS = { least: 3, most: 25, budgetMs: 1000 };
/** Batches of plain steps, a wait after each. */
const BATCHES = { least: 3, most: 15, budgetMs: 400 };
/** A batch is about so long, so that the wait at its end does not show, and of at most so many steps. */
const BATCH = { ms: 20, most: 16 };
/** Runs that only tell how fine the timestamps are and how long each dispatch takes. */
const TRIALS = 3;

/**
 * Runs a compiled step on real inputs and tells where its time goes: each dispatch in a pass of its own between
 * timestamps, with its bytes, flops and share of what the adapter can do at most; and the CPU time of a call.
 * A pass of its own costs a dispatch some microseconds more than it takes in a step's one pass.
 *
 * The step is really done, `steps` times in all: parameters, optimizer state and random draws move on as after so
 * many ordinary calls, and no further. Where timestamps are rounded (to 0.1 ms in ordinary pages), a dispatch is
 * repeated in its pass if what it writes does not depend on what it wrote before; one that updates in place runs
 * once a step, and its time is the mean over the runs.
 *
 * @throws ValueError when `step` was not made by `compile`, or is called inside a compiled function.
 * @example console.log(formatProfile(await profile(step, images, labels)))
 */
export async function profile<Arguments extends readonly unknown[], Result>(
  step: CompiledFunction<Arguments, Result>,
  ...inputs: { [I in keyof Arguments]: Input<Arguments[I]> }
): Promise<Profile> {
  const compiled = compiledBehind(step);
  if (compiled === undefined) {
    throw new ValueError('profile', 'its first argument was not made by compile.', {
      mend: 'profile(compile(step), …inputs).',
    });
  }
  const owner = engine('profile');
  if (owner.trace !== undefined) {
    throw new ValueError('profile', 'it was called inside a compiled function.', { mend: 'call it outside.' });
  }
  const { device } = owner;
  const limits = await limitsOf(device);
  const before = compiled.count;
  await compiled.prepare(inputs);
  const batch = Math.min(BATCH.most, owner.options.maximumInFlight);
  const plain = await timePlainly(
    () => compiled.call(inputs),
    () => compiled.ready(),
    batch,
  );
  const rows = rowsOf(compiled.program(inputs));
  const known = { name: compiled.name, adapter: device.facts.name, limits, ...plain };
  if (!device.features.has('timestamp-query')) {
    return {
      ...known,
      timing: 'step',
      note: 'This device has no timestamp queries: whole steps were timed, and no dispatch.',
      steps: compiled.count - before,
      dispatches: rows.map((row) => describe(row, limits)),
    };
  }
  const timer = new StepTimer(device, rows);
  const run = async () => {
    compiled.call(inputs, timer);
    const read = await timer.read();
    await compiled.ready();
    return read;
  };
  const { times, note } = await timeRows(timer, rows, run).finally(() => timer.destroy());
  return {
    ...known,
    timing: 'dispatch',
    note,
    steps: compiled.count - before,
    gpuMs: times.reduce((sum, ms) => sum + ms, 0),
    dispatches: rows.map((row, i) => describe(row, limits, (times[i] ?? 0) / row.runs, timer.repeats[i])),
  };
}

/** Plain calls, many before each wait. */
async function timePlainly(
  call: () => void,
  settle: () => Promise<void>,
  most: number,
): Promise<{ cpuMs: number; stepMs: number }> {
  const sample = async (calls: number) => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) call();
    const encoded = performance.now();
    await settle();
    return { cpuMs: (encoded - start) / calls, stepMs: (performance.now() - start) / calls };
  };
  // The first run is slow: memory is touched for the first time.
  await sample(1);
  const { stepMs } = await sample(1);
  const calls = Math.max(1, Math.min(most, Math.ceil(BATCH.ms / Math.max(stepMs, 0.01))));
  const samples: Awaited<ReturnType<typeof sample>>[] = [];
  const end = performance.now() + BATCHES.budgetMs;
  while (samples.length < BATCHES.least || (samples.length < BATCHES.most && performance.now() < end)) {
    samples.push(await sample(calls));
  }
  return { cpuMs: middle(samples.map(({ cpuMs }) => cpuMs)), stepMs: middle(samples.map((one) => one.stepMs)) };
}

/** The ms of each row in a step, over some runs of the whole step. */
async function timeRows(
  timer: StepTimer,
  rows: readonly PlannedRow[],
  run: () => ReturnType<StepTimer['read']>,
): Promise<{ times: readonly number[]; note: string }> {
  if (rows.length === 0) return { times: [], note: 'Nothing is dispatched.' };
  const trials: Awaited<ReturnType<typeof run>>[] = [];
  for (let i = 0; i < TRIALS; i++) trials.push(await run());
  const tick = tickOf(trials.map(({ stamps }) => stamps));
  const coarse = isCoarse(tick);
  if (coarse) {
    const typical = summarise(
      trials.map(({ times }) => times),
      coarse,
    );
    timer.repeats = chooseRepeats(typical, rows.map(isRepeatable), tick);
  }
  const runs: number[][] = [];
  const end = performance.now() + RUNS.budgetMs;
  while (runs.length < RUNS.least || (runs.length < RUNS.most && performance.now() < end)) {
    runs.push((await run()).times);
  }
  return { times: summarise(runs, coarse), note: noteOf(runs.length, coarse, tick) };
}

/** Of each dispatch over the runs: the median; of rounded times the mean, which rounding does not move. */
function summarise(runs: readonly (readonly number[])[], coarse: boolean): number[] {
  const [first = []] = runs;
  return first.map((_, i) => {
    const times = runs.map((run) => run[i] ?? 0);
    return coarse ? times.reduce((sum, ms) => sum + ms, 0) / times.length : middle(times);
  });
}

function noteOf(runs: number, coarse: boolean, tick: number): string {
  const passes = 'each dispatch in a pass of its own';
  if (!coarse) return `The median of ${runs} runs, ${passes}.`;
  return (
    `The mean of ${runs} runs, ${passes}, repeated there where it may be: this page's timestamps are ` +
    `rounded to ${Number((tick / 1000).toPrecision(3))} µs.`
  );
}

/** Whether doing it again changes nothing: it writes only what the step computes anew, and reads none of it. */
function isRepeatable({ dispatch: { sources, signature } }: PlannedRow): boolean {
  // What outlives the plan (parameters, optimizer state) comes as a range.
  return sources.every(({ kind }, i) => signature[i] !== 'read_write' || kind !== 'range');
}

function describe({ dispatch, runs }: PlannedRow, limits: MeasuredLimits, ms?: number, repeats = 1): ProfiledDispatch {
  const { label, variant, origin, workgroups, flops } = dispatch;
  const { bytes } = dispatch;
  const byFma = flops / limits.fmaGflops;
  const byBandwidth = bytes / limits.copyGbps;
  return {
    label,
    ...(variant === undefined ? {} : { variant }),
    ...(origin === undefined ? {} : { origin }),
    grid: workgroups,
    bytes,
    flops,
    runs,
    boundBy: byFma > byBandwidth ? 'fma' : 'bandwidth',
    ...(ms === undefined ? {} : { ms, repeats }),
    ...(ms === undefined || ms === 0
      ? {}
      : {
          gflops: flops / (ms * 1e6),
          gbps: bytes / (ms * 1e6),
          shareOfFma: byFma / (ms * 1e6),
          shareOfBandwidth: byBandwidth / (ms * 1e6),
        }),
  };
}
