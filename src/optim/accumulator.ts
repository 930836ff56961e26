import { checkCounts, ValueError } from '../errors.js';
import { Parameter } from '../graph/parameter.js';
import { runtime } from '../graph/runtime.js';
import type { Tensor } from '../graph/tensor.js';
import { currentTrace } from '../graph/trace.js';
import { add, multiply } from '../ops/arithmetic.js';
import { zeros } from '../ops/create.js';

/**
 * Sums gradients over micro-batches, for a batch that does not fit at once.
 *
 * @example
 * const sums = new optim.Accumulator(model.parameters());
 * const micro = compile((x, y) => sums.add(grad(loss(model(x), y), model.parameters())));
 * const update = compile(() => optimizer.update(sums.takeMean(4)));   // after four micro-batches
 */
export class Accumulator {
  readonly #sums: readonly Parameter[];

  constructor(parameters: readonly Parameter[]) {
    this.#sums = parameters.map((parameter) => new Parameter(zeros(parameter.shape), { trainable: false }));
  }

  /** Adds gradients, in the order of the parameters. */
  add(gradients: readonly Tensor[]): void {
    if (gradients.length !== this.#sums.length) {
      throw new ValueError(
        'optim.Accumulator',
        `add got ${gradients.length} gradients for ${this.#sums.length} parameters.`,
      );
    }
    this.#sums.forEach((sum, i) => {
      sum.assign(add(sum, gradients[i] as Tensor));
    });
  }

  /** The sums divided by the number of micro-batches (of equal size); they begin again at zero. */
  takeMean(count: number): Tensor[] {
    checkCounts('optim.Accumulator', { count });
    const means = this.#sums.map((sum) => multiply(sum, 1 / count));
    // Outside a step the zeros are assigned at once: the means are taken before.
    if (currentTrace() === undefined) runtime('optim.Accumulator').compute(means);
    for (const sum of this.#sums) sum.assign(zeros(sum.shape));
    return means;
  }
}
