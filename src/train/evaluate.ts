import { batches } from '../data/batches.js';
import type { Dataset } from '../data/fields.js';
import { formatShape, ShapeError } from '../errors.js';
import { compile } from '../graph/compile.js';
import type { HostArray } from '../graph/hostArray.js';
import { sameShape } from '../graph/shape.js';
import type { Tensor } from '../graph/tensor.js';
import type { Module } from '../nn/module.js';
import { multiply } from '../ops/arithmetic.js';
import { toF32, toI32 } from '../ops/casts.js';
import { equal } from '../ops/comparison.js';
import { stack } from '../ops/concatenate.js';
import { oneHot } from '../ops/create.js';
import { argmax, sum } from '../ops/reduce.js';
import { expandDims } from '../ops/shaping.js';

export interface Evaluation {
  /** Mean of the loss over all examples; NaN when no loss was given. */
  readonly loss: number;
  /** Part of the examples whose largest logit is their label's. */
  readonly accuracy: number;
  /** The same by class; NaN for a class without examples. */
  readonly perClassAccuracy: readonly number[];
  readonly examples: number;
}

export interface EvaluateOptions {
  /** `(logits, labels) -> value of each row`; its mean is reported. */
  readonly loss?: (logits: Tensor, labels: Tensor) => Tensor;
  /** Default 256. */
  readonly batchSize?: number;
  readonly classes: number;
}

/** A compiled evaluation, to be used again and again: `data -> Evaluation`. */
export type Evaluator = <Fields extends Dataset<Fields>>(dataset: Fields) => Promise<Evaluation>;

/**
 * Evaluates a classifier in `eval` mode: one compiled step a batch, counts added up on the host from a few
 * numbers a batch. The mode of the model is put back afterwards.
 *
 * @param model `[batch, ...]` to logits `[batch, classes]`. The dataset's first field is its input, the second
 * the labels.
 */
export function evaluator(model: Module, { loss, batchSize = 256, classes }: EvaluateOptions): Evaluator {
  const step = compile(
    (inputs, labels) => {
      const logits = model(inputs);
      const target = toI32(labels);
      const right = toF32(equal(argmax(logits, -1), target));
      const member = oneHot(target, classes);
      const counts = stack([sum(member, { axes: 0 }), sum(multiply(member, expandDims(right, -1)), { axes: 0 })]);
      return { counts, loss: loss === undefined ? undefined : sum(rowsOf(loss(logits, labels), target)) };
    },
    { name: 'evaluate' },
  );
  return async <Fields extends Dataset<Fields>>(dataset: Fields) => {
    const modes = model.modules().map((module) => ({ module, training: module.training }));
    model.eval();
    try {
      const reads: Promise<{ counts: ArrayLike<number>; loss: number }>[] = [];
      for await (const batch of batches(dataset, { size: batchSize, shuffle: false })) {
        const [inputs, labels] = Object.values(batch) as [HostArray, HostArray];
        const result = step(inputs, labels);
        reads.push(
          Promise.all([result.counts.data(), result.loss?.item() ?? Promise.resolve(Number.NaN)]).then(
            ([counts, value]) => ({ counts, loss: value }),
          ),
        );
      }
      return total(await Promise.all(reads), classes);
    } finally {
      for (const { module, training } of modes) module.setMode(training);
    }
  };
}

function rowsOf(values: Tensor, labels: Tensor): Tensor {
  if (sameShape(values.shape, labels.shape)) return values;
  throw new ShapeError(
    'evaluator',
    `the loss is ${formatShape(values.shape)} for labels ${formatShape(labels.shape)}.`,
    {
      mend: "give the value of each row: { reduction: 'none' }.",
    },
  );
}

function total(parts: readonly { counts: ArrayLike<number>; loss: number }[], classes: number): Evaluation {
  const examples = new Array<number>(classes).fill(0);
  const right = new Array<number>(classes).fill(0);
  let loss = 0;
  for (const part of parts) {
    loss += part.loss;
    for (let i = 0; i < classes; i++) {
      examples[i] = (examples[i] ?? 0) + (part.counts[i] ?? 0);
      right[i] = (right[i] ?? 0) + (part.counts[classes + i] ?? 0);
    }
  }
  const count = examples.reduce((a, b) => a + b, 0);
  return {
    loss: loss / count,
    accuracy: right.reduce((a, b) => a + b, 0) / count,
    perClassAccuracy: right.map((one, i) => one / (examples[i] ?? 0)),
    examples: count,
  };
}
