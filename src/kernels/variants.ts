/** One way to run an op's kernel; choices are recorded by its name. */
export interface Variant {
  readonly variant: string;
}

/** What an op asks when it is lowered: which of its variants shall run. */
export interface VariantQuestion<V extends Variant = Variant> {
  /** What matters for the choice, sizes in buckets: `matmul nn f32 m512 n512 k512`. */
  readonly shapeClass: string;
  /** The static choice first, then the others, the most promising first. */
  readonly variants: readonly V[];
  /** How many of `variants`, from the front, tuning times; the rest can only be named. Default all. */
  readonly timed?: number;
  /** The plainest (no subgroups, no barriers): tuning checks the others against it. */
  readonly reference: V;
  /** Tuning's random integers stay below it: a row's classes. Default 2. */
  readonly integersBelow?: number;
}

/**
 * Where a choice comes from: written in the source, kept from an earlier page, timed by this engine, or given
 * (by a checkpoint, by `loadTunerChoices`).
 */
export type ChoiceOrigin = 'static' | 'cached' | 'tuned' | 'loaded';

export interface Choice<V extends Variant = Variant> {
  readonly variant: V;
  readonly origin: ChoiceOrigin;
}

/** Answers the questions of a plan that is being made. */
export type Choose = <V extends Variant>(question: VariantQuestion<V>) => Choice<V>;

/** What is written in the source: the first of the variants. */
export const chooseStatic: Choose = ({ variants }) => ({ variant: first(variants), origin: 'static' });

export function first<V extends Variant>(variants: readonly V[]): V {
  const [variant] = variants;
  if (variant === undefined) throw new Error('a question without variants');
  return variant;
}

/**
 * The size that stands for its neighbours: multiples of 4 up to 16 (a tile's tail weighs there), then 24, 32,
 * 48, 64, 96 and so on. So a shape class holds many shapes, and the number of timings stays bounded.
 */
export function bucket(size: number): number {
  if (size <= 16) return 4 * Math.ceil(size / 4);
  const power = 2 ** Math.ceil(Math.log2(size));
  return size <= 0.75 * power ? 0.75 * power : power;
}
