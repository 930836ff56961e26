import { symmetric, uniform } from '../../random.js';

/** How the parameters follow their gradients. Epsilon is large, so that the noise of a tiny gradient stays small. */
export const RULES = {
  momentum: { learningRate: 0.05, momentum: 0.9 },
  adamw: { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-4, weightDecay: 0 },
} as const;

export type Rule = keyof typeof RULES;

export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** [inputs, outputs] */
  readonly weight: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
}

/** One step of a relu network on a batch, by softmax cross-entropy. */
export interface Problem {
  /** [batch, features] */
  readonly images: Float32Array<ArrayBuffer>;
  /** [batch], below `classes` */
  readonly labels: Uint32Array<ArrayBuffer>;
  readonly layers: readonly Layer[];
  readonly batch: number;
  readonly features: number;
  readonly classes: number;
  readonly rule: Rule;
}

export interface ProblemSize {
  readonly widths: readonly number[];
  readonly batch: number;
  readonly rule: Rule;
}

export function makeProblem({ widths, batch, rule }: ProblemSize, seed: number): Problem {
  const draw = uniform(1000 * seed + 1);
  const [features = 1] = widths;
  const classes = widths.at(-1) ?? 1;
  return {
    images: Float32Array.from({ length: batch * features }, draw),
    labels: Uint32Array.from({ length: batch }, () => Math.floor(draw() * classes)),
    layers: widths.slice(1).map((outputs, i) => {
      const fanIn = widths[i] ?? 1;
      return {
        inputs: fanIn,
        outputs,
        weight: symmetric(fanIn * outputs, Math.sqrt(1 / fanIn), 1000 * seed + 2 * i + 2),
        bias: symmetric(outputs, 0.1, 1000 * seed + 2 * i + 3),
      };
    }),
    batch,
    features,
    classes,
    rule,
  };
}

/** Weights and biases, in turn, by name. */
export function named<T>(values: readonly T[]): Record<string, T> {
  return Object.fromEntries(values.map((value, i) => [`${i % 2 === 0 ? 'weight' : 'bias'}${i >> 1}`, value]));
}
