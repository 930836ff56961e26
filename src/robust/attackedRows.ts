import { batches } from '../data/batches.js';
import type { Dataset } from '../data/fields.js';
import { ValueError } from '../errors.js';
import { compile } from '../graph/compile.js';
import { engine } from '../graph/current.js';
import type { HostArray } from '../graph/hostArray.js';
import type { Tensor } from '../graph/tensor.js';
import { inEvaluation } from '../nn/inEvaluation.js';
import { stack } from '../ops/concatenate.js';
import type { Attack, Classifier } from './attacks/attack.js';
import { logitMargin, rightRows } from './attacks/objective.js';
import { distances } from './attacks/threat.js';

/** What an attack did to each example, in the dataset's order. */
export interface AttackedRows {
  /** 1 where the model is right at the attacked input, else 0. */
  readonly right: Float32Array;
  /** The largest other logit less the label's. */
  readonly margin: Float32Array;
  /** From the input, in the attack's norm. */
  readonly distance: Float32Array;
}

/** An attack that is tried; undefined: none, the clean inputs. */
export interface Trial {
  readonly attack: Attack | undefined;
  /** The model whose gradients it sees. Default: the one that is judged. */
  readonly against?: Classifier;
}

export interface RowOptions {
  /** Default 256. */
  readonly batchSize?: number;
}

/**
 * Tries attacks on a model in evaluation mode, all on the same batches, in one compiled step.
 *
 * @param dataset its first field is the model's input, the second the labels.
 * @throws ValueError (rejects) for a label that is no class, with the row's number in the dataset.
 */
export async function attackedRows<Fields extends Dataset<Fields>>(
  op: string,
  model: Classifier,
  dataset: Fields,
  trials: readonly Trial[],
  { batchSize = 256 }: RowOptions,
): Promise<readonly AttackedRows[]> {
  const owner = engine(op);
  let classes = 0;
  const step = compile(
    (inputs: Tensor, labels: Tensor) =>
      trials.map(({ attack, against = model }) => {
        const attacked = attack === undefined ? inputs : attack(against, inputs, labels);
        const logits = inEvaluation(model, () => model(attacked));
        classes = logits.shape[1] ?? 0;
        return stack([
          rightRows(logits, labels),
          logitMargin(logits, labels),
          distances(attacked, inputs, attack?.threat.norm ?? 'linf'),
        ]);
      }),
    { name: op },
  );
  try {
    const reads: Promise<ArrayLike<number>[]>[] = [];
    let before = 0;
    for await (const batch of batches(dataset, { size: batchSize, shuffle: false, pace: () => owner.pace() })) {
      const [inputs, labels] = Object.values(batch) as [HostArray, HostArray];
      // Tells how many classes there are before anything runs, and compiles kernels in parallel.
      if (before === 0) await step.prepare(inputs, labels);
      checkLabels(op, labels, classes, before);
      before += labels.shape[0] ?? 0;
      reads.push(Promise.all(step(inputs, labels).map((rows) => rows.data())));
    }
    const found = await Promise.all(reads);
    return trials.map((_, k) => joined(found.map((parts) => parts[k] as ArrayLike<number>)));
  } finally {
    step.dispose();
  }
}

/** A label that no model can give would count as one more example that an attack turned. Soft targets pass. */
function checkLabels(op: string, { data, shape }: HostArray, classes: number, before: number): void {
  if (shape.length !== 1) return;
  const wrong = data.findIndex((label) => !(label >= 0 && label < classes));
  if (wrong < 0) return;
  throw new ValueError(op, `the label of row ${before + wrong} is not one of the ${classes} classes.`, {
    mend: `labels go from 0 to ${classes - 1}; leave other rows out.`,
  });
}

/** Batches `[3, n]` put together. */
function joined(parts: readonly ArrayLike<number>[]): AttackedRows {
  const field = (at: number) =>
    Float32Array.from(
      parts.flatMap((part) => Array.from(part).slice((at * part.length) / 3, ((at + 1) * part.length) / 3)),
    );
  return { right: field(0), margin: field(1), distance: field(2) };
}
