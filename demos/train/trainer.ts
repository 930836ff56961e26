import {
  decodeDataset,
  type ImageDataset,
  memory,
  type Progress,
  type TunerChoices,
  ValueError,
} from '../../src/index.js';
import { SEARCHED, showDigits } from './digits.js';
import type { OptionsForm } from './form.js';
import type { RunOptions } from './options.js';
import { type Adapter, type Curve, type EpochPoint, Run, type RunResult, type RunTuning } from './run.js';
import type { View } from './view.js';

/** What a script may add to a start. */
export interface StartExtras {
  /** Where the dataset lies, as `encodeDataset` writes it. Default: the one named by `data`. */
  readonly dataUrl?: string;
  /** An earlier run's `save`, in base64. */
  readonly checkpoint?: string;
  /** Which kernels run, and where choices among them are kept. Default: the static ones. */
  readonly tuning?: RunTuning;
  /** Hears of the progress and of each epoch, as JSON can hold it. */
  readonly report?: (event: TrainerEvent) => unknown;
}

export type TrainerEvent =
  | { readonly kind: 'opened'; readonly adapter: Adapter; readonly stepsDone: number }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'epoch'; readonly point: EpochPoint };

/** What a run came to; an error comes as its text, for those who cannot catch it. */
export type Outcome =
  | {
      readonly result: RunResult;
      readonly curve: Curve;
      readonly adapter: Adapter;
      readonly tuner: TunerChoices;
      readonly options: RunOptions;
    }
  | { readonly error: { readonly name: string; readonly message: string } };

/** Starts and stops runs and shows them on the page: for its buttons and for scripts alike. */
export class Trainer {
  readonly #view: View;
  readonly #form: OptionsForm;
  readonly #datasets = new Map<string, Promise<ImageDataset>>();
  #run: Run | undefined;
  #abort: AbortController | undefined;

  constructor(view: View, form: OptionsForm) {
    this.#view = view;
    this.#form = form;
  }

  get running(): boolean {
    return this.#abort !== undefined;
  }

  /** Trains. It never rejects: what went wrong is shown, and told in the outcome. */
  async start(options: RunOptions, extras: StartExtras = {}): Promise<Outcome> {
    if (this.running) return { error: { name: 'ValueError', message: 'a run is under way; stop it first.' } };
    const abort = new AbortController();
    this.#abort = abort;
    const view = this.#view;
    view.begin(options);
    this.#form.write(options);
    this.#form.disabled = true;
    try {
      // The former run was kept for its predictions and for `save`.
      this.#run?.dispose();
      this.#run = undefined;
      const dataset = await this.#load(extras.dataUrl ?? `../data/${options.data}.safetensors`);
      showDigits(dataset, undefined);
      const run = await Run.open(
        options,
        dataset,
        extras.checkpoint === undefined ? undefined : bytesOf(extras.checkpoint),
        extras.tuning,
      );
      this.#run = run;
      view.showAdapter(run.adapter);
      void extras.report?.({ kind: 'opened', adapter: run.adapter, stepsDone: run.stepsDone });
      const result = await run.train(abort.signal, {
        onProgress: (progress, curve) => {
          void extras.report?.({ kind: 'progress', progress });
          view.showProgress(progress, memory(), options.epochs);
          view.showChart(curve, progress.steps);
        },
        onEpoch: async (point, curve) => {
          void extras.report?.({ kind: 'epoch', point });
          view.showChart(curve);
          await this.#showPredictions(run);
        },
      });
      view.showChart(run.curve);
      view.showResult(result, dataset.classNames);
      await this.#showPredictions(run);
      return { result, curve: run.curve, adapter: run.adapter, tuner: run.tuner, options };
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      view.showProblem(error);
      return { error: { name: error.name, message: error.message } };
    } finally {
      this.#abort = undefined;
      this.#form.disabled = false;
      view.end();
    }
  }

  /** Stops after the step under way; `start` then resolves with what there is. */
  stop(): void {
    this.#abort?.abort();
  }

  /** The last run as a checkpoint, in base64. */
  async save(): Promise<string> {
    if (this.#run === undefined) throw new ValueError('save', 'there was no run yet.');
    return base64Of(await this.#run.save());
  }

  #load(url: string): Promise<ImageDataset> {
    let dataset = this.#datasets.get(url);
    if (dataset === undefined) {
      dataset = fetchDataset(url);
      this.#datasets.set(url, dataset);
      dataset.catch(() => this.#datasets.delete(url));
    }
    return dataset;
  }

  async #showPredictions(run: Run): Promise<void> {
    const { test, height, width } = run.dataset;
    showDigits(run.dataset, await run.predict(test.images.subarray(0, SEARCHED * height * width)));
  }
}

async function fetchDataset(url: string): Promise<ImageDataset> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new ValueError('train', `the dataset at ${url} cannot be fetched.`, {
      mend: 'see whether the server still runs.',
      cause,
    });
  }
  if (!response.ok) {
    const text = (await response.text()).trim().slice(0, 2000);
    throw new ValueError('train', `the dataset at ${url} cannot be fetched: ${response.status} ${text}`);
  }
  return decodeDataset(await response.arrayBuffer(), { name: url });
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function base64Of(bytes: Uint8Array): string {
  // A call takes only so many arguments; the piece is a multiple of 3, so that pieces join.
  const piece = 3 * 8192;
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += piece) parts.push(btoa(String.fromCharCode(...bytes.subarray(i, i + piece))));
  return parts.join('');
}
