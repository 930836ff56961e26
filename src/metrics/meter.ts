import { ValueError } from '../errors.js';
import { engine } from '../graph/current.js';
import type { TypedArray } from '../graph/dtype.js';
import type { Tensor } from '../graph/tensor.js';
import type { Metric, Tally } from './metric.js';
import type { Rows } from './rows.js';

export type Metrics = Readonly<Record<string, Metric<unknown>>>;

/** The value of each metric, under its name. */
export type MetricValues<Of extends Metrics> = {
  readonly [Name in keyof Of]: Of[Name] extends Metric<infer Value> ? Value : never;
};

/** What is to be read of a batch: graphs, or, from a compiled function that returned it, their values. */
export interface Planned {
  readonly rows: number;
  readonly classes: number;
  readonly examples: Tensor;
  readonly firstWrong: Tensor;
  readonly parts: Readonly<Record<string, readonly Tensor[]>>;
}

/** The graphs of a batch. */
export function planOf(metrics: Metrics, rows: Rows): Planned {
  const parts = Object.entries(metrics).map(([name, metric]) => [name, metric.plan(rows)] as const);
  const { classes, examples, firstWrong } = rows;
  return { rows: rows.rows, classes, examples, firstWrong, parts: Object.fromEntries(parts) };
}

/** Several metrics over the batches of one dataset: what several of them read comes back once. */
export class Meter<Of extends Metrics> {
  /** Rows that counted, of the batches that have come back. */
  examples = 0;
  readonly #op: string;
  readonly #tallies: ReadonlyMap<string, Tally<unknown>>;
  #rows = 0;
  #done: Promise<void> = Promise.resolve();

  /** @param op whose name stands in errors. */
  constructor(op: string, metrics: Of) {
    this.#op = op;
    this.#tallies = new Map(Object.entries(metrics).map(([name, metric]) => [name, metric.start()]));
  }

  /** The next batch: its reads begin now and are added up in the order of the batches, whenever they come back. */
  add(planned: Planned): void {
    const tensors = new Set([planned.examples, planned.firstWrong, ...Object.values(planned.parts).flat()]);
    // One plan for all that is still a graph; what a compiled step returned is there already.
    engine(this.#op).compute([...tensors].filter(({ size }) => size > 0));
    const order = [...tensors];
    const before = this.#rows;
    this.#rows += planned.rows;
    const reads = Promise.all(order.map((tensor) => tensor.data()));
    this.#done = Promise.all([this.#done, reads]).then(([, data]) => {
      const read = new Map(order.map((tensor, i) => [tensor, data[i] as TypedArray]));
      this.#tally(planned, before, (tensor) => read.get(tensor) as TypedArray);
    });
    // Whoever asks for the values hears of it; a loop that still hands in batches is no unhandled rejection.
    this.#done.catch(() => undefined);
  }

  #tally({ rows, classes, examples, firstWrong, parts }: Planned, before: number, read: (of: Tensor) => TypedArray) {
    const wrong = read(firstWrong)[0] ?? rows;
    if (wrong < rows) {
      throw new ValueError(this.#op, `the label of row ${before + wrong} is not one of the ${classes} classes.`, {
        mend: `labels go from 0 to ${classes - 1}; ignoreIndex names one to leave out.`,
      });
    }
    const batch = { classes, examples: read(examples)[0] ?? 0 };
    this.examples += batch.examples;
    for (const [name, tally] of this.#tallies) tally.add((parts[name] ?? []).map(read), batch);
  }

  /** The values over all batches so far. Without any row that counts, numbers are NaN, with a warning. */
  async values(): Promise<MetricValues<Of>> {
    await this.#done;
    if (this.examples === 0) console.warn(`${this.#op}: there are no examples: their metrics are NaN.`);
    const values = [...this.#tallies].map(([name, tally]) => [name, tally.value()] as const);
    // Each name with its own metric's value, which Object.fromEntries cannot say.
    return Object.fromEntries(values) as MetricValues<Of>;
  }
}
