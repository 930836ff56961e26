import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { relu, sigmoid } from '../../src/ops/activation.js';
import { add, maximum, multiply, square, subtract } from '../../src/ops/arithmetic.js';
import { greater } from '../../src/ops/comparison.js';
import { concatenate } from '../../src/ops/concatenate.js';
import { cumulativeSum } from '../../src/ops/cumulative.js';
import { gather } from '../../src/ops/gather.js';
import { where } from '../../src/ops/logical.js';
import { matmul } from '../../src/ops/matmul.js';
import { max, mean, sum } from '../../src/ops/reduce.js';
import { flip, reshape, slice, transpose } from '../../src/ops/shaping.js';
import { softmax } from '../../src/ops/softmax.js';
import { sin, tanh } from '../../src/ops/trigonometric.js';
import { type Random, random } from '../support/random.js';

export interface RandomGraph {
  readonly leaves: Tensor[];
  /** A few nodes of the middle and the last one. */
  readonly outputs: Tensor[];
  /** A scalar that every output enters. */
  readonly loss: Tensor;
}

type Step = (r: Random, x: Tensor, y: Tensor) => Tensor;

const unary = [tanh, sin, sigmoid, relu, square] as const;
const binary = [add, subtract, multiply, maximum] as const;

/** Matrices alone, so that every op applies; values are squashed now and then, so that bounds stay small. */
const steps: readonly Step[] = [
  (r, x) => r.pick(unary)(x),
  (r, x) => tanh(multiply(x, r.uniform(0.3, 1.5))),
  (r, x) => add(x, r.normal()),
  (r, x, y) => r.pick(binary)(x, fit(y, x.shape)),
  (r, x, y) => r.pick(binary)(x, mean(fit(y, x.shape), { axes: r.below(2), keepDims: true })),
  (r, x) => r.pick([sum, mean, max])(x, { axes: r.below(2), keepDims: true }),
  (_, x) => transpose(x),
  (_, x) => flip(x, 0),
  (_, x) => slice(x, [null, null, 2], [null, null]),
  (_, x) => reshape(x, [x.shape[1] ?? 1, x.shape[0] ?? 1]),
  (_, x, y) => tanh(matmul(transpose(x), fit(y, [x.shape[0] ?? 1, 5]))),
  (_, x) => tanh(matmul(x, transpose(x))),
  (_, x) => softmax(x),
  (r, x) => tanh(cumulativeSum(x, r.below(2))),
  // A kernel's result beside itself at another place: what no epilogue can have.
  (r, x) => beside(r, tanh(matmul(x, transpose(x)))),
  (r, x) => beside(r, matmul(transpose(x), multiply(x, 0.25))),
  (r, x) => beside(r, softmax(matmul(x, multiply(transpose(x), 0.25)))),
  (_, x, y) => concatenate([x, fit(y, x.shape)], 1),
  (r, x) => gather(x, tensor(Int32Array.from({ length: 4 }, () => r.below(x.shape[0] ?? 1)))),
  (_, x, y) => where(greater(fit(y, x.shape), 0.25), x, 0.5),
];

/** A square matrix with its transpose, its flip or a part of it, at once or after a chain. */
function beside(r: Random, x: Tensor): Tensor {
  const elsewhere = r.pick([transpose, (y: Tensor) => flip(y, 1), (y: Tensor) => slice(y, [0, 1], [null, null])]);
  return tanh(r.pick(binary)(x, elsewhere(r.below(2) === 0 ? x : sin(x))));
}

/** The leading part of a matrix, repeated where it is too small. */
function fit(x: Tensor, [rows = 1, columns = 1]: readonly number[]): Tensor {
  let result = x;
  while ((result.shape[0] ?? 1) < rows) result = concatenate([result, result], 0);
  while ((result.shape[1] ?? 1) < columns) result = concatenate([result, result], 1);
  return slice(result, [0, rows], [0, columns]);
}

/** A graph of some ops; the same seed gives the same graph, with leaves of its own. */
export function randomGraph(seed: number, ops = 20): RandomGraph {
  const r = random(seed);
  const leaves = [
    [3, 5],
    [1, 7],
    [9, 2],
  ].map((shape) =>
    tensor(
      r.floats((shape[0] ?? 1) * (shape[1] ?? 1), () => r.normal()),
      { shape },
    ),
  );
  const nodes = [...leaves];
  for (let i = 0; i < ops; i++) {
    // Recent nodes more often: deep as well as wide.
    const recent = nodes.slice(-4);
    const made = r.pick(steps)(r, r.pick(recent), r.pick(nodes));
    nodes.push(made.size > 300 ? slice(made, [0, 8], [0, 8]) : made);
  }
  const made = nodes.slice(leaves.length + 1);
  const outputs = [r.pick(made), r.pick(made), nodes.at(-1) as Tensor];
  const loss = outputs.map((output) => mean(tanh(output))).reduce((a, b) => add(a, b));
  return { leaves, outputs, loss };
}
