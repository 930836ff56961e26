import { grad } from '../autograd/grad.js';
import { batches } from '../data/batches.js';
import type { Dataset } from '../data/fields.js';
import { checkCounts, ValueError } from '../errors.js';
import { type CompiledFunction, compile } from '../graph/compile.js';
import { engine } from '../graph/current.js';
import type { TypedArray } from '../graph/dtype.js';
import type { HostArray } from '../graph/hostArray.js';
import type { Parameter } from '../graph/parameter.js';
import { tensor } from '../graph/source.js';
import type { Tensor } from '../graph/tensor.js';
import type { Module } from '../nn/module.js';
import type { Optimizer } from '../optim/optimizer.js';
import type { Evaluation } from './evaluate.js';

export interface Progress {
  /** From 0. */
  readonly epoch: number;
  /** Steps done in all. */
  readonly step: number;
  /** Steps in all. */
  readonly steps: number;
  /** The last loss that has come back from the GPU. */
  readonly loss: number;
  /** The step that it belongs to: a reading before this one. */
  readonly lossStep: number;
  readonly examplesPerSecond: number;
  readonly secondsLeft: number;
  /** Where the data stands, for a checkpoint. */
  readonly position: { readonly epoch: number; readonly index: number };
}

export interface EpochResult {
  readonly epoch: number;
  /** Mean of the losses read during the epoch. */
  readonly loss: number;
  readonly evaluation: Evaluation | undefined;
}

export interface FitOptions {
  /** Default 1. */
  readonly epochs?: number;
  /** Default 32. */
  readonly batchSize?: number;
  /** Seed of the shuffling. Default 0. */
  readonly seed?: number;
  readonly shuffle?: boolean;
  /** Leave out a last short batch. Default true: one shape, one plan. */
  readonly dropLast?: boolean;
  /** Go on from a checkpoint's position. */
  readonly position?: { readonly epoch: number; readonly index: number };
  /** Read the loss back once in so many steps. Default 10. */
  readonly readEvery?: number;
  /** Stops after the step under way; `fit` returns what it has. */
  readonly signal?: AbortSignal;
  /** Called whenever a loss has come back, at most once in `readEvery` steps. May be async: training waits. */
  readonly onProgress?: (progress: Progress) => void | Promise<void>;
  readonly onEpoch?: (result: EpochResult) => void | Promise<void>;
  /** After each epoch. */
  readonly evaluate?: () => Promise<Evaluation>;
  /** Ends training when the evaluation's loss has not fallen for `patience` epochs. */
  readonly earlyStop?: { readonly patience: number };
  /**
   * Puts back the parameters of the epoch with the best accuracy at the end. Not when the signal aborts: what is there
   * then (parameters, optimizer, position) belongs together, and can be saved and resumed.
   */
  readonly bestWeights?: readonly Parameter[];
}

export interface FitResult {
  readonly steps: number;
  /** `[step, loss]` as read back. */
  readonly curve: readonly (readonly [step: number, loss: number])[];
  readonly epochs: readonly EpochResult[];
  readonly seconds: number;
  /** 'done', 'aborted' by the signal, or 'early' by earlyStop. */
  readonly reason: 'done' | 'aborted' | 'early';
  readonly position: { readonly epoch: number; readonly index: number };
}

/** A step as `compile` gives it: batch fields in, the loss out. */
export type Step = CompiledFunction<Tensor[], Tensor>;

/** A model with what is needed to make a step of it. */
export interface ModelToFit {
  readonly model: Module;
  readonly optimizer: Optimizer;
  readonly loss: (output: Tensor, target: Tensor) => Tensor;
}

/** The usual training step: loss, gradients, update. */
export function trainingStep({ model, optimizer, loss }: ModelToFit): Step {
  return compile(
    (inputs, target) => {
      const value = loss(model(inputs as Tensor), target as Tensor);
      optimizer.update(grad(value, optimizer.parameters));
      return value;
    },
    { name: 'train' },
  );
}

/**
 * Trains over epochs of shuffled batches, without running ahead of the GPU and without waiting for it: losses
 * come back while later steps run.
 *
 * @param what a compiled step that takes the dataset's fields in order and returns the loss, or a model with
 * optimizer and loss.
 */
export async function fit<Fields extends Dataset<Fields>>(
  what: Step | ModelToFit,
  dataset: Fields,
  options: FitOptions = {},
): Promise<FitResult> {
  if (typeof what === 'function') return train(what, dataset, options);
  const step = trainingStep(what);
  try {
    return await train(step, dataset, options);
  } finally {
    step.dispose();
  }
}

async function train<Fields extends Dataset<Fields>>(
  step: Step,
  dataset: Fields,
  options: FitOptions,
): Promise<FitResult> {
  const { epochs = 1, batchSize = 32, seed = 0, shuffle = true, dropLast = true, readEvery = 10 } = options;
  checkCounts('fit', { epochs, batchSize, readEvery });
  const owner = engine('fit');
  const start = options.position ?? { epoch: 0, index: 0 };
  const data = batches(dataset, {
    size: batchSize,
    seed,
    shuffle,
    dropLast,
    epoch: start.epoch,
    start: start.index,
    pace: () => owner.pace(),
  });
  const steps = epochs * data.length;
  let done = start.epoch * data.length + start.index;
  const first = done;
  const began = performance.now();
  const curve: [number, number][] = [];
  const results: EpochResult[] = [];
  const best = new BestWeights(options.bestWeights ?? []);
  let reason: FitResult['reason'] = 'done';
  let least = Number.POSITIVE_INFINITY;
  let waited = 0;
  const aborted = () => options.signal?.aborted === true;
  const position = () => ({ epoch: data.position.epoch, index: data.position.index });

  for (let epoch = start.epoch; epoch < epochs && reason === 'done'; epoch++) {
    if (aborted()) break;
    const losses: Promise<number>[] = [];
    const readings: number[] = [];
    for await (const batch of data) {
      const inputs = Object.values(batch) as HostArray[];
      // Kernels compile in parallel and off the main thread, and are tuned where that was asked for.
      if (done === first) await step.prepare(...inputs);
      const loss = step(...inputs);
      done++;
      if (done % readEvery === 0 || done % data.length === 0) {
        const at = done;
        const read = loss.item();
        losses.push(read);
        readings.push(at);
        curve.push([at, Number.NaN]);
        const entry = curve.at(-1) as [number, number];
        read.then(
          (value) => {
            entry[1] = value;
          },
          () => undefined,
        );
        // The loss of the reading before this one: it has come back by now, so nobody waits.
        const value = await (losses.at(-2) ?? read);
        const seconds = (performance.now() - began) / 1000;
        const rate = (done - first) / seconds;
        await options.onProgress?.({
          epoch,
          step: done,
          steps,
          loss: value,
          lossStep: readings.at(-2) ?? at,
          examplesPerSecond: rate * batchSize,
          secondsLeft: (steps - done) / rate,
          position: position(),
        });
      }
      if (aborted()) break;
    }
    const values = await Promise.all(losses);
    if (aborted()) break;
    const evaluation = await options.evaluate?.();
    const loss = values.reduce((sum, value) => sum + value, 0) / values.length;
    const result = { epoch, loss, evaluation };
    results.push(result);
    await options.onEpoch?.(result);
    if (options.earlyStop !== undefined && !Number.isFinite(evaluation?.loss)) {
      best.restore();
      throw new ValueError('fit', `earlyStop watches the evaluation's loss, which is ${evaluation?.loss}.`, {
        mend: 'give fit an evaluate whose evaluator has a loss.',
      });
    }
    if (evaluation !== undefined) {
      await best.consider(evaluation.accuracy);
      waited = evaluation.loss < least ? 0 : waited + 1;
      least = Math.min(least, evaluation.loss);
      if (options.earlyStop !== undefined && waited >= options.earlyStop.patience) reason = 'early';
    }
  }
  if (reason === 'done' && aborted() && done < steps) reason = 'aborted';
  if (reason !== 'aborted') best.restore();
  await step.ready();
  return {
    steps: done,
    curve,
    epochs: results,
    seconds: (performance.now() - began) / 1000,
    reason,
    position: position(),
  };
}

/** Keeps a copy of the parameters at their best. */
class BestWeights {
  #score = Number.NEGATIVE_INFINITY;
  #copies: { parameter: Parameter; data: TypedArray }[] = [];

  constructor(readonly parameters: readonly Parameter[]) {}

  async consider(score: number): Promise<void> {
    if (this.parameters.length === 0 || score <= this.#score) return;
    this.#score = score;
    this.#copies = await Promise.all(
      this.parameters.map(async (parameter) => ({ parameter, data: await parameter.data() })),
    );
  }

  restore(): void {
    for (const { parameter, data } of this.#copies) {
      const { shape, dtype } = parameter;
      parameter.assign(tensor(data, { shape, dtype }));
    }
  }
}
