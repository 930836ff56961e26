import { type LossDeclaration, type LossParameter, losses, mean, oneHot, type Tensor } from '../../src/index.js';

type Parameters = Readonly<Record<string, LossParameter>>;

/** A loss of the index as a run uses it. */
export interface TrainableLoss {
  readonly name: string;
  /** The paper and equation, where it is declared. */
  readonly source: string | undefined;
  readonly parameters: Parameters;
  /** `reduction` 'none' gives a value for each example. */
  readonly apply: (
    logits: Tensor,
    labels: Tensor,
    values: Readonly<Record<string, number>>,
    reduction: 'mean' | 'none',
  ) => Tensor;
}

type LossFunction = (logits: Tensor, labels: Tensor, options: object) => Tensor;

/** Every loss of the index, by name: what is declared there turns up here, with its parameters. */
export const trainableLosses: ReadonlyMap<string, TrainableLoss> = new Map(
  Object.entries(losses)
    .filter(([name, loss]) => 'declaration' in loss || name === 'meanSquaredError')
    .map(([name, loss]) => [name, trainable(name, loss as LossFunction)]),
);

function trainable(name: string, loss: LossFunction): TrainableLoss {
  const { declaration } = loss as { declaration?: LossDeclaration<Record<string, LossParameter>> };
  return {
    name,
    source: declaration?.source,
    parameters: declaration?.parameters ?? {},
    apply: (logits, labels, values, reduction) =>
      name === 'meanSquaredError'
        ? squaredError(logits, labels, reduction)
        : loss(logits, labels, { ...values, reduction }),
  };
}

/** It compares with targets of the logits' shape: the labels become rows of 0 and 1. */
function squaredError(logits: Tensor, labels: Tensor, reduction: 'mean' | 'none'): Tensor {
  const targets = oneHot(labels, logits.shape.at(-1) ?? 0);
  const errors = losses.meanSquaredError(logits, targets, { reduction });
  return reduction === 'none' ? mean(errors, { axes: -1 }) : errors;
}
