import type { TypedArray } from '../graph/dtype.js';
import type { TensorData } from '../graph/source.js';
import type { Tensor, TensorLike } from '../graph/tensor.js';
import { Meter, planOf } from './meter.js';
import { type RowOptions, Rows } from './rows.js';

/** What a batch was, besides what a metric read of it. */
export interface Batch {
  readonly classes: number;
  /** Rows that count. */
  readonly examples: number;
}

/** A value that grows batch by batch, in float64 on the host. */
export interface Tally<Value> {
  /** @param read what the metric's `plan` asked for, in that order. */
  add(read: readonly TypedArray[], batch: Batch): void;
  value(): Value;
}

/**
 * A figure of a classifier over all rows of a dataset, however they are cut into batches: the GPU makes a few numbers
 * of each batch, the host adds them up in float64, so that counts are exact up to 2^53.
 */
export interface Metric<Value> {
  /**
   * The value over these rows; they are read back once.
   *
   * @param logits `[...batch, classes]`, f32. @param labels `[...batch]`, i32, u32 or an array of integers.
   * @throws (rejects) ShapeError or DtypeError when they do not fit; ValueError for a label that is no class, with its row.
   */
  of(logits: Tensor, labels: TensorLike | TensorData, options?: RowOptions): Promise<Value>;
  /** @internal The tensors to read of a batch. */
  readonly plan: (rows: Rows) => readonly Tensor[];
  /** @internal */
  readonly start: () => Tally<Value>;
}

/** @internal @param name as its errors have it: 'metrics.accuracy'. */
export function metricOf<Value>(name: string, plan: Metric<Value>['plan'], start: () => Tally<Value>): Metric<Value> {
  const metric: Metric<Value> = {
    plan,
    start,
    of: async (logits, labels, options) => {
      const meter = new Meter(name, { value: metric });
      meter.add(planOf({ value: metric }, new Rows(name, logits, labels, options)));
      return (await meter.values()).value;
    },
  };
  return metric;
}

/** @internal A figure that follows from another metric's value. */
export function derivedFrom<Value, Result>(
  name: string,
  metric: Metric<Value>,
  derive: (value: Value) => Result,
): Metric<Result> {
  return metricOf(name, metric.plan, () => {
    const tally = metric.start();
    return { add: (read, batch) => tally.add(read, batch), value: () => derive(tally.value()) };
  });
}
