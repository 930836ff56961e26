import { evaluator, fit, type LabelledImages, losses, nn, optim, random, type Tensor } from '../src/index.js';

/** How a classifier is trained, whatever its loss. */
export interface Training {
  readonly hidden: number;
  readonly classes: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly momentum: number;
}

export interface Trained {
  readonly model: nn.Module;
  /** Mean of the losses read back in the last epoch. */
  readonly loss: number;
}

/**
 * An MLP of one hidden layer, trained on the comp-sum loss by SGD with momentum, its rate falling along half a cosine.
 * The seed decides the first weights and the order of the examples.
 */
export async function trainClassifier(
  data: LabelledImages,
  { hidden, classes, epochs, batchSize, momentum }: Training,
  { tau, rate, seed }: { readonly tau: number; readonly rate: number; readonly seed: number },
): Promise<Trained> {
  random.seed(seed);
  const inputs = data.images.length / data.labels.length;
  const model = nn.sequential(nn.linear(inputs, hidden), nn.relu(), nn.linear(hidden, classes));
  const steps = epochs * Math.floor(data.labels.length / batchSize);
  const optimizer = optim.sgd(model.parameters(), { learningRate: optim.cosine(rate, { steps }), momentum });
  const loss = (logits: Tensor, labels: Tensor) => losses.compSum(logits, labels, { tau });
  const lost = new AbortController();
  const result = await fit({ model, optimizer, loss }, data, {
    epochs,
    batchSize,
    seed,
    signal: lost.signal,
    // NaN stays NaN: the epochs that are left would change nothing.
    onProgress: (progress) => {
      if (Number.isNaN(progress.loss)) lost.abort();
    },
  });
  return { model, loss: lost.signal.aborted ? Number.NaN : (result.epochs.at(-1)?.loss ?? Number.NaN) };
}

/** The part of the examples that the model gets right. */
export async function accuracyOf(model: nn.Module, data: LabelledImages, classes: number): Promise<number> {
  return (await evaluator(model, { classes })(data)).accuracy;
}
