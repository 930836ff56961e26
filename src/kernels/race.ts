import type { Device } from '../device/device.js';
import { CotangentError } from '../errors.js';
import { Stopwatch } from './stopwatch.js';

/** A variant, ready to be tried. */
export interface Contestant {
  readonly name: string;
  /** Compiles it; rejects with what is wrong with it. */
  prepare(): Promise<void>;
  /** One run, from the race's inputs to its outputs. */
  encode(pass: GPUComputePassEncoder): void;
}

export interface RaceOutput {
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  /** Floats may differ by rounding, integers not at all. */
  readonly float: boolean;
}

export interface Race {
  readonly shapeClass: string;
  /** The static choice first. */
  readonly contestants: readonly Contestant[];
  /** The plainest: what the others must agree with. It may be one of them. */
  readonly reference: Contestant;
  readonly outputs: readonly RaceOutput[];
  /** By `performance.now()`: what is not ready by then is left out. One contestant is always tried. */
  readonly deadline: number;
}

export interface RaceResult {
  /** Undefined when nothing was found right. */
  readonly winner: string | undefined;
  /** Whether all contestants were tried. */
  readonly complete: boolean;
}

/** A pass must take so long, in ms: pages round timestamps to 0.1 ms, and a wait costs as much as a short kernel. */
const LEAST = 10;
const MOST_REPEATS = 4096;
const ROUNDS = 3;
/** One that takes so many times the best's time leaves before the rounds. */
const HOPELESS = 1.5;
/** The static choice stays unless another takes less than this part of its time: else choices change from page to page. */
const GAIN = 0.97;
/** What outputs hold before: -6.5e35 or -84215046, which no kernel makes of small integers. */
const POISON = 0xfa;
const POISONED = 0xfafafafa;

/**
 * Checks every contestant against the reference, then times those that are right, turn by turn. One that is
 * invalid or wrong is out, with a warning.
 */
export async function race(device: Device, { contestants, ...race }: Race): Promise<RaceResult> {
  const all = [...new Set([race.reference, ...contestants])];
  // The compiler works on all at once; the first to be asked for are the first to be done.
  const compiled = new Map(all.map((one) => [one, one.prepare().then(() => undefined, asError)]));
  const expected = await attempt(device, race, race.reference, compiled.get(race.reference));
  if (!Array.isArray(expected)) {
    discard(race, race.reference, invalid(expected), 'nothing can be checked against it');
    return { winner: undefined, complete: true };
  }
  const standing: Contestant[] = [];
  let complete = true;
  for (const one of contestants) {
    const ready = await withinTime(compiled.get(one) as Promise<unknown>, race.deadline);
    const late = !ready || performance.now() > race.deadline;
    // A clock that has run out still lets one be timed, so that every prepare gets on.
    if (late && standing.length > 0) {
      complete = false;
      continue;
    }
    const outcome = one === race.reference ? expected : await attempt(device, race, one, compiled.get(one));
    if (!Array.isArray(outcome)) discard(race, one, invalid(outcome));
    else {
      const difference = differenceOf(expected, outcome, race.outputs);
      if (difference === undefined) standing.push(one);
      else discard(race, one, `computes wrong results here: ${difference}`);
    }
  }
  const [fallback] = standing;
  if (fallback === undefined) return { winner: undefined, complete };
  if (standing.length === 1) return { winner: fallback.name, complete };
  const winner = await fastest(device, standing, contestants[0] as Contestant, race.deadline);
  return { winner: winner.name, complete };
}

/** What it writes into outputs that hold garbage before: a kernel that does nothing must not pass. */
async function attempt(
  device: Device,
  { outputs }: Pick<Race, 'outputs'>,
  { name, encode }: Contestant,
  compiled: Promise<Error | undefined> | undefined,
): Promise<ArrayBuffer[] | Error> {
  const refusal = await compiled;
  if (refusal !== undefined) return refusal;
  const { error } = device.errors.scope(name, () => {
    for (const { buffer, bytes } of outputs) device.queue.writeBuffer(buffer, 0, new Uint8Array(bytes).fill(POISON));
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
  });
  const results = await Promise.all(outputs.map(({ buffer, bytes }) => device.readback.read(buffer, 0, bytes)));
  return (await error) ?? results;
}

/**
 * What differs first. The random inputs are small integers, so sums and products are exact in any order and must
 * agree to the bit. What goes through exp and log rounds by a few 2^-24 a step, and sums of n such terms in other
 * orders by sqrt(n) of these: 1e-4 holds for rows of a million, and is far below what one lost term of a row does.
 */
function differenceOf(
  expected: readonly ArrayBuffer[],
  found: readonly ArrayBuffer[],
  outputs: readonly RaceOutput[],
): string | undefined {
  for (const [k, { float }] of outputs.entries()) {
    const Elements = float ? Float32Array : Int32Array;
    const wanted = new Elements(expected[k] ?? new ArrayBuffer(0));
    const had = new Elements(found[k] ?? new ArrayBuffer(0));
    const unwritten = [expected[k], found[k]].map((data) =>
      new Uint32Array(data ?? new ArrayBuffer(0)).indexOf(POISONED),
    );
    if (unwritten.some((i) => i >= 0)) return `element ${Math.max(...unwritten)} is not written.`;
    for (let i = 0; i < wanted.length; i++) {
      const a = wanted[i] ?? 0;
      const b = had[i] ?? 0;
      if (Object.is(a, b) || Math.abs(a - b) <= (float ? 1e-4 * Math.abs(a) + 1e-7 : 0)) continue;
      return `element ${i} is ${b}, not ${a}.`;
    }
  }
  return undefined;
}

async function fastest(
  device: Device,
  standing: readonly Contestant[],
  settled: Contestant,
  deadline: number,
): Promise<Contestant> {
  const stopwatch = new Stopwatch(device);
  try {
    let times: Timed[] = [];
    for (const contestant of standing) times.push(await calibrate(stopwatch, contestant));
    const limit = HOPELESS * Math.min(...times.map(leastOf));
    times = times.filter((timed) => timed.contestant === settled || leastOf(timed) <= limit);
    for (let round = 0; round < ROUNDS && performance.now() < deadline; round++) {
      for (const timed of times) timed.rounds.push((await stopwatch.time(repeated(timed))) / timed.repeats);
    }
    const fallback = times.find(({ contestant }) => contestant === settled);
    const faster = times.filter((timed) => fallback === undefined || beats(timed, fallback));
    if (fallback !== undefined && faster.length === 0) return settled;
    return faster.reduce((a, b) => (leastOf(b) < leastOf(a) ? b : a)).contestant;
  } finally {
    stopwatch.destroy();
  }
}

interface Timed {
  readonly contestant: Contestant;
  readonly repeats: number;
  /** Milliseconds of one run: while calibrating, then round by round. */
  readonly rounds: number[];
}

/** What else the machine does only ever adds. */
function leastOf({ rounds }: Timed): number {
  return Math.min(...rounds);
}

/** In every round, for one burst of other work may fall on either. */
function beats(a: Timed, b: Timed): boolean {
  return a.rounds.every((ms, round) => ms < GAIN * (b.rounds[round] ?? 0));
}

/** Raises the repeats until a pass takes long enough. */
async function calibrate(stopwatch: Stopwatch, contestant: Contestant): Promise<Timed> {
  let repeats = 1;
  for (;;) {
    const ms = await stopwatch.time(repeated({ contestant, repeats }));
    if (ms >= LEAST || repeats >= MOST_REPEATS) return { contestant, repeats, rounds: [ms / repeats] };
    const growth = Math.min(16, Math.max(2, (1.2 * LEAST) / Math.max(ms, 0.01)));
    repeats = Math.min(MOST_REPEATS, Math.ceil(repeats * growth));
  }
}

function repeated({ contestant, repeats }: Pick<Timed, 'contestant' | 'repeats'>) {
  return (pass: GPUComputePassEncoder) => {
    for (let i = 0; i < repeats; i++) contestant.encode(pass);
  };
}

function discard(
  { shapeClass }: Pick<Race, 'shapeClass'>,
  { name }: Contestant,
  why: string,
  so = 'it is not used',
): void {
  console.warn(`tuner: the variant '${name}' of '${shapeClass}' ${why.replace(/\.$/, '')}; ${so}.`);
}

/** In the first line of the GPU's words. */
function invalid(error: Error): string {
  const text = error instanceof CotangentError ? `${error.op}: ${error.sentence}` : error.message;
  return `is invalid here: ${text.split('\n')[0]}`;
}

function asError(error: unknown): Error {
  return error instanceof CotangentError ? error : new Error(String(error));
}

/** Whether it resolved before the deadline. */
async function withinTime(work: Promise<unknown>, deadline: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.max(0, deadline - performance.now()));
  });
  const ready = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return ready;
}
