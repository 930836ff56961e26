import { uniform } from '../../bench/random.js';

/** A distribution over finitely many inputs and classes that is known, and a feature vector for each input. */
export interface KnownDistribution {
  /** The probability of each input; they sum to 1. */
  readonly inputs: Float64Array;
  /** p(y | x): a row for each input, summing to 1. */
  readonly conditionals: readonly Float64Array[];
  /** `[inputs, features]`, row-major. */
  readonly features: Float32Array;
}

export interface DistributionSizes {
  readonly inputs: number;
  readonly classes: number;
  readonly features: number;
  /** Standard deviation of the logits that p(y | x) is the softmax of: 0 is uniform, large is nearly certain. */
  readonly sharpness: number;
}

/** All of it drawn from a seed: inputs' probabilities and conditionals are softmaxes of normal draws. */
export function drawDistribution(
  { inputs, classes, features, sharpness }: DistributionSizes,
  seed: number,
): KnownDistribution {
  const normal = normals(uniform(seed));
  const probabilities = (count: number, scale: number) => {
    const weights = Float64Array.from({ length: count }, () => Math.exp(scale * normal()));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  };
  return {
    inputs: probabilities(inputs, 1),
    conditionals: Array.from({ length: inputs }, () => probabilities(classes, sharpness)),
    features: Float32Array.from({ length: inputs * features }, normal),
  };
}

/** Box and Muller 1958. */
function normals(draw: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
}
