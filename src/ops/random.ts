import generators from '../../shaders/random/generators.wgsl';
import { checkNames, ValueError } from '../errors.js';
import type { GeneratorOp } from '../graph/op.js';
import { checkShape, type Shape } from '../graph/shape.js';
import { constant, scalar } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { currentTrace } from '../graph/trace.js';
import { add, multiply, subtract } from './arithmetic.js';
import { less } from './comparison.js';
import { argmax } from './reduce.js';

const draw = (name: string): GeneratorOp => ({
  name,
  kind: 'generator',
  module: generators,
  function: name,
});
const bitsOp = draw('randomBits');
const uniformOp = draw('randomUniform');
const normalOp = draw('randomNormal');
const gumbelOp = draw('randomGumbel');
const permutationOp = draw('randomPermutation');

export interface NormalOptions {
  readonly mean?: TensorLike;
  readonly standardDeviation?: TensorLike;
}

/**
 * Random numbers by counter: Philox-4x32-10 keyed by (seed, stream, step, element). The same bits for
 * u32, uniform and permutation on every device, whatever the workgroup size; normal draws agree within ulps.
 * Each draw takes the next step; inside a compiled function each execution takes fresh ones.
 */
export class Generator {
  #seed: number;
  #stream: number;
  /** The next step; all there is to save. */
  step = 0;

  /** @param seed an integer from 0 to 2^53 - 1. @param stream independent sequences of one seed: 0 to 2^32 - 1. */
  constructor(seed: number, stream = 0) {
    this.#seed = checkWhole('seed', seed, 53);
    this.#stream = checkWhole('stream', stream, 32);
  }

  get seed(): number {
    return this.#seed;
  }

  get stream(): number {
    return this.#stream;
  }

  /**
   * Goes on where another (a checkpoint's) stood.
   * @throws ValueError when no generator can stand there.
   */
  restore({ seed, stream, step }: { readonly seed: number; readonly stream: number; readonly step: number }): void {
    checkWhole('seed', seed, 53);
    checkWhole('stream', stream, 32);
    checkWhole('step', step, 32);
    this.#seed = seed;
    this.#stream = stream;
    this.step = step;
  }

  /** Uniform u32, all bits random. */
  bits(shape: Shape): Tensor {
    return this.#draw(bitsOp, shape, 'u32');
  }

  /** Uniform in [low, high), multiples of 2^-24 scaled; default [0, 1). */
  uniform(shape: Shape, low: TensorLike = 0, high: TensorLike = 1): Tensor {
    const unit = this.#draw(uniformOp, shape, 'f32');
    return low === 0 && high === 1 ? unit : add(multiply(unit, subtract(high, low)), low);
  }

  /** Normal (Box-Muller); default mean 0, standard deviation 1. */
  normal(shape: Shape, options: NormalOptions = {}): Tensor {
    checkNames('random.normal', options, ['mean', 'standardDeviation']);
    const { mean = 0, standardDeviation = 1 } = options;
    const standard = this.#draw(normalOp, shape, 'f32');
    const scaled = multiply(standard, standardDeviation);
    return mean === 0 ? scaled : add(scaled, mean);
  }

  /** True with the given probability. */
  bernoulli(shape: Shape, probability: TensorLike): Tensor {
    return less(this.#draw(uniformOp, shape, 'f32'), probability);
  }

  /** Indices (i32) drawn with probabilities softmax(logits) along the last axis (the Gumbel-max trick). */
  categorical(logits: Tensor): Tensor {
    return argmax(add(logits, this.#draw(gumbelOp, logits.shape, 'f32')), -1);
  }

  /** 0 … count-1 (i32) in a pseudo-random order: a keyed bijection, O(count), the same on every device. */
  permutation(count: number): Tensor {
    return this.#draw(permutationOp, [count], 'i32', [constant(count, 'u32')]);
  }

  #draw(op: GeneratorOp, shape: Shape, dtype: 'f32' | 'u32' | 'i32', extra: readonly Tensor[] = []): Tensor {
    checkShape('random', shape);
    const inputs = [
      ...extra,
      this.#number(() => this.#seed >>> 0),
      this.#number(() => Math.floor(this.#seed / 2 ** 32)),
      this.#number(() => this.#stream),
      this.#nextStep(),
    ];
    return new Tensor(op, inputs, [...shape], dtype);
  }

  /** What a traced draw reads anew at each execution, and another keeps. */
  #number(read: () => number): Tensor {
    return currentTrace() === undefined ? constant(read(), 'u32') : scalar(read, 'u32');
  }

  /** A draw keeps its step; in a trace each execution moves on by the number of draws. */
  #nextStep(): Tensor {
    const trace = currentTrace();
    if (trace === undefined) return constant(this.step++, 'u32');
    // A part between repeats draws as it runs: before the next one's, or once an iteration.
    const { part } = trace;
    let draws = counters.get(part)?.get(this);
    if (draws === undefined) {
      const made = { count: 0 };
      draws = made;
      const perPart = counters.get(part) ?? new Map();
      counters.set(part, perPart.set(this, made));
      part.advance.push(() => {
        this.step += made.count;
      });
    }
    const offset = draws.count++;
    return scalar(() => this.step + offset, 'u32');
  }
}

function checkWhole(name: string, value: number, bits: 32 | 53): number {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** bits) return value;
  throw new ValueError('random', `${name} is ${value}; it must be an integer from 0 to 2^${bits} - 1.`);
}

const counters = new WeakMap<object, Map<Generator, { count: number }>>();

const shared = new Generator(0);

/** Sets the seed of the default generator, which begins anew, also in compiled steps. Default seed: 0. */
export function seed(value: number): void {
  shared.restore({ seed: value, stream: 0, step: 0 });
}

/** The default generator (its seed and step are what a checkpoint keeps). */
export function defaultGenerator(): Generator {
  return shared;
}

/** A generator of its own: `random.generator(seed, stream)`. */
export function generator(value: number, stream = 0): Generator {
  return new Generator(value, stream);
}

export const bits = (shape: Shape): Tensor => shared.bits(shape);
export const uniform = (shape: Shape, low?: TensorLike, high?: TensorLike): Tensor => shared.uniform(shape, low, high);
export const normal = (shape: Shape, options?: NormalOptions): Tensor => shared.normal(shape, options);
export const bernoulli = (shape: Shape, probability: TensorLike): Tensor => shared.bernoulli(shape, probability);
export const categorical = (logits: Tensor): Tensor => shared.categorical(logits);
export const permutation = (count: number): Tensor => shared.permutation(count);
