import {
  argmax,
  compile,
  type Engine,
  type EpochResult,
  type Evaluation,
  type Evaluator,
  evaluator,
  fit,
  type ImageDataset,
  init,
  type LabelledImages,
  loadCheckpoint,
  type MemoryReport,
  memory,
  nn,
  optim,
  type Progress,
  random,
  saveCheckpoint,
  softmax,
  type Tensor,
  type TuneOptions,
  type TunerChoices,
  type TunerStore,
  trainingStep,
  tunerChoices,
  ValueError,
} from '../../src/index.js';
import { type TrainableLoss, trainableLosses } from './losses.js';
import { checkEpochsLeft, checkModelFits, layerSizes, type RunOptions } from './options.js';

/** An epoch as a run's curve keeps it. */
export interface EpochPoint {
  /** From 1. */
  readonly epoch: number;
  /** Steps done at its end. */
  readonly step: number;
  /** Mean of the training losses that were read during it. */
  readonly loss: number;
  readonly testLoss: number;
  readonly testAccuracy: number;
}

export interface Curve {
  /** `[step, loss]` of the batches that were read back. */
  readonly steps: (readonly [step: number, loss: number])[];
  readonly epochs: EpochPoint[];
}

export interface RunResult {
  readonly testAccuracy: number;
  readonly testLoss: number;
  /** By class; null for a class without test examples. */
  readonly perClassAccuracy: readonly (number | null)[];
  /** 'done', or 'stopped' on request. */
  readonly reason: 'done' | 'stopped';
  /** Steps of this run. */
  readonly steps: number;
  /** Steps before it, where it goes on from a checkpoint. */
  readonly stepsBefore: number;
  /** Wall clock: compiling, training and testing. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** From the opening of the GPU to the end of the first step on it: compiling, tuning, first weights. */
  readonly firstStepMs: number;
  readonly memory: MemoryReport;
  /** Submits of the training steps themselves, over steps. */
  readonly submitsPerStep: number;
  /** The same with those that read a loss back or hold the pace. */
  readonly allSubmitsPerStep: number;
}

export interface RunListener {
  readonly onProgress?: (progress: Progress, curve: Curve) => void;
  readonly onEpoch?: (point: EpochPoint, curve: Curve) => void | Promise<void>;
}

/** Which kernels run. */
export interface RunTuning extends TuneOptions {
  /** Where choices are kept. Default: by the browser. */
  readonly tunerStore?: TunerStore;
}

/** What the adapter tells of itself, for a run's record. */
export type Adapter = Engine['device']['facts'];

/** Steps from one reading of the loss to the next. */
const READ_EVERY = 10;

/** One training run: its engine, model and data. Nothing of it is kept when `dispose` is called. */
export class Run {
  readonly options: RunOptions;
  readonly dataset: ImageDataset;
  readonly curve: Curve = { steps: [], epochs: [] };
  readonly #engine: Engine;
  readonly #model: nn.Module;
  readonly #optimizer: optim.Optimizer;
  readonly #loss: TrainableLoss;
  readonly #train: LabelledImages;
  readonly #evaluate: Evaluator;
  readonly #predict: (images: { data: Float32Array; shape: readonly number[] }) => {
    label: Tensor;
    confidence: Tensor;
  };
  #position: { readonly epoch: number; readonly index: number } | undefined;

  private constructor(engine: Engine, options: RunOptions, dataset: ImageDataset) {
    this.#engine = engine;
    this.options = options;
    this.dataset = dataset;
    this.#loss = trainableLosses.get(options.loss) ?? unknownLoss(options.loss);
    this.#train = firstExamples(dataset.train, options.examples);
    random.seed(options.seed);
    this.#model = buildModel(options.model);
    this.#optimizer = buildOptimizer(this.#model, options, this.#stepsPerEpoch());
    const model = this.#model;
    this.#evaluate = evaluator(model, {
      classes: dataset.classes,
      batchSize: evenBatch(dataset.test.labels.length),
      loss: (logits, labels) => this.#loss.apply(logits, labels, options.parameters, 'none'),
    });
    this.#predict = compile(
      (images: Tensor) => {
        const chances = softmax(model(images));
        return { label: argmax(chances, -1), confidence: chances };
      },
      { name: 'predict' },
    );
  }

  /**
   * Opens the GPU and builds the model.
   * @param checkpoint bytes of an earlier run's `save`, to go on from there.
   * @throws NoWebGPUError without a GPU; ValueError for a model that does not fit the data, or a checkpoint
   * that does not fit the model.
   */
  static async open(
    options: RunOptions,
    dataset: ImageDataset,
    checkpoint?: Uint8Array,
    tuning: RunTuning = {},
  ): Promise<Run> {
    const complaint = checkModelFits(options.model, dataset);
    if (complaint !== undefined) throw new ValueError('train', `model ${complaint}`);
    const engine = await init(tuning);
    try {
      const run = new Run(engine, options, dataset);
      if (checkpoint !== undefined) run.#resume(checkpoint);
      return run;
    } catch (error) {
      engine.destroy();
      throw error;
    }
  }

  get adapter(): Adapter {
    return this.#engine.device.facts;
  }

  /** Which variants of the kernels ran. */
  get tuner(): TunerChoices {
    this.#engine.use();
    return tunerChoices();
  }

  /** Steps that the run had done before, when it goes on from a checkpoint. */
  get stepsDone(): number {
    return (this.#position?.epoch ?? 0) * this.#stepsPerEpoch() + (this.#position?.index ?? 0);
  }

  #stepsPerEpoch(): number {
    return Math.max(1, Math.floor(this.#train.labels.length / this.options.batchSize));
  }

  #resume(checkpoint: Uint8Array): void {
    const { position, extra } = loadCheckpoint(checkpoint, { model: this.#model, optimizer: this.#optimizer });
    if (position === undefined)
      throw new ValueError('train', 'the checkpoint has no position: it is no run of this page.');
    const complaint = checkEpochsLeft(position.epoch, this.options);
    if (complaint !== undefined) throw new ValueError('train', `epochs ${complaint}`);
    this.#position = position;
    const { curve } = extra as { curve?: Curve };
    this.curve.steps.push(...(curve?.steps ?? []));
    this.curve.epochs.push(...(curve?.epochs ?? []));
  }

  /** Trains to the end, or until the signal: the step under way is finished, and what there is gets tested. */
  async train(signal: AbortSignal, { onProgress, onEpoch }: RunListener = {}): Promise<RunResult> {
    const { epochs, batchSize, seed, parameters } = this.options;
    const began = performance.now();
    const first = this.stepsDone;
    let evaluation: Evaluation | undefined;
    const resumed = this.curve.steps.length;
    const step = trainingStep({
      model: this.#model,
      optimizer: this.#optimizer,
      loss: (logits, labels) => this.#loss.apply(logits, labels, parameters, 'mean'),
    });
    // Kernels compile in parallel and off the main thread; the first weights are drawn here too.
    const pixels = this.dataset.height * this.dataset.width;
    await step.prepare(
      { data: new Float32Array(batchSize * pixels), shape: [batchSize, pixels] },
      { data: new Uint32Array(batchSize), shape: [batchSize] },
    );
    const counter = new SubmitCounter(this.#engine);
    const result = await fit(step, this.#train, {
      epochs,
      batchSize,
      seed,
      signal,
      readEvery: READ_EVERY,
      ...(this.#position === undefined ? {} : { position: this.#position }),
      onProgress: (progress) => {
        // The first reading of an epoch may come twice: alone, and as the one before the second.
        if (this.curve.steps.at(-1)?.[0] !== progress.lossStep)
          this.curve.steps.push([progress.lossStep, progress.loss]);
        onProgress?.(progress, this.curve);
      },
      evaluate: () =>
        counter.without(async () => {
          evaluation = await this.#evaluate(this.dataset.test);
          return evaluation;
        }),
      onEpoch: async ({ epoch, loss, evaluation: tested }: EpochResult) => {
        const point = {
          epoch: epoch + 1,
          step: (epoch + 1) * this.#stepsPerEpoch(),
          loss,
          testLoss: tested?.loss ?? Number.NaN,
          testAccuracy: tested?.accuracy ?? Number.NaN,
        };
        this.curve.epochs.push(point);
        await counter.without(async () => onEpoch?.(point, this.curve));
      },
    });
    const counts = counter.stop();
    const training = result.steps - first;
    // Live, the curve is a reading behind.
    this.curve.steps.splice(resumed, this.curve.steps.length, ...result.curve);
    this.#position = result.position;
    if (result.reason === 'aborted' || evaluation === undefined) evaluation = await this.#evaluate(this.dataset.test);
    const seconds = (performance.now() - began) / 1000;
    return {
      testAccuracy: evaluation.accuracy,
      testLoss: evaluation.loss,
      perClassAccuracy: evaluation.perClassAccuracy.map((part) => (Number.isNaN(part) ? null : part)),
      reason: result.reason === 'aborted' ? 'stopped' : 'done',
      steps: training,
      stepsBefore: first,
      seconds,
      imagesPerSecond: (training * batchSize) / seconds,
      firstStepMs: this.#engine.firstStepMs ?? Number.NaN,
      memory: memory(),
      submitsPerStep: counts.steps / training,
      allSubmitsPerStep: counts.all / training,
    };
  }

  /** The class of each image, and how sure the model is of it. */
  async predict(images: Float32Array): Promise<{ label: number; confidence: number }[]> {
    const pixels = this.dataset.height * this.dataset.width;
    const { training } = this.#model;
    this.#model.eval();
    try {
      const { label, confidence } = this.#predict({ data: images, shape: [images.length / pixels, pixels] });
      const [labels, chances] = await Promise.all([label.data(), confidence.data()]);
      return Array.from(labels, (one, i) => ({ label: one, confidence: chances[i * this.dataset.classes + one] ?? 0 }));
    } finally {
      if (training) this.#model.train();
    }
  }

  /** The run as safetensors: parameters, optimizer, position, options and curve. */
  save(): Promise<Uint8Array> {
    return saveCheckpoint(
      { model: this.#model, optimizer: this.#optimizer },
      {
        ...(this.#position === undefined ? {} : { position: this.#position }),
        extra: { options: this.options, curve: this.curve },
      },
    );
  }

  dispose(): void {
    this.#engine.destroy();
  }
}

function unknownLoss(name: string): never {
  throw new ValueError('train', `unknown loss '${name}'; there are ${[...trainableLosses.keys()].join(', ')}.`);
}

function firstExamples({ images, labels }: LabelledImages, count: number): LabelledImages {
  if (count === 0 || count >= labels.length) return { images, labels };
  const pixels = images.length / labels.length;
  return { images: images.subarray(0, count * pixels), labels: labels.subarray(0, count) };
}

/** A batch that divides the test examples, so that all have one shape and need one plan. */
function evenBatch(examples: number): number {
  for (let size = 512; size >= 128; size--) if (examples % size === 0) return size;
  return Math.min(256, examples);
}

function buildModel(text: string): nn.Module {
  const sizes = layerSizes(text);
  const layers = sizes.slice(1).flatMap((size, i) => {
    const layer = nn.linear(sizes[i] as number, size);
    return i < sizes.length - 2 ? [layer, nn.relu()] : [layer];
  });
  return nn.sequential(...layers);
}

function buildOptimizer(model: nn.Module, options: RunOptions, stepsPerEpoch: number): optim.Optimizer {
  const { optimizer, schedule, learningRate: rate, epochs } = options;
  const steps = epochs * stepsPerEpoch;
  const learningRate =
    schedule === 'cosine'
      ? optim.cosine(rate, { steps })
      : schedule === 'oneCycle'
        ? optim.oneCycle(rate, { steps })
        : rate;
  const parameters = model.parameters();
  if (optimizer === 'sgd') return optim.sgd(parameters, { learningRate, momentum: 0.9 });
  return optimizer === 'adam' ? optim.adam(parameters, { learningRate }) : optim.adamw(parameters, { learningRate });
}

/** Counts submits to the queue, those of steps and all. */
class SubmitCounter {
  readonly #engine: Engine;
  readonly #queue: GPUQueue;
  readonly #submit: GPUQueue['submit'];
  readonly #began: number;
  #all = 0;
  #apartSteps = 0;
  #apartAll = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#began = engine.submits;
    this.#queue = engine.device.queue;
    this.#submit = this.#queue.submit;
    this.#queue.submit = (commands) => {
      this.#all++;
      this.#submit.call(this.#queue, commands);
    };
  }

  /** What `body` submits is not training. */
  async without<T>(body: () => Promise<T>): Promise<T> {
    const { submits } = this.#engine;
    const all = this.#all;
    const result = await body();
    this.#apartSteps += this.#engine.submits - submits;
    this.#apartAll += this.#all - all;
    return result;
  }

  stop(): { readonly steps: number; readonly all: number } {
    this.#queue.submit = this.#submit;
    return {
      steps: this.#engine.submits - this.#began - this.#apartSteps,
      all: this.#all - this.#apartAll,
    };
  }
}
