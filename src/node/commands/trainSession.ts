import type { Page } from 'puppeteer';
import type { RunOptions } from '../../../demos/train/options.js';
import type { Outcome, StartExtras, Trainer, TrainerEvent } from '../../../demos/train/trainer.js';
import type { ImageDataset } from '../../data/imageDataset.js';
import type { TuneOptions } from '../../kernels/tuner.js';
import { type LaunchedBrowser, launchBrowser } from '../browser.js';
import { tunerFiles } from '../tunerFiles.js';
import { startDemoServer } from './demoServer.js';
import { PageError } from './pageError.js';
import type { CommandOptions } from './trainOptions.js';

/** Name of the dataset that the command serves to its page. */
const SERVED = 'run';
/** A page is loaded from this machine; a busy one takes its time. */
const LOAD_TIMEOUT = 120_000;
const REPORT = 'reportToCommand';
const READ_CHOICES = 'readTunerChoices';
const WRITE_CHOICES = 'writeTunerChoices';

/** The page of `npm start` in a Chrome of our own, driven by its `trainer`. */
export class TrainSession {
  readonly launched: LaunchedBrowser;
  readonly #page: Page;
  readonly #closeServer: () => Promise<void>;
  /** Rejects when page or browser fail; never resolves. */
  readonly #failure: Promise<never>;
  readonly #tune: TuneOptions;
  #closing = false;

  private constructor(launched: LaunchedBrowser, page: Page, closeServer: () => Promise<void>, tune: TuneOptions) {
    this.launched = launched;
    this.#page = page;
    this.#closeServer = closeServer;
    this.#tune = tune;
    this.#failure = this.#watch();
    // Whoever runs something meanwhile hears of it.
    this.#failure.catch(() => undefined);
  }

  static async open(dataset: ImageDataset, options: CommandOptions): Promise<TrainSession> {
    const { browser, adapter, headed, tune, tuningBudget } = options;
    const tuning = { tune, ...(tuningBudget === undefined ? {} : { tuningBudgetMs: 1000 * tuningBudget }) };
    const { server, url } = await startDemoServer({ datasets: { [SERVED]: async () => dataset }, watch: false });
    let launched: LaunchedBrowser | undefined;
    try {
      launched = await launchBrowser({ browser, adapter, headed });
      // A tab behind another one is held back; a window of its own is not.
      const page = headed ? await launched.browser.newPage() : await launched.browser.newPage({ type: 'window' });
      const session = new TrainSession(launched, page, () => server.close(), tuning);
      await session.#load(new URL('train/', url).href);
      return session;
    } catch (error) {
      await launched?.browser.close();
      await server.close();
      throw error;
    }
  }

  /** The page's errors and the browser's end, as errors of ours. */
  #watch(): Promise<never> {
    return new Promise((_, reject) => {
      const fail = (sentence: string, mend?: string) => {
        if (this.#closing) return;
        const message = mend === undefined ? sentence : `${sentence}\n  Mend: ${mend}`;
        reject(new PageError(message));
      };
      this.#page.on('pageerror', (error) =>
        fail(`an error on the page: ${error instanceof Error ? error.message : String(error)}`),
      );
      this.#page.on('error', () => fail('the page crashed.', 'see whether the machine has memory to spare.'));
      this.#page.on('close', () => fail('the page was closed.'));
      this.launched.browser.on('disconnected', () =>
        fail('the browser ended.', 'see whether something closed or killed it.'),
      );
      this.#page.on('console', (message) => {
        if (message.type() === 'error') console.error(`page: ${message.text()}`);
        else if (message.type() === 'warn') console.error(`page: warning: ${message.text()}`);
      });
    });
  }

  async #load(url: string): Promise<void> {
    await this.#meanwhile(this.#page.goto(url, { timeout: LOAD_TIMEOUT }));
    await this.#meanwhile(
      this.#page.waitForFunction(() => (globalThis as { trainer?: Trainer }).trainer !== undefined, {
        timeout: LOAD_TIMEOUT,
      }),
    );
  }

  /** Trains; the outcome is what the page says, its errors thrown as ours. */
  async train(
    options: RunOptions,
    checkpoint: Uint8Array | undefined,
    report: (event: TrainerEvent) => void,
  ): Promise<Extract<Outcome, { result: unknown }>> {
    await this.#page.exposeFunction(REPORT, (event: TrainerEvent) => report(withNaN(event)));
    // The browser's own profile is new each time, so a file of ours keeps what was timed.
    await this.#page.exposeFunction(READ_CHOICES, tunerFiles.read);
    await this.#page.exposeFunction(WRITE_CHOICES, tunerFiles.write);
    const extras: StartExtras = {
      dataUrl: `../data/${SERVED}.safetensors`,
      ...(checkpoint === undefined ? {} : { checkpoint: Buffer.from(checkpoint).toString('base64') }),
    };
    const outcome: Outcome = await this.#meanwhile(
      this.#page.evaluate(
        (given, more, tune, names) => {
          const exposed = globalThis as unknown as { trainer: Trainer } & Record<string, never>;
          const [report, read, write] = names.map((name) => exposed[name]) as [never, never, never];
          return exposed.trainer.start(given, { ...more, report, tuning: { ...tune, tunerStore: { read, write } } });
        },
        options,
        extras,
        this.#tune,
        [REPORT, READ_CHOICES, WRITE_CHOICES],
      ),
    );
    if ('error' in outcome) throw new PageError(outcome.error.message, outcome.error.name);
    return withNaN(outcome);
  }

  /** Asks the run to stop after the step under way. */
  async stop(): Promise<void> {
    await this.#meanwhile(this.#page.evaluate(() => (globalThis as unknown as { trainer: Trainer }).trainer.stop()));
  }

  /** The run's checkpoint. */
  async save(): Promise<Uint8Array> {
    const base64 = await this.#meanwhile(
      this.#page.evaluate(() => (globalThis as unknown as { trainer: Trainer }).trainer.save()),
    );
    return Buffer.from(base64, 'base64');
  }

  async browserVersion(): Promise<string> {
    return this.launched.browser.version();
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.allSettled([this.launched.browser.close(), this.#closeServer()]);
  }

  /** Ends the browser without asking. */
  kill(): void {
    this.#closing = true;
    this.launched.browser.process()?.kill('SIGKILL');
  }

  /** Waits, but not for ever: a browser that is gone answers nothing, or in Puppeteer's words. */
  async #meanwhile<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined);
    try {
      return await Promise.race([work, this.#failure]);
    } catch (error) {
      if (error instanceof PageError) throw error;
      // What Puppeteer noticed first has a cause that the page tells a moment later.
      const late = await Promise.race([this.#failure.catch((known: unknown) => known), delay(500)]);
      if (late instanceof PageError) throw late;
      const text = error instanceof Error ? error.message : String(error);
      throw new PageError(`the page does not answer: ${text}`);
    }
  }
}

/** JSON has no NaN: numbers that a page computed come as null. Classes without examples are null in earnest. */
function withNaN<T>(value: T, key = ''): T {
  if (value === null) return (key === 'perClassAccuracy' ? value : Number.NaN) as T;
  if (Array.isArray(value)) return value.map((item) => withNaN(item, key)) as T;
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withNaN(item, name)])) as T;
}

function delay(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, undefined));
}
