import { duration, number, percent } from '../../../demos/train/format.js';

/** How far a run is. */
export interface ProgressState {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  /** Of the last epoch's test; undefined before the first. */
  readonly accuracy: number | undefined;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
}

/** Widths of the bar: what is left of the line is its, between these. */
const BAR = { least: 10, most: 40 };

/** What a bar shows. */
export interface Bar {
  /** How much is done, from 0 to 1. */
  readonly part: number;
  /** From the most telling to the least: a narrow terminal shows the first ones. */
  readonly facts: readonly string[];
}

/** A training run's bar. */
export function trainingBar(state: ProgressState): Bar {
  const { epoch, epochs, step, steps, accuracy, loss } = state;
  const facts = [
    `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`,
    `loss ${lossText(loss)}`,
    `accuracy ${accuracy === undefined ? '-' : percent(accuracy)}`,
    `${duration(state.secondsLeft)} left`,
    `${number(Math.round(state.imagesPerSecond))} images/s`,
    `step ${number(step)}/${number(steps)}`,
  ];
  return { part: steps === 0 ? 0 : step / steps, facts };
}

/** One line of at most `columns`: what does not fit is left out, the least telling first. */
export function progressLine({ part, facts: all }: Bar, columns: number): string {
  const facts = [...all];
  const room = columns - BAR.least - 2;
  while (facts.length > 1 && facts.join('  ').length > room) facts.pop();
  const text = facts.join('  ');
  const width = Math.min(BAR.most, columns - text.length - 2);
  if (width < BAR.least) return text.slice(0, Math.max(0, columns));
  return `${bar(part, width)}  ${text}`;
}

function bar(part: number, width: number): string {
  const filled = Math.round(Math.min(1, part) * width);
  return '━'.repeat(filled) + '┄'.repeat(width - filled);
}

function lossText(loss: number): string {
  return Number.isFinite(loss) ? loss.toPrecision(4) : String(loss);
}

/** What a terminal must do for us; `process.stdout` does it. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** A plain line at most so often, in milliseconds, where there is no terminal. */
const PLAIN_EVERY = 10_000;
const REDRAW = 80;

/**
 * Progress on a terminal: one line, drawn over again. Elsewhere (a log, a pipe) a plain line now and then, and
 * whatever is said meanwhile.
 */
export class ProgressDisplay {
  readonly #output: Output;
  readonly #now: () => number;
  #drawn = false;
  #drawnAt: number;

  constructor(output: Output, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#now = now;
    this.#drawnAt = output.isTTY === true ? Number.NEGATIVE_INFINITY : now();
  }

  show(bar: Bar): void {
    const terminal = this.#output.isTTY === true;
    if (this.#now() - this.#drawnAt < (terminal ? REDRAW : PLAIN_EVERY)) return;
    if (!terminal) this.line(progressLine(bar, 200).replace(/^[━┄]+ {2}/, ''));
    else {
      this.#output.write(`\r\u001b[2K${progressLine(bar, (this.#output.columns ?? 80) - 1)}`);
      this.#drawn = true;
    }
    this.#drawnAt = this.#now();
  }

  /** A line that stays, above the bar. */
  line(text: string): void {
    this.#output.write(`${this.#drawn ? '\r\u001b[2K' : ''}${text}\n`);
    this.#drawn = false;
    this.#drawnAt = this.#output.isTTY === true ? Number.NEGATIVE_INFINITY : this.#now();
  }

  /** Leaves what is drawn and goes to a fresh line. */
  end(): void {
    if (this.#drawn) this.#output.write('\r\u001b[2K');
    this.#drawn = false;
  }
}
