import { stopGradient } from '../autograd/customGradient.js';
import { grad } from '../autograd/grad.js';
import { ValueError } from '../errors.js';
import { type CompiledFunction, compile } from '../graph/compile.js';
import type { Tensor } from '../graph/tensor.js';
import { inEvaluation } from '../nn/inEvaluation.js';
import type { Module } from '../nn/module.js';
import type { Optimizer } from '../optim/optimizer.js';
import { type PgdOptions, pgdAs } from './attacks/pgd.js';
import { checkOptionNames, THREAT_OPTIONS } from './attacks/threat.js';
import type { Recipe } from './recipes.js';

export interface RobustTraining {
  readonly model: Module;
  readonly optimizer: Optimizer;
  readonly recipe: Recipe;
  /** The attack within the step; its objective and its start are the recipe's. */
  readonly attack: Omit<PgdOptions, 'objective' | 'randomStart' | 'restarts' | 'keep'>;
}

/**
 * A training step of a recipe, as `fit` takes it: `(inputs, labels) -> loss`. The attack's iterations, both branches,
 * the gradients and the update are one plan. The attack sees the model in evaluation mode; the branches that are
 * differentiated have the model's own. Batch norm's running statistics move by the branch that the loss asks for last.
 *
 * @throws ValueError for an option that is unknown or out of range.
 * @example
 * const step = robust.trainingStep({ model, optimizer, recipe: robust.trades({ beta: 6 }), attack: { epsilon: 8 / 255 } });
 * await fit(step, digits, { epochs: 5 });
 */
export function trainingStep({ model, optimizer, recipe, attack }: RobustTraining): CompiledFunction<Tensor[], Tensor> {
  const op = 'robust.trainingStep';
  if (typeof recipe?.loss !== 'function') {
    throw new ValueError(op, 'the recipe is none.', {
      mend: 'give robust.trades({ beta: 6 }), say: called, not the function.',
    });
  }
  const { start: randomStart, ascend } = recipe;
  // Options are refused now, not at the first step; also those that the recipe's would silently replace.
  checkOptionNames(op, attack, [...THREAT_OPTIONS, 'steps', 'stepSize', 'schedule', 'earlyStop', 'generator']);
  pgdAs(op, { ...attack, randomStart });
  return compile(
    (inputs: Tensor, target: Tensor) => {
      const attacked = once(() => {
        // Before the attack, not in it: there it would be computed anew in each iteration.
        const clean = stopGradient(inEvaluation(model, () => model(inputs)));
        const objective = (logits: Tensor, labels: Tensor) => ascend(logits, labels, clean);
        return pgdAs(op, { ...attack, randomStart, objective })(model, inputs, target);
      });
      const branches = { clean: once(() => model(inputs)), adversarial: once(() => model(attacked())) };
      const loss = recipe.loss(branches, target);
      optimizer.update(grad(loss, optimizer.parameters));
      return loss;
    },
    { name: `train ${recipe.name}` },
  );
}

/** Computed at its first call. */
function once(make: () => Tensor): () => Tensor {
  let made: Tensor | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
