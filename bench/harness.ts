import type { Case, Contender, EngineName, Libraries, Posed, Results } from './case.js';
import { disagreements, disagreementsBetween } from './compare.js';
import type { Failure, Profile, Row } from './report.js';
import { median, summarise } from './statistics.js';

/** The peers that started. */
export interface Engines {
  readonly peers: Partial<Libraries>;
  /** Whether our dispatches are to be profiled. */
  readonly profiled: boolean;
}

export interface Pace {
  /** No sample is shorter: the clock steps and the wait at the end weighs. */
  readonly shortestSampleMs: number;
  readonly rounds: number;
  readonly fewestRounds: number;
  /** Rounds are cut down to the fewest when all of them would take longer than this. */
  readonly budgetMs: number;
}

export const THOROUGH: Pace = { shortestSampleMs: 50, rounds: 15, fewestRounds: 5, budgetMs: 15_000 };
export const QUICK: Pace = { shortestSampleMs: 20, rounds: 3, fewestRounds: 2, budgetMs: 2_000 };

const MOST_REPEATS = 512;
/** A peer that hangs is given up. */
const PATIENCE_MS = 120_000;
/** The seed of the inputs that are timed, and of those that only leave wrong numbers behind in every buffer. */
const SEED = 0;
const DECOY = 1;

export interface Outcome {
  readonly rows: readonly Row[];
  readonly failures: readonly Failure[];
  readonly profile: Profile | undefined;
}

interface Entrant {
  readonly engine: EngineName;
  readonly contender: Contender;
  repeats: number;
  /** ms of one repetition, or the case's own figure, a sample each. */
  readonly samples: number[];
}

/**
 * Has every engine compute a case, compares, and only then lets them run in turns, so that whatever the
 * machine does besides falls on all alike.
 */
export async function runCase(
  one: Case,
  engines: Engines,
  pace: Pace,
  progress: (text: string) => void,
): Promise<Outcome> {
  const failures: Failure[] = [];
  const entrants: Entrant[] = [];
  const fail = (engine: EngineName, message: string, fatal: boolean) => {
    failures.push({ engine, case: one.name, message, fatal });
  };
  const attempt = async <T>(engine: EngineName, body: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await within(PATIENCE_MS, body());
    } catch (error) {
      fail(engine, wording(error), engine === 'cotangent');
      return undefined;
    }
  };
  const drop = async (entrant: Entrant) => {
    entrants.splice(entrants.indexOf(entrant), 1);
    await attempt(entrant.engine, async () => entrant.contender.dispose());
  };

  progress('reference');
  const posed = one.pose(SEED);
  const decoy = one.pose(DECOY);
  const reference = posed.reference();
  const results = new Map<EngineName, Results>();
  for (const engine of enginesOf(one, engines)) {
    progress(`${engine}: results`);
    // A kernel that is invalid does nothing, and an old buffer may hold the right numbers: the decoy's do not.
    const decoyed = await attempt(engine, async () => {
      const contender = await start(decoy, engine, engines);
      await compute(contender, one.repetitionsToCheck);
      contender.dispose();
      return true;
    });
    if (decoyed === undefined) continue;
    const contender = await attempt(engine, () => start(posed, engine, engines));
    if (contender === undefined) continue;
    const entrant: Entrant = { engine, contender, repeats: 1, samples: [] };
    entrants.push(entrant);
    const computed = await attempt(engine, () => compute(contender, one.repetitionsToCheck));
    const complaints = computed === undefined ? [] : disagreements(one, computed, reference);
    for (const [other, others] of results) {
      if (computed !== undefined && complaints.length === 0) {
        complaints.push(...disagreementsBetween(one, computed, [other, others]));
      }
    }
    for (const complaint of complaints) fail(engine, complaint, true);
    if (computed === undefined || complaints.length > 0) await drop(entrant);
    else results.set(engine, computed);
  }

  let roundMs = 0;
  for (const entrant of [...entrants]) {
    progress(`${entrant.engine}: warm-up`);
    const ms = await attempt(entrant.engine, () => warmUp(one, entrant, pace));
    if (ms === undefined) await drop(entrant);
    else roundMs += ms;
  }
  const rounds = Math.min(pace.rounds, Math.max(pace.fewestRounds, Math.floor(pace.budgetMs / roundMs)));
  for (let round = 0; round < rounds && entrants.length > 0; round++) {
    progress(`round ${round + 1} of ${rounds}`);
    const turn = round % entrants.length;
    for (const entrant of [...entrants.slice(turn), ...entrants.slice(0, turn)]) {
      const figure = await attempt(entrant.engine, () => figureOf(one, entrant));
      if (figure === undefined) await drop(entrant);
      else entrant.samples.push(figure);
    }
  }

  for (const { engine, contender } of [...entrants]) {
    const late = one.repeatable ? await attempt(engine, () => contender.results()) : undefined;
    const complaints = late === undefined ? [] : disagreements(one, late, reference);
    for (const complaint of complaints) fail(engine, `after timing: ${complaint}`, true);
  }
  const ours = entrants.find(({ engine }) => engine === 'cotangent')?.contender;
  let profiled: Profile | undefined;
  if (engines.profiled && ours?.profile !== undefined) {
    progress('profile');
    const { explain, profile } = ours;
    const measured = await attempt('cotangent', profile);
    if (measured !== undefined) profiled = { case: one.name, plan: explain?.() ?? '', ...measured };
  }
  const rows = entrants.map((entrant) => rowOf(one, entrant, entrants));
  for (const entrant of [...entrants]) await drop(entrant);
  return { rows, failures, profile: profiled };
}

function enginesOf(one: Case, { peers }: Engines): EngineName[] {
  return ['cotangent', ...one.peers.filter((peer) => peers[peer] !== undefined)];
}

function start(posed: Posed, engine: EngineName, { peers }: Engines): Promise<Contender> {
  return engine === 'cotangent' ? posed.ours() : posed.peer(engine, peers[engine] as Libraries[typeof engine]);
}

async function compute(contender: Contender, repetitions: number): Promise<Results> {
  for (let i = 0; i < repetitions; i++) contender.run();
  await contender.settle();
  return contender.results();
}

/** One sample: what the case measures, of one repetition where it is the time. */
async function figureOf(one: Case, entrant: Entrant): Promise<number> {
  if (one.figure !== undefined) return one.figure.of(entrant.contender);
  return (await sample(one, entrant)) / entrant.repeats;
}

/** The ms of some repetitions with their waits, one at the end at least. */
async function sample({ settleEvery = Number.POSITIVE_INFINITY }: Case, { contender, repeats }: Entrant) {
  const start = performance.now();
  for (let i = 1; i <= repeats; i++) {
    contender.run();
    if (i === repeats || i % settleEvery === 0) await contender.settle();
  }
  return performance.now() - start;
}

/**
 * Finds how many repetitions fill a sample; what compiles late does so here.
 * @returns the ms that a sample takes.
 */
async function warmUp(one: Case, entrant: Entrant, { shortestSampleMs }: Pace): Promise<number> {
  const { figure, settleEvery = 1 } = one;
  if (figure !== undefined) {
    const start = performance.now();
    await figure.of(entrant.contender);
    return performance.now() - start;
  }
  entrant.repeats = settleEvery;
  const most = Math.max(MOST_REPEATS, settleEvery);
  for (;;) {
    // The better of two: a first one is slow.
    const ms = Math.min(await sample(one, entrant), await sample(one, entrant));
    if (ms >= shortestSampleMs || entrant.repeats >= most) return ms;
    const enough = Math.ceil((1.2 * entrant.repeats * shortestSampleMs) / Math.max(ms, 0.1));
    const wanted = Math.min(Math.max(enough, entrant.repeats + 1), most);
    entrant.repeats = Math.ceil(wanted / settleEvery) * settleEvery;
  }
}

function rowOf(one: Case, entrant: Entrant, all: readonly Entrant[]): Row {
  const { name, flops, bytes, figure } = one;
  const { engine, contender, samples, repeats } = entrant;
  const summary = summarise(samples);
  const peers = all.filter((other) => other.engine !== 'cotangent');
  const ratios = peers.map((peer) => [
    peer.engine,
    median(peer.samples.map((theirs, round) => theirs / (samples[round] ?? Number.NaN))),
  ]);
  const dispatches = contender.dispatches?.();
  return {
    case: name,
    engine,
    unit: figure?.unit ?? 'ms',
    ...summary,
    samples: samples.length,
    repeats,
    ...(dispatches === undefined ? {} : { dispatches }),
    ...(flops === undefined ? {} : { gflops: flops / (summary.median * 1e6) }),
    ...(bytes === undefined ? {} : { gbps: bytes / (summary.median * 1e6) }),
    ...(engine === 'cotangent' && peers.length > 0 ? { ratio_to: Object.fromEntries(ratios) } : {}),
  };
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${ms / 1000} s.`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function wording(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
