import { checkLogits, numberOrScalar } from '../custom/lossArguments.js';
import { labelsOf } from '../custom/targets.js';
import { checkNames, ShapeError, ValueError } from '../errors.js';
import { sizeOf } from '../graph/shape.js';
import type { TensorData } from '../graph/source.js';
import type { Tensor, TensorLike } from '../graph/tensor.js';
import { divide } from '../ops/arithmetic.js';
import { reshapeExactly } from '../ops/broadcast.js';
import { toI32 } from '../ops/casts.js';
import { equal, greaterEqual, less } from '../ops/comparison.js';
import { indices } from '../ops/create.js';
import { and, isNaN as isNan, not, or, where } from '../ops/logical.js';
import { argmax, max, min, sum } from '../ops/reduce.js';
import { expandDims } from '../ops/shaping.js';
import { softmax } from '../ops/softmax.js';

export interface RowOptions {
  /** Rows with this label count for nothing. */
  readonly ignoreIndex?: number;
  /** Logits are divided by it: one number, or a 0-d tensor. Default 1. */
  readonly temperature?: TensorLike;
}

export const ROW_OPTIONS = ['ignoreIndex', 'temperature'];

/**
 * A batch of logits with its labels, and what several metrics want to know of each row: graphs, each made once, so that
 * a plan computes and a host reads each once.
 */
export class Rows {
  /** `[rows, classes]`, divided by the temperature. */
  readonly logits: Tensor;
  /** `[rows]` i32, as they were given. */
  readonly given: Tensor;
  readonly rows: number;
  readonly classes: number;
  /** `[rows]` i32, the row's class; -1 where it is ignored or no class. */
  readonly labels: Tensor;
  /** `[rows]` bools: the row counts. */
  readonly counted: Tensor;
  /** 0-d i32. */
  readonly examples: Tensor;
  /** 0-d i32: the first row whose label is neither a class nor ignored; beyond all rows where there is none. */
  readonly firstWrong: Tensor;
  readonly #made = new Map<string, Tensor>();

  /**
   * @param logits `[...batch, classes]`, f32. @param labels `[...batch]`, i32, u32 or an array of integers.
   * @throws ShapeError, DtypeError or ValueError in the name of `op`.
   */
  constructor(op: string, logits: Tensor, labels: TensorLike | TensorData, options: RowOptions = {}) {
    checkNames(op, options, ROW_OPTIONS);
    const { ignoreIndex, temperature } = options;
    checkOptions(op, options);
    const { shape } = checkLogits(op, logits);
    this.rows = sizeOf(shape.slice(0, -1));
    this.classes = shape.at(-1) ?? 0;
    if (this.classes === 0) throw new ShapeError(op, 'the logits have a last axis of 0; a row needs a class.');
    const flat = reshapeExactly(logits, [this.rows, this.classes]);
    this.logits = temperature === undefined ? flat : divide(flat, numberOrScalar(op, 'temperature', temperature));
    this.given = reshapeExactly(labelsOf(op, labels, shape), [this.rows]);
    const isClass = and(greaterEqual(this.given, 0), less(this.given, this.classes));
    const isIgnored = ignoreIndex === undefined ? undefined : equal(this.given, ignoreIndex);
    this.counted = isIgnored === undefined ? isClass : and(isClass, not(isIgnored));
    this.labels = where(this.counted, this.given, -1);
    this.examples = sum(toI32(this.counted));
    const isRight = isIgnored === undefined ? isClass : or(isClass, isIgnored);
    this.firstWrong = min(where(isRight, this.rows, indices(this.rows)));
  }

  /** `[rows]` bools: a logit is NaN. */
  get hasNan(): Tensor {
    return this.#once('hasNan', () => isNan(max(this.logits, { axes: -1 })));
  }

  /** `[rows]` i32: the class of the largest logit, the first of ties; -1 where a logit is NaN. */
  get prediction(): Tensor {
    return this.#once('prediction', () => where(this.hasNan, -1, argmax(this.logits, -1)));
  }

  /** `[rows]` i32: 1 where the prediction is the label, 0 where it is not, -1 where the row does not count. */
  get outcome(): Tensor {
    return this.#once('outcome', () => where(this.counted, toI32(equal(this.prediction, this.labels)), -1));
  }

  /** `[rows, classes]`; NaN in a row with NaN or +infinity. */
  get probabilities(): Tensor {
    return this.#once('probabilities', () => softmax(this.logits));
  }

  /** `[rows]`, the largest probability; NaN in a row with NaN or +infinity. */
  get confidence(): Tensor {
    return this.#once('confidence', () => max(this.probabilities, { axes: -1 }));
  }

  /** `[rows, classes]` bools: the label's place. */
  get isLabel(): Tensor {
    return this.#once('isLabel', () => equal(expandDims(this.labels, -1), indices(this.classes)));
  }

  #once(name: string, make: () => Tensor): Tensor {
    let tensor = this.#made.get(name);
    if (tensor === undefined) {
      tensor = make();
      this.#made.set(name, tensor);
    }
    return tensor;
  }
}

function checkOptions(op: string, { ignoreIndex, temperature }: RowOptions): void {
  if (ignoreIndex !== undefined && !Number.isInteger(ignoreIndex)) {
    throw new ValueError(op, `ignoreIndex is ${String(ignoreIndex)}; it must be an integer.`);
  }
  if (typeof temperature === 'number' && !(temperature > 0)) {
    throw new ValueError(op, `temperature is ${temperature}; it must be above 0.`);
  }
}
