import { CotangentError, suggest, ValueError } from '../errors.js';
import { checkChoices, sameIdentity, type TunerChoices, type TunerIdentity } from './tunerChoices.js';
import type { TunerStore } from './tunerStore.js';
import { type Choice, type ChoiceOrigin, first, type Variant, type VariantQuestion } from './variants.js';

export interface TuneOptions {
  /**
   * Which variant of a kernel runs: 'off' (default) takes the choice written in the library for this kind of
   * adapter; 'cached' what earlier pages found by timing, and times nothing; 'now' times what nobody has timed
   * yet, in `await step.prepare(...)` only. Choices that were given (`loadTunerChoices`, `loadCheckpoint`) hold
   * in any case.
   */
  readonly tune?: 'off' | 'cached' | 'now';
  /** Milliseconds that one `prepare` may spend on timing, at most about. Default 2000. */
  readonly tuningBudgetMs?: number;
}

const MODES = ['off', 'cached', 'now'] as const;
const DEFAULT_BUDGET = 2000;

/** @throws ValueError, as an error of `op`, that says what the option may be. */
export function checkTuneOptions(
  op: string,
  options: TuneOptions,
  otherwise?: Required<TuneOptions>,
): Required<TuneOptions> {
  const { tune = otherwise?.tune ?? 'off', tuningBudgetMs = otherwise?.tuningBudgetMs ?? DEFAULT_BUDGET } = options;
  if (!MODES.includes(tune)) {
    const near = suggest(String(tune), MODES);
    const hint = near.startsWith('Did you mean') ? ` ${near}` : '';
    throw new ValueError(op, `tune is '${tune}'; it must be one of ${MODES.join(', ')}.${hint}`);
  }
  if (typeof tuningBudgetMs !== 'number' || !(tuningBudgetMs > 0)) {
    throw new ValueError(op, `tuningBudgetMs is ${tuningBudgetMs}; it must be a number above 0.`);
  }
  return { tune, tuningBudgetMs };
}

interface Known {
  readonly variant: string;
  readonly origin: Exclude<ChoiceOrigin, 'static'>;
  /** Whether it goes into the store. */
  readonly lasting: boolean;
}

/** An engine's choices among the variants of kernels. It times nothing itself: see race.ts. */
export class Tuner {
  /** Grows whenever the answer to a question may have changed: plans of another revision are other plans. */
  revision = 0;
  /** Races run so far. */
  races = 0;
  readonly options: Required<TuneOptions>;
  readonly identity: TunerIdentity;
  readonly #store: TunerStore | undefined;
  readonly #known = new Map<string, Known>();
  /** What plans were made with, static choices too. */
  readonly #used = new Map<string, string>();
  #read: Promise<void> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(identity: TunerIdentity, options: Required<TuneOptions>, store: TunerStore | undefined) {
    this.identity = identity;
    this.options = options;
    this.#store = store;
  }

  choose<V extends Variant>(question: VariantQuestion<V>, tune = this.options.tune): Choice<V> {
    const { shapeClass, variants } = question;
    const known = this.#known.get(shapeClass);
    const holds = known !== undefined && (tune !== 'off' || known.origin === 'loaded');
    let found = holds ? variants.find(({ variant }) => variant === known.variant) : undefined;
    if (holds && found === undefined) {
      this.#known.delete(shapeClass);
      console.warn(`tuner: there is no variant '${known.variant}' of '${shapeClass}' here; the static choice runs.`);
    }
    const origin = found === undefined ? 'static' : (known?.origin ?? 'static');
    found ??= first(variants);
    this.#used.set(shapeClass, found.variant);
    return { variant: found, origin };
  }

  /** Whether nothing is known yet of a shape class that has several variants. */
  isOpen({ shapeClass, variants }: VariantQuestion): boolean {
    return variants.length > 1 && !this.#known.has(shapeClass);
  }

  /** @param lasting false when time ran out before all variants were tried: then the next page tries again. */
  settle(shapeClass: string, variant: string, { lasting }: { readonly lasting: boolean }): void {
    this.#known.set(shapeClass, { variant, origin: 'tuned', lasting });
    this.revision++;
  }

  /** Runs alone: two races at a time would time each other. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** All choices in force: those known, and the static ones that plans were made with. */
  record(): TunerChoices {
    const known = [...this.#known].map(([shapeClass, { variant }]) => [shapeClass, variant] as const);
    const all = new Map([...known, ...this.#used]);
    return { ...this.identity, choices: Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1))) };
  }

  /**
   * Takes a record's choices, over what is known. One of another adapter or version is not taken, with a warning:
   * its timings and bits are not ours.
   */
  take(record: TunerChoices, what: string): void {
    if (!sameIdentity(record, this.identity)) {
      console.warn(
        `tuner: the kernel choices of ${what} are of '${record.adapter}', version ${record.library}; this is ` +
          `'${this.identity.adapter}', version ${this.identity.library}, so they are not taken.`,
      );
      return;
    }
    for (const [shapeClass, variant] of Object.entries(record.choices)) {
      this.#known.set(shapeClass, { variant, origin: 'loaded', lasting: false });
    }
    this.revision++;
  }

  /** Reads what earlier pages kept, once; what cannot be read is a warning. */
  read(): Promise<void> {
    this.#read ??= this.#readStore();
    return this.#read;
  }

  async #readStore(): Promise<void> {
    const text = await this.#attempt('read', (store) => store.read(this.#name));
    // What crossed a border as JSON may be null.
    if (text === undefined || text === null) return;
    let record: TunerChoices;
    try {
      record = checkChoices('tuner', JSON.parse(text));
    } catch (error) {
      const why = error instanceof CotangentError ? error.sentence : 'they are no JSON.';
      console.warn(`tuner: the kept kernel choices are ignored and written anew: ${why}`);
      return this.save();
    }
    if (!sameIdentity(record, this.identity)) return;
    for (const [shapeClass, variant] of Object.entries(record.choices)) {
      if (!this.#known.has(shapeClass)) this.#known.set(shapeClass, { variant, origin: 'cached', lasting: true });
    }
    this.revision++;
  }

  /** Keeps what was timed, for later pages. */
  async save(): Promise<void> {
    const lasting = [...this.#known].filter(([, known]) => known.lasting);
    const choices = Object.fromEntries(lasting.map(([shapeClass, { variant }]) => [shapeClass, variant]));
    const text = JSON.stringify({ ...this.identity, choices });
    await this.#attempt('written', (store) => store.write(this.#name, text));
  }

  get #name(): string {
    return `${this.identity.library} ${this.identity.adapter}`;
  }

  /** A store that refuses (private browsing, a full disk) costs a warning, not the training. */
  async #attempt<T>(verb: string, work: (store: TunerStore) => Promise<T>): Promise<T | undefined> {
    if (this.#store === undefined) return undefined;
    try {
      return await work(this.#store);
    } catch (error) {
      console.warn(`tuner: kernel choices could not be ${verb}: ${error instanceof Error ? error.message : error}`);
      return undefined;
    }
  }
}
